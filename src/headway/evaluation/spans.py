"""Entities in tags of the IOB2 scheme, read strictly or leniently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

_OUTSIDE = -1


class Span(NamedTuple):
    """An entity: its type and its words, from `start` up to but not including `end`."""

    type: str
    start: int
    end: int


@dataclass(frozen=True)
class SpanTable:
    """All entities of a split, in the order of the text.

    Attributes:
        starts: (num_spans,) int64, first word, counted over all documents end to end.
        ends: (num_spans,) int64, the word after the last.
        types: (num_spans,) int64, positions in the type names.
    """

    starts: np.ndarray
    ends: np.ndarray
    types: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True)
class TagSet:
    """What each tag number says.

    Attributes:
        begins: (num_labels,) bool, whether the tag is a B-.
        types: (num_labels,) int64, position of the tag's type in `names`, -1 for O.
        names: The types, sorted.
    """

    begins: np.ndarray
    types: np.ndarray
    names: tuple[str, ...]


def tag_set(label_names: Sequence[str]) -> TagSet:
    """Take IOB2 tags apart.

    Args:
        label_names: Tags by number: O, B-<type> and I-<type>; a bare B or I has the type "_", as in seqeval.

    Raises:
        ValueError: A tag is of another scheme.
    """
    parts = [name.partition("-") for name in label_names]
    for name, (prefix, _, _) in zip(label_names, parts, strict=True):
        if prefix not in ("B", "I") and name != "O":
            raise ValueError(f"tags must be O, B-<type> or I-<type> (IOB2), got {name}; convert them first")
    kinds = [None if prefix == "O" else kind or "_" for prefix, _, kind in parts]
    names = tuple(sorted({kind for kind in kinds if kind is not None}))
    return TagSet(
        begins=np.array([prefix == "B" for prefix, _, _ in parts], dtype=bool),
        types=np.array([_OUTSIDE if kind is None else names.index(kind) for kind in kinds], dtype=np.int64),
        names=names,
    )


def find_spans(tags: np.ndarray, *, word_offsets: np.ndarray, tagged: TagSet, strict: bool) -> SpanTable:
    """Find the entities; none crosses from one document into the next.

    An entity begins at a B-, at an I- after an O or at the start of a document, and at an I- of another type
    than the word before; it goes on over I- of its type. That is how conlleval and seqeval's default mode
    read tags. Read strictly (seqeval's mode="strict" with scheme=IOB2), what begins with an I- doesn't count.

    Args:
        tags: (num_words,) int64 tag numbers; a negative number is read as O.
        word_offsets: (num_documents + 1,) int64.
        tagged: What the numbers mean.
        strict: Whether an entity must begin with a B-.

    Returns:
        The entities.
    """
    types = np.where(tags >= 0, tagged.types[tags], _OUTSIDE)
    begins = tagged.begins[tags]  # only looked at where the type isn't O
    first = np.zeros(len(tags) + 1, dtype=bool)
    first[word_offsets] = True
    before = np.concatenate([[_OUTSIDE], types])[:-1]  # the type one word earlier, (num_words,)
    opens = (types != _OUTSIDE) & (begins | (types != before) | first[:-1])
    goes_on = (types != _OUTSIDE) & ~opens
    starts = np.flatnonzero(opens)
    stops = np.flatnonzero(
        ~np.concatenate([goes_on, [False]])
    )  # words that don't continue an entity, and the end
    ends = stops[np.searchsorted(stops, starts, side="right")]
    kept = begins[starts] | (not strict)
    return SpanTable(starts=starts[kept], ends=ends[kept], types=types[starts[kept]])


def spans(tags: Sequence[str], *, strict: bool) -> list[Span]:
    """Find the entities of one document.

    Args:
        tags: IOB2 tags, one a word; sequences that the scheme forbids are allowed.
        strict: As in `find_spans`.

    Returns:
        Its entities, in the order of the text.
    """
    label_names = sorted(set(tags))
    numbers = np.array([label_names.index(tag) for tag in tags], dtype=np.int64)
    tagged = tag_set(label_names)
    table = find_spans(numbers, word_offsets=np.array([0, len(tags)]), tagged=tagged, strict=strict)
    return [
        Span(tagged.names[kind], int(start), int(end))
        for kind, start, end in zip(table.types, table.starts, table.ends, strict=True)
    ]
