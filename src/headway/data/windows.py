"""Where documents are cut into windows: arithmetic on numbers of pieces."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from headway.types import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from headway.data.encoding import EncodingSpec
    from headway.data.pieces import Document

WINDOWS = "windows"
"""The value of data.truncation under which nothing is cut off."""


class Cut(NamedTuple):
    """What one window holds of a document.

    Attributes:
        first: The pieces of the text, or of the first text of a pair.
        second: The pieces of the second text of a pair; None for single texts.
    """

    first: slice
    second: slice | None = None


def slide(length: int, *, room: int, overlap: int) -> list[slice]:
    """Return windows over a text, from its start to its end; each but the last is full.

    Args:
        length: Pieces of the text.
        room: Pieces that a window holds at most.
        overlap: Pieces that neighbouring windows share, in [0, room).

    Returns:
        The windows in order, one at least; together they hold every piece.
    """
    step = room - overlap
    last = max(0, -(-(length - room) // step))  # the windows after the first: ceil((length - room) / step)
    return [slice(start, min(start + room, length)) for start in range(0, last * step + 1, step)]


def slide_words(words: Sequence[int], *, room: int, overlap: int) -> list[slice]:
    """Return windows over the pieces of a document's words, cut between words only.

    A word with more pieces than a window holds stands alone in one, with its first pieces; the others are
    in no window.

    Args:
        words: (length,) the word that each piece belongs to, never falling.
        room: Pieces that a window holds at most.
        overlap: Pieces that neighbouring windows share at most, in [0, room); fewer are shared where a word
            would be split, or where the next word would not fit.

    Returns:
        The windows in order, one at least; each holds a word that the one before does not.
    """
    length = len(words)
    if length <= room:
        return [slice(0, length)]
    # Where words start, and the end of the last one.
    borders = [0, *(place for place, (a, b) in enumerate(pairwise(words), 1) if a != b), length]
    windows: list[slice] = []
    first = after = 0  # places in borders: the window's first word, and the word after its last one
    while True:
        while after + 1 < len(borders) and borders[after + 1] - borders[first] <= room:
            after += 1
        if after == first:  # the word alone exceeds the window
            after += 1
        windows.append(slice(borders[first], min(borders[after], borders[first] + room)))
        if borders[after] == length:
            return windows
        # The next word has to fit, else the next window would hold nothing new.
        earliest = max(borders[after] - overlap, borders[after + 1] - room)
        first += 1
        while first < after and borders[first] < earliest:
            first += 1


def _longest_first(first: int, second: int, room: int) -> tuple[int, int]:
    """Take from the longer text until both are equally long, then from both; the longer keeps an odd piece.

    Source: `truncate_encodings` in the tokenizers library, whose result this is.
    """
    shorter, longer = sorted((first, second))
    longer = max(shorter, room - shorter)
    if shorter + longer > room:
        shorter, longer = room // 2, room - room // 2
    return (longer, shorter) if first > second else (shorter, longer)


def _only_first(_: int, second: int, room: int) -> tuple[int, int]:
    return room - second, second


def _only_second(first: int, _: int, room: int) -> tuple[int, int]:
    return first, room - first


STRATEGIES: Mapping[str, Callable[[int, int, int], tuple[int, int]]] = {
    "longest_first": _longest_first,
    "only_first": _only_first,
    "only_second": _only_second,
}
"""Truncation by name: (first, second, room) to the pieces kept of each; less than 1 where it cannot be done.

Called only where first + second > room; a single text has second = 0."""


def cut(document: Document, spec: EncodingSpec, *, num_special: int, side: str) -> list[Cut]:
    """Return what each window of a document holds.

    Args:
        document: The document's pieces.
        spec: A spec that `headway.data.encoding.validate` accepts.
        num_special: Special tokens of each window.
        side: The end that truncation cuts: "right" or "left".

    Returns:
        The windows in order, one at least.

    Raises:
        DataError: A pair's shorter text alone fills the window, or nothing would be left of one that is
            truncated, or there is no token at all.
    """
    first, second = len(document.first), len(document.second or ())
    room, pair = spec.max_length - num_special, document.second is not None
    if first + second + num_special == 0:
        raise DataError("the text must give a token, got none with this tokenizer; drop the row")
    if first + second <= room:
        return [Cut(slice(0, first), slice(0, second) if pair else None)]
    if spec.truncation != WINDOWS:
        return [_truncate(first, second, spec, room=room, side=side)]
    if pair:
        return _pair_windows(first, second, spec, room=room)
    if document.words is not None:
        return [Cut(part) for part in slide_words(document.words, room=room, overlap=spec.overlap)]
    return [Cut(part) for part in slide(first, room=room, overlap=spec.overlap)]


def _truncate(first: int, second: int, spec: EncodingSpec, *, room: int, side: str) -> Cut:
    kept, kept_second = STRATEGIES[spec.truncation](first, second, room)
    for name, other, whole, left in (
        ("text_pair", second, first, kept),
        ("text", first, second, kept_second),
    ):
        if left < min(1, whole):  # no room beside the other text; a text that was empty may stay so
            raise DataError(
                f"{name} must have fewer than {room} tokens for max_length={spec.max_length} and "
                f"truncation={spec.truncation}, got {other}; raise data.max_length or set "
                "data.truncation=longest_first"
            )
    return Cut(_keep(first, kept, side), _keep(second, kept_second, side))


def _keep(length: int, kept: int, side: str) -> slice:
    return slice(length - kept, length) if side == "left" else slice(0, kept)


def _pair_windows(first: int, second: int, spec: EncodingSpec, *, room: int) -> list[Cut]:
    """Spread the longer text (of equal ones the second) over windows that all hold the whole shorter one."""
    shorter = min(first, second)
    if room - shorter <= spec.overlap:
        name = "text" if first <= second else "text_pair"
        raise DataError(
            f"{name}, the shorter text of the pair, must have fewer than {room - spec.overlap} tokens for "
            f"windows of max_length={spec.max_length} with overlap={spec.overlap}, got {shorter}; raise "
            "data.max_length, lower data.overlap or set data.truncation=longest_first"
        )
    parts = slide(max(first, second), room=room - shorter, overlap=spec.overlap)
    whole = slice(0, shorter)
    return [Cut(whole, part) if first <= second else Cut(part, whole) for part in parts]
