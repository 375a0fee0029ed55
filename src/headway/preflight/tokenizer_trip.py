"""Whether the tokenizer knows the texts: to pieces and back, on a sample."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headway.data.checks import Finding

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

    from headway.data.pieces import Tokenization
    from headway.data.table import Table

SAMPLE = 2000
"""Documents of a split that are looked at."""

UNKNOWN_RATIO = 0.01
"""Share of unknown pieces above which the backbone is doubted."""

EXAMPLES = 5
"""Unknown words that are named."""

# What decoding may add or leave out without a change of meaning; \u2581 is SentencePiece's visible blank.
_BLANKS = re.compile("[\\s\u2581]+")


@dataclass(frozen=True)
class RoundTrip:
    """What became of a sample of one split.

    Attributes:
        documents: Documents looked at.
        words: Their words: as they came, or what blanks part.
        pieces: Their pieces, without special tokens.
        unknown: Unknown pieces among them.
        unknown_words: What most often gave an unknown piece, and how often.
        read_back: Documents that decoding gives back as the tokenizer's normaliser left them, but for blanks.
        wordless: Words, of documents that came as words, that give no piece.
    """

    documents: int
    words: int
    pieces: int
    unknown: int
    unknown_words: dict[str, int]
    read_back: int
    wordless: int


def round_trip(tokenization: Tokenization, table: Table, *, seed: int) -> RoundTrip:
    """Return what the tokenizer makes of a sample of a split.

    Args:
        tokenization: The prepared tokenizer.
        table: The split in canonical columns.
        seed: Of the sample.
    """
    rows = np.arange(len(table))
    if len(table) > SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(rows, SAMPLE, replace=False))
    sample = table.select(rows)
    backend = _exact(tokenization.backend)
    columns = [name for name in ("text", "text_pair", "tokens") if name in table.column_names]
    whole, words, pieces, wordless = np.ones(len(rows), dtype=bool), 0, 0, 0
    unknown: Counter[str] = Counter()
    for column in columns:
        texts: list[str] | list[list[str]] = sample.column(column)
        split = column == "tokens"
        inputs = [_prefixed(words, tokenization.word_prefix or "") for words in texts] if split else texts
        encodings = backend.encode_batch(inputs, is_pretokenized=split, add_special_tokens=False)
        for row, (text, encoding) in enumerate(zip(inputs, encodings, strict=True)):
            unknown.update(_unknown(encoding, text, tokenization.unknown_id))
            pieces += len(encoding.ids)
            words += len(text.split() if isinstance(text, str) else text)
            wordless += len(text) - len(set(encoding.word_ids)) if split else 0
            whole[row] &= _read_back(backend, encoding, text)
    return RoundTrip(
        documents=len(rows),
        words=words,
        pieces=pieces,
        unknown=unknown.total(),
        unknown_words=dict(unknown.most_common(EXAMPLES)),
        read_back=int(whole.sum()),
        wordless=wordless,
    )


def _exact(backend: Tokenizer) -> Tokenizer:
    """Return the tokenizer with a decoder that doesn't tidy up: WordPiece's makes "don't" of "do not"."""
    from tokenizers import Tokenizer

    state = json.loads(backend.to_str())
    if (state.get("decoder") or {}).get("cleanup"):
        state["decoder"]["cleanup"] = False
        exact = Tokenizer.from_str(json.dumps(state))
        exact.encode_special_tokens = backend.encode_special_tokens
        return exact
    return backend


def _prefixed(words: Sequence[str], prefix: str) -> list[str]:
    return [*words[:1], *(prefix + word for word in words[1:])]


def _unknown(encoding: Encoding, text: str | Sequence[str], unknown_id: int | None) -> Iterator[str]:
    """Yield what each unknown piece stands for."""
    for piece in np.flatnonzero(np.array(encoding.ids) == unknown_id).tolist():
        start, end = encoding.offsets[piece]
        source = text if isinstance(text, str) else text[encoding.word_ids[piece] or 0]
        yield source[start:end]


def _read_back(backend: Tokenizer, encoding: Encoding, text: str | Sequence[str]) -> bool:
    whole = text if isinstance(text, str) else " ".join(text)
    normal = whole if backend.normalizer is None else backend.normalizer.normalize_str(whole)
    decoded = backend.decode(encoding.ids, skip_special_tokens=False)
    return _BLANKS.sub("", decoded) == _BLANKS.sub("", normal)


def tokenizer_findings(trips: Mapping[str, RoundTrip]) -> Iterator[Finding]:
    """Find splits that the tokenizer doesn't know.

    Args:
        trips: Split -> what became of its sample.
    """
    for split, trip in trips.items():
        if trip.unknown > UNKNOWN_RATIO * trip.pieces:
            words = ", ".join(repr(word[:20]) for word in trip.unknown_words)
            yield Finding(
                "warning",
                f"`backbone` should know at least {1 - UNKNOWN_RATIO:.0%} of the pieces, got "
                f"{trip.unknown / trip.pieces:.1%} unknown ones in {split}, most often {words}; choose a "
                "backbone for this language, or clean the texts",
            )
