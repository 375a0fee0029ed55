"""Texts and words to pieces: what a fast tokenizer gives before special tokens, truncation and padding."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import starmap
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, cast

from headway.data.template import template_of
from headway.types import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerBase

    from headway.data.encoding import Examples
    from headway.data.template import Template

_PROBE = ["a", "b", "the", "1"]


# Enough to keep every core of the tokenizer busy, few enough that its objects don't pile up in memory.
_CHUNK = 1000


class Document(NamedTuple):
    """One document in pieces, without special tokens.

    Attributes:
        first: Ids of the text, or of the first text of a pair.
        second: Ids of the second text of a pair; None for single texts.
        words: The word each piece belongs to, never falling; None unless the document came as words.
        num_words: The document's words; 0 unless it came as words.
    """

    first: list[int]
    second: list[int] | None = None
    words: list[int] | None = None
    num_words: int = 0


@dataclass(frozen=True, eq=False)
class Tokenization:
    """A fast tokenizer made ready for encoding; never changed, so threads may share it.

    Attributes:
        backend: A copy of the tokenizer's Rust half, with truncation and padding off.
        template: Where special tokens stand.
        unknown_id: The piece that stands in for a word without pieces; None where the tokenizer has none.
        truncation_side: The end that truncation cuts: "right" or "left".
        word_prefix: What has to stand before each word but the first, so that words give the pieces that
            they give in a text: a space for byte-level tokenizers, else nothing. None if neither does.
    """

    backend: Tokenizer
    template: Template
    unknown_id: int | None
    truncation_side: str
    word_prefix: str | None

    def fingerprint(self) -> str:
        """Return a hash of all that decides the pieces of a text; the same in every process."""
        import tokenizers

        own = (self.backend.encode_special_tokens, self.truncation_side, self.unknown_id, self.word_prefix)
        text = f"{tokenizers.__version__}\n{own}\n{self.backend.to_str()}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def prepare(tokenizer: PreTrainedTokenizerBase) -> Tokenization:
    """Return what `encode` needs of a tokenizer.

    It takes some hundredths of a second, so whoever encodes often does it once.

    Args:
        tokenizer: A fast tokenizer; it is left as it is.

    Returns:
        A copy that nothing else can change.

    Raises:
        ConfigError: The tokenizer is not a fast one, or its special tokens follow no template.
    """
    from tokenizers import Tokenizer

    if not tokenizer.is_fast:
        raise ConfigError(
            f"backbone must have a fast tokenizer (tokenizer.json), got {type(tokenizer).__name__}; "
            "convert the tokenizer or choose another backbone"
        )
    # Truncation and padding are state of the original: set by its file and by every call of it. Turned off
    # there, they would be gone from what it saves, and a call in another thread could turn them on again.
    return tokenization_of(
        Tokenizer.from_str(tokenizer.backend_tokenizer.to_str()),
        unknown_id=tokenizer.unk_token_id,
        truncation_side=tokenizer.truncation_side,
        encode_special_tokens=tokenizer.split_special_tokens,
    )


def tokenization_of(
    backend: Tokenizer, *, unknown_id: int | None, truncation_side: str, encode_special_tokens: bool
) -> Tokenization:
    """Return what `encode` needs of a tokenizer's Rust half, without transformers.

    Args:
        backend: Its truncation and padding are turned off.
        unknown_id: See Tokenization.
        truncation_side: See Tokenization.
        encode_special_tokens: Whether the name of a special token in a text is a text like any other.

    Raises:
        ConfigError: Its special tokens follow no template.
    """
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = encode_special_tokens
    return Tokenization(
        backend=backend,
        template=template_of(backend),
        unknown_id=unknown_id,
        truncation_side=truncation_side,
        word_prefix=_word_prefix(backend),
    )


def _word_prefix(backend: Tokenizer) -> str | None:
    wanted = backend.encode(" ".join(_PROBE), add_special_tokens=False).ids
    for prefix in ("", " "):
        words = _prefixed(_PROBE, prefix)
        if backend.encode(words, is_pretokenized=True, add_special_tokens=False).ids == wanted:
            return prefix
    return None


def _prefixed(words: Sequence[str], prefix: str) -> list[str]:
    return [*words[:1], *(prefix + word for word in words[1:])] if prefix else list(words)


def documents(tokenization: Tokenization, examples: Examples) -> Iterator[Document]:
    """Yield the pieces of each document in order.

    A word that gives no piece (an empty one, a zero-width space, a lone combining mark) is represented by
    the tokenizer's unknown piece, so that it gets a prediction like every word. Where the tokenizer has no
    unknown piece, the word has no piece and cannot be predicted.

    Args:
        tokenization: The tokenizer.
        examples: Texts, pairs of texts or words.

    Yields:
        A document for each row.

    Raises:
        ConfigError: The rows are words, and the tokenizer doesn't give them the pieces they have in a text.
    """
    tokens, texts, pairs = examples.get("tokens"), examples.get("text", ()), examples.get("text_pair")
    if tokens is not None:
        for start in range(0, len(tokens), _CHUNK):
            yield from _word_documents(tokenization, tokens[start : start + _CHUNK])
        return
    for start in range(0, len(texts), _CHUNK):
        firsts = _text_pieces(tokenization, texts[start : start + _CHUNK])
        if pairs is None:
            yield from map(Document, firsts)
        else:
            seconds = _text_pieces(tokenization, pairs[start : start + _CHUNK])
            yield from starmap(Document, zip(firsts, seconds, strict=True))


def _text_pieces(tokenization: Tokenization, texts: Sequence[str]) -> list[list[int]]:
    encodings = tokenization.backend.encode_batch_fast(list(texts), add_special_tokens=False)
    return [encoding.ids for encoding in encodings]


def _word_documents(tokenization: Tokenization, rows: Sequence[Sequence[str]]) -> Iterator[Document]:
    prefix = tokenization.word_prefix
    if prefix is None:
        raise ConfigError(
            "backbone must have a tokenizer that gives words the pieces they have in a text, with or without "
            "a space before them, got one that does neither; choose another backbone for data.tokens"
        )
    # Not encode_batch_fast, which leaves out the words of the pieces.
    encodings = tokenization.backend.encode_batch(
        [_prefixed(words, prefix) for words in rows], is_pretokenized=True, add_special_tokens=False
    )
    for encoding, row in zip(encodings, rows, strict=True):
        ids, words = encoding.ids, cast("list[int]", encoding.word_ids)  # no special tokens, so no None
        present = set(words)
        if len(present) < len(row) and tokenization.unknown_id is not None:
            absent = [(word, tokenization.unknown_id) for word in range(len(row)) if word not in present]
            # Sorting is stable: the pieces of a word keep their order.
            both = sorted([*zip(words, ids, strict=True), *absent], key=itemgetter(0))
            ids, words = [piece for _, piece in both], [word for word, _ in both]
        yield Document(ids, words=words, num_words=len(row))
