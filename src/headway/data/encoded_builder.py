"""Puts windows together to the flat arrays of Encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headway.data.store import Encoded, offsets_of

if TYPE_CHECKING:
    from headway.data.pieces import Document
    from headway.data.template import Frame
    from headway.data.windows import Cut

# Python's lists take ten times the memory of the arrays that they become.
_FLUSH_AT = 1 << 20


class _Column:
    """A growing flat array: a list that is turned into arrays as it grows."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self.values: list[int] = []
        self._dtype = dtype
        self._arrays: list[np.ndarray] = []

    def flush(self) -> None:
        """Turn what the list holds into an array."""
        self._arrays.append(np.array(self.values, dtype=self._dtype))
        self.values = []

    def array(self) -> np.ndarray:
        """Return all values, flat."""
        self.flush()
        return np.concatenate(self._arrays)


class EncodedBuilder:
    """Collects the windows of one document after the other.

    Args:
        frame: The special tokens of each window.
        token_type_ids: Whether token types are kept.
        words: Whether the documents came as words.
    """

    def __init__(self, frame: Frame, *, token_type_ids: bool, words: bool) -> None:
        self._frame = frame
        self._input_ids = _Column(np.int32)
        self._types = _Column(np.int8) if token_type_ids else None
        self._words = _Column(np.int32) if words else None
        self._first_pieces = _Column(np.bool_) if words else None
        self._documents: list[int] = []
        self._window_lengths: list[int] = []
        self._lengths: list[int] = []
        self._lost: list[int] = []
        self._num_words: list[int] = []

    def add(self, document: Document, cuts: list[Cut]) -> None:
        """Add the windows of the next document.

        Args:
            document: Its pieces.
            cuts: What each of its windows holds of them, in order.
        """
        number, second = len(self._lengths), document.second or []
        for cut in cuts:
            part = document.first[cut.first]
            part_of_second = second[cut.second] if cut.second is not None else []
            self._add_ids(part, part_of_second)
            if document.words is not None:
                self._add_words(document.words, cut.first)
            self._window_lengths.append(len(part) + len(part_of_second) + self._frame.num_special)
        self._documents.extend([number] * len(cuts))
        self._lengths.append(len(document.first) + len(second) + self._frame.num_special)
        self._lost.append(
            _lost(len(document.first), [cut.first for cut in cuts])
            + _lost(len(second), [cut.second for cut in cuts if cut.second is not None])
        )
        self._num_words.append(document.num_words)
        if len(self._input_ids.values) > _FLUSH_AT:
            for column in self._columns():
                column.flush()

    def _columns(self) -> list[_Column]:
        columns = (self._input_ids, self._types, self._words, self._first_pieces)
        return [column for column in columns if column is not None]

    def _add_ids(self, first: list[int], second: list[int]) -> None:
        frame = self._frame
        ids = self._input_ids.values
        ids += frame.prefix.ids
        ids += first
        ids += frame.middle.ids
        ids += second
        ids += frame.suffix.ids
        if self._types is not None:
            types = self._types.values
            types += frame.prefix.type_ids
            types += [frame.first_type] * len(first)
            types += frame.middle.type_ids
            types += [frame.second_type] * len(second)
            types += frame.suffix.type_ids

    def _add_words(self, words: list[int], part: slice) -> None:
        if self._words is None or self._first_pieces is None:
            raise TypeError("a document with words was added to a builder without them")
        before, after = len(self._frame.prefix.ids), len(self._frame.suffix.ids)
        held = words[part]
        previous = [words[part.start - 1] if part.start else -1, *held]
        self._words.values += [-1] * before + held + [-1] * after
        self._first_pieces.values += [False] * before
        self._first_pieces.values += [a != b for a, b in zip(previous, held, strict=False)]
        self._first_pieces.values += [False] * after

    def build(self) -> Encoded:
        """Return all windows added so far."""
        offsets = offsets_of(self._window_lengths)
        documents = np.array(self._documents, dtype=np.int64)
        words = first_pieces = num_words = word_seen = None
        if self._words is not None and self._first_pieces is not None:
            words, first_pieces = self._words.array(), self._first_pieces.array()
            num_words = np.array(self._num_words, dtype=np.int64)
            word_seen = np.zeros(num_words.sum(), dtype=np.bool_)
            first_rows = np.repeat(offsets_of(num_words)[documents], np.diff(offsets))
            word_seen[(first_rows + words)[first_pieces]] = True
        return Encoded(
            input_ids=self._input_ids.array(),
            token_type_ids=None if self._types is None else self._types.array(),
            offsets=offsets,
            documents=documents,
            lengths=np.array(self._lengths, dtype=np.int64),
            lost=np.array(self._lost, dtype=np.int64),
            words=words,
            first_pieces=first_pieces,
            num_words=num_words,
            word_seen=word_seen,
        )


def _lost(length: int, parts: list[slice]) -> int:
    """Return how many of a text's pieces are in none of its parts, which stand in order."""
    held = end = 0
    for part in parts:
        held += max(0, part.stop - max(part.start, end))
        end = max(end, part.stop)
    return length - held
