"""Whether two engines give the same logits, over a grid of lengths and batch sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headway.data.encoded_builder import EncodedBuilder
from headway.data.pieces import Document
from headway.data.windows import Cut

if TYPE_CHECKING:
    from headway.data.store import Encoded
    from headway.data.template import Frame
    from headway.delivery.export import Bounds
    from headway.delivery.predictor import Predictor

MOST_TOKENS = 100_000
"""Tokens of validation that windows are made of, at most."""


@dataclass(frozen=True)
class Agreement:
    """One cell of the grid.

    Attributes:
        length: Tokens of the longest window.
        batch_size: Windows, the others shorter, so that padding is in it.
        absolute: The largest difference of any logit.
        relative: The root of the mean squared difference, over the standard deviation of the reference's
            logits in the whole grid.
        finite: Whether all logits are numbers.
        within: Whether the cell is within the bounds.
    """

    length: int
    batch_size: int
    absolute: float
    relative: float
    finite: bool
    within: bool


def agreement(
    reference: Predictor,
    candidate: Predictor,
    encoded: Encoded,
    *,
    lengths: Sequence[int],
    batch_sizes: Sequence[int],
    bounds: Bounds,
) -> list[Agreement]:
    """Compare the logits of windows.

    Args:
        reference: Whose logits are right.
        candidate: Whose logits are compared.
        encoded: Real windows, whose tokens are put together to ones of each length.
        lengths: Tokens of the longest window of a cell.
        batch_sizes: Windows of a cell.
        bounds: How far they may be apart.
    """
    pair = "text_pair" in reference.spec.columns
    frame = reference.tokenization.template.frame(pair)
    pool = content_tokens(encoded, frame)
    cells = [(length, size) for length in lengths for size in batch_sizes]
    logits = []
    for length, size in cells:
        windows = _windows(pool, frame, encoded, length, size)
        logits.append([_logits(each, windows, size) for each in (reference, candidate)])
    # Of the whole grid: one window's two logits may lie together by chance, and then every error is large.
    spread = _spread(np.concatenate([wanted.ravel() for wanted, _ in logits]))
    return [
        _compared(length, size, wanted=wanted, found=found, spread=spread, bounds=bounds)
        for (length, size), (wanted, found) in zip(cells, logits, strict=True)
    ]


def content_tokens(encoded: Encoded, frame: Frame) -> list[int]:
    """Return the tokens of windows without those that stand around texts.

    Args:
        encoded: At least one window.
        frame: Says which those are.
    """
    special = [*frame.prefix.ids, *frame.middle.ids, *frame.suffix.ids]
    ids = np.asarray(encoded.input_ids[:MOST_TOKENS])
    kept: list[int] = ids[~np.isin(ids, special)].tolist()
    return kept or ids.tolist()


def _windows(pool: Sequence[int], frame: Frame, encoded: Encoded, length: int, size: int) -> Encoded:
    """Return `size` windows, the first of `length` tokens, the last of half as many."""
    words = encoded.words is not None
    builder = EncodedBuilder(frame, token_type_ids=encoded.token_type_ids is not None, words=words)
    tokens = _endless(pool)
    for number in range(size):
        room = max(1 + bool(frame.middle.ids), length - number * (length // (2 * size)) - frame.num_special)
        content = [next(tokens) for _ in range(room)]
        if frame.middle.ids:
            first, second = content[: room // 2], content[room // 2 :]
            whole = Cut(slice(0, len(first)), slice(0, len(second)))
            builder.add(Document(first, second), [whole])
        else:
            spelled = list(range(room)) if words else None  # each piece a word of its own
            builder.add(Document(content, words=spelled, num_words=room * words), [Cut(slice(0, room))])
    return builder.build()


def _endless(pool: Sequence[int]) -> Iterator[int]:
    while True:
        yield from pool


def _logits(predictor: Predictor, windows: Encoded, size: int) -> np.ndarray:
    return predictor.engine.window_logits(windows, batch_size=size).logits.astype(np.float64)


def _spread(values: np.ndarray) -> float:
    """Return the standard deviation, or where all are equal their size."""
    return float(values.std()) or float(np.abs(values).max())


def _compared(
    length: int, size: int, *, wanted: np.ndarray, found: np.ndarray, spread: float, bounds: Bounds
) -> Agreement:
    difference = found - wanted
    absolute = float(np.abs(difference).max())
    relative = float(np.sqrt(np.mean(difference**2)) / spread) if spread else float(absolute > 0)
    finite = bool(np.isfinite(found).all())
    within = finite and (
        (bounds.absolute is None or absolute <= bounds.absolute)
        and (bounds.relative is None or relative <= bounds.relative)
    )
    return Agreement(length, size, absolute, relative, finite, within)
