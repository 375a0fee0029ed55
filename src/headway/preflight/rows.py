"""Rows that repeat, and rows that hold no text a model could read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from headway.data.checks import Finding
from headway.data.splits import content_keys

if TYPE_CHECKING:
    from headway.data.table import Table

LONGEST_WORD = 1000
"""Characters of a word beyond which it is reported; WordPiece makes one unknown piece of far shorter ones."""

LEAST_LETTERS = 0.3
"""Share of letters and digits among visible characters below which a text is mostly something else."""

SHORTEST = 20
"""Visible characters below which a text is not judged by its letters: `:-)` may be all it says."""

LOOKED_AT = 2000
"""Characters of a text that are judged by their letters."""

_INVISIBLE = "\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
_VISIBLE = re.compile(rf"[^\s\x00-\x1f\x7f-\x9f{_INVISIBLE}]")
_ZERO_WIDTH = re.compile(f"[{_INVISIBLE}]")
# Scripts that part no words with blanks are left out: Thai, Lao, Burmese, Khmer, Chinese, Japanese, Korean.
_UNPARTED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_LONG = re.compile(rf"[^\s{_UNPARTED}]{{{LONGEST_WORD + 1}}}")

KINDS = {
    "blank": ("only blanks", "correct the rows"),
    "control": ("only control characters", "correct the rows, or their file's encoding"),
    "zero_width": ("only characters without width", "correct the rows"),
    "nul": ("NUL characters", "correct the rows, or their file's encoding"),
    "replacement": (
        "the replacement character U+FFFD, which a wrong decoding leaves",
        "make the file anew from its source in the right encoding",
    ),
    "symbols": (f"less than {LEAST_LETTERS:.0%} letters and digits", "look whether they are text at all"),
    "long_word": (
        f"a word of more than {LONGEST_WORD} characters",
        "look whether it is text; a tokenizer makes one unknown piece or hundreds of pieces of it",
    ),
}
"""What is odd with a text: what its rows hold, and what to do."""


@dataclass(frozen=True)
class SplitRows:
    """The rows of one split.

    Attributes:
        documents: All of them.
        repeats: Those whose input an earlier one has, equal but for case and blanks.
        contradictions: Those of them with another answer than the first.
        also_in: Another split -> how many of these rows stand in it.
    """

    documents: int
    repeats: int
    contradictions: int
    also_in: dict[str, int]


@dataclass(frozen=True)
class OddRows:
    """Rows of one split that are odd in the same way.

    Attributes:
        kind: A key of KINDS.
        split: The split's name.
        column: "text", "text_pair" or "tokens".
        count: How many rows.
        example: File and row of the first.
    """

    kind: str
    split: str
    column: str
    count: int
    example: str


@dataclass(frozen=True)
class RowFacts:
    """The rows of all splits.

    Attributes:
        splits: Split -> its rows.
        odd: What is odd with some.
        notes: What reading said, such as how many rows it dropped.
    """

    splits: dict[str, SplitRows]
    odd: tuple[OddRows, ...]
    notes: tuple[str, ...]


def row_facts(tables: Mapping[str, Table], *, role: str, notes: Sequence[str] = ()) -> RowFacts:
    """Return what repeats and what is odd.

    Args:
        tables: Split -> rows in canonical columns.
        role: The target's role.
        notes: What reading said.
    """
    keys = {split: content_keys(table) for split, table in tables.items()}
    distinct = {split: set(each) for split, each in keys.items()}
    splits = {}
    for split, table in tables.items():
        repeats, contradictions = _repeats(keys[split], table.column(role))
        also_in = {
            other: sum(key in held for key in keys[split])
            for other, held in distinct.items()
            if other != split
        }
        splits[split] = SplitRows(len(table), repeats, contradictions, also_in)
    odd = tuple(each for split, table in tables.items() for each in odd_rows(split, table))
    return RowFacts(splits, odd, tuple(notes))


def _repeats(keys: Sequence[str], answers: Sequence[object]) -> tuple[int, int]:
    first: dict[str, object] = {}
    contradictions = 0
    for key, answer in zip(keys, answers, strict=True):
        contradictions += first.setdefault(key, answer) != answer
    return len(keys) - len(first), contradictions


def odd_rows(split: str, table: Table) -> Iterator[OddRows]:
    """Yield what is odd with the rows of a split, each kind of each column once.

    Args:
        split: The split's name.
        table: Its rows in canonical columns.
    """
    for column in ("text", "text_pair", "tokens"):
        if column not in table.column_names:
            continue
        first: dict[str, int] = {}
        count: dict[str, int] = {}
        for row, value in enumerate(table.column(column)):
            for kind in kinds_of(value) if isinstance(value, str) else _kinds_of_words(value):
                first.setdefault(kind, row)
                count[kind] = count.get(kind, 0) + 1
        for kind in KINDS:
            if kind in first:
                yield OddRows(kind, split, column, count[kind], table.where(first[kind]))


def kinds_of(text: str) -> Iterator[str]:
    """Yield what is odd with a text, by the keys of KINDS.

    Args:
        text: A document.
    """
    yield from _kinds_of_characters(text)
    visible = _VISIBLE.findall(text[:LOOKED_AT]) if len(text) >= SHORTEST else []
    if len(visible) >= SHORTEST and sum(map(str.isalnum, visible)) < LEAST_LETTERS * len(visible):
        yield "symbols"


def _kinds_of_words(words: Sequence[str]) -> set[str]:
    """Return what is odd with a document of words; a word of symbols is none, a document of them is."""
    found: set[str] = set().union(*(_kinds_of_word(word) for word in set(words)))
    return found | {kind for kind in kinds_of(" ".join(words)) if kind == "symbols"}


@lru_cache(maxsize=100_000)
def _kinds_of_word(word: str) -> tuple[str, ...]:
    return tuple(_kinds_of_characters(word))


def _kinds_of_characters(text: str) -> Iterator[str]:
    if "\x00" in text:
        yield "nul"
    if "\ufffd" in text:
        yield "replacement"
    if _VISIBLE.search(text) is None:
        zero_width = _ZERO_WIDTH.search(text) is not None
        yield "blank" if not text or text.isspace() else "zero_width" if zero_width else "control"
    elif len(text) > LONGEST_WORD and _LONG.search(text):
        yield "long_word"


def row_findings(facts: RowFacts) -> Iterator[Finding]:
    """Report odd rows; what repeats is reported by `headway.data.checks`.

    Args:
        facts: Of all splits.
    """
    for odd in facts.odd:
        what, remedy = KINDS[odd.kind]
        rows = "1 row" if odd.count == 1 else f"{odd.count} rows"
        words = " in a word" if odd.column == "tokens" and odd.kind not in ("long_word", "symbols") else ""
        yield Finding(
            "warning",
            f"`data.{odd.column}` should hold readable text, got {what}{words} in {rows} of {odd.split}, "
            f"first in {odd.example}; {remedy}",
        )
