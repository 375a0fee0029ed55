"""Texts, pairs and words to windows of token ids: pure functions of the tokenizer, the rows and the spec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from headway.data.encoded_builder import EncodedBuilder
from headway.data.pieces import Tokenization, documents, prepare
from headway.data.windows import STRATEGIES, WINDOWS, cut
from headway.types import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from transformers import PreTrainedTokenizerBase

    from headway.data.store import Encoded
    from headway.data.template import Template

TRUNCATIONS = (*STRATEGIES, WINDOWS)
SUBWORD_LABELS = ("first", "all")


class Examples(TypedDict, total=False):
    """What is encoded: `text`, with `text_pair` for pairs, or `tokens`; a row a document.

    Attributes:
        text: Texts.
        text_pair: Second texts; None or absent for single texts.
        tokens: Documents that came as words.
    """

    text: Sequence[str]
    text_pair: Sequence[str] | None
    tokens: Sequence[Sequence[str]]


@dataclass(frozen=True)
class EncodingSpec:
    """How documents become windows.

    Attributes:
        max_length: Tokens of a window at most, special tokens included.
        truncation: What happens to longer documents: "longest_first", "only_first" or "only_second" cut
            pieces off; "windows" spreads them over several windows, the longer text of a pair only.
        overlap: Tokens that neighbouring windows share; 0 unless truncation is "windows".
        subword_labels: Which pieces of a word are labelled: the "first" or "all".
        token_type_ids: Whether the model's forward takes token types.

    Raises:
        ConfigError: A value is not one of those allowed.
    """

    max_length: int
    truncation: str
    overlap: int
    subword_labels: str
    token_type_ids: bool

    def __post_init__(self) -> None:
        for name, allowed in (("truncation", TRUNCATIONS), ("subword_labels", SUBWORD_LABELS)):
            if getattr(self, name) not in allowed:
                raise ConfigError(
                    f"data.{name} must be one of {', '.join(allowed)}, got {getattr(self, name)!r}; name one"
                )
        for name, least in (("max_length", 1), ("overlap", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ConfigError(
                    f"data.{name} must be a whole number of tokens >= {least}, got {value!r}; set one"
                )
        if self.overlap and self.truncation != WINDOWS:
            raise ConfigError(
                f"data.overlap must be 0 for truncation={self.truncation}, got {self.overlap}; "
                "set data.truncation=windows or data.overlap=0"
            )


def validate(spec: EncodingSpec, template: Template, *, pair: bool, model_limit: int | None) -> None:
    """Check the spec against the tokenizer and the model, before any row is read.

    Args:
        spec: How documents become windows.
        template: Where the tokenizer puts special tokens.
        pair: Whether documents are pairs of texts.
        model_limit: Positions the model has, in tokens; None if it has no limit.

    Raises:
        ConfigError: data.max_length leaves no room for text or exceeds the model, data.overlap leaves no
            step, or data.truncation cuts a second text that isn't there.
    """
    least = template.num_special(pair) + (2 if pair else 1)
    if spec.max_length < least or (model_limit is not None and spec.max_length > model_limit):
        allowed = f">= {least}" if model_limit is None else f"in [{least}, {model_limit}]"
        hint = (
            "raise it"
            if spec.max_length < least
            else "lower it, or set data.truncation=windows to keep the rest"
        )
        raise ConfigError(
            f"data.max_length must be {allowed} for this backbone and {'pairs' if pair else 'single texts'}, "
            f"got {spec.max_length}; {hint}"
        )
    if spec.truncation == "only_second" and not pair:
        raise ConfigError(
            "data.truncation must not be only_second without data.text_pair, got only_second; "
            "set data.truncation=longest_first or data.text_pair"
        )
    # At least one piece of a pair's shorter text stands in every window.
    room = spec.max_length - template.num_special(pair) - (1 if pair else 0)
    if spec.overlap >= room:
        raise ConfigError(
            f"data.overlap must be in [0, {room}) for max_length={spec.max_length}, got {spec.overlap}; "
            "lower overlap or raise max_length"
        )


def encode(
    tokenizer: PreTrainedTokenizerBase | Tokenization,
    examples: Examples,
    spec: EncodingSpec,
    *,
    where: Callable[[int], str] | None = None,
) -> Encoded:
    """Encode documents as windows of at most spec.max_length tokens.

    Without windows the result is what the tokenizer itself gives with the same truncation. With windows
    every piece of every document is in at least one; windows over words are cut between words, and a word
    with more pieces than a window holds keeps its first ones. A word without pieces gets the unknown piece.

    Args:
        tokenizer: A fast tokenizer, or what `headway.data.pieces.prepare` made of it, which is faster where
            encode is called often. It is left as it is.
        examples: The documents; each column (num_documents,).
        spec: How documents become windows.
        where: Names a document's origin for error messages, by its number; by default "document 7".

    Returns:
        The windows of all documents in order, at least one each.

    Raises:
        ConfigError: The spec doesn't fit the tokenizer.
        DataError: A pair's shorter text alone fills the window, or nothing of a text would be left.
    """
    tokenization = tokenizer if isinstance(tokenizer, Tokenization) else prepare(tokenizer)
    pair = examples.get("text_pair") is not None
    validate(spec, tokenization.template, pair=pair, model_limit=None)
    frame = tokenization.template.frame(pair)
    builder = EncodedBuilder(
        frame, token_type_ids=spec.token_type_ids, words=examples.get("tokens") is not None
    )
    for number, document in enumerate(documents(tokenization, examples)):
        try:
            cuts = cut(document, spec, num_special=frame.num_special, side=tokenization.truncation_side)
        except DataError as error:
            raise DataError(f"{where(number) if where else f'document {number}'}: {error}") from None
        builder.add(document, cuts)
    return builder.build()
