"""A batch cut into parts of whole windows, which are computed one after the other where memory is short."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import Any

from headway.types import Batch


def num_tokens(batch: Batch) -> int:
    """Return how many tokens a batch holds."""
    return sum(batch.lengths)


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """Cut a batch where its tokens are shared most evenly; each part holds a window at least.

    Args:
        batch: Of two windows or more.
    """
    ends = list(accumulate(batch.lengths))[:-1]
    total = num_tokens(batch)
    cut = min(range(len(ends)), key=lambda place: abs(2 * ends[place] - total)) + 1
    return windows(batch, 0, cut), windows(batch, cut, len(batch.lengths))


def parts(batch: Batch, max_tokens: int | None) -> list[Batch]:
    """Halve a batch, and its halves, until none has more than some tokens or all are single windows.

    Args:
        batch: Any.
        max_tokens: Tokens in a part; None: the batch stays whole.

    Returns:
        The parts in the order of the batch: a function of the two arguments alone, so that a step that is
        computed again is cut as it was.
    """
    if max_tokens is None or num_tokens(batch) <= max_tokens or len(batch.lengths) == 1:
        return [batch]
    return [part for half in halves(batch) for part in parts(half, max_tokens)]


def windows(batch: Batch, start: int, end: int) -> Batch:
    """Return some of a batch's windows as a batch; what its step is divided by stays.

    Args:
        batch: Any.
        start: The first window's place in the batch.
        end: The place after the last one's.
    """
    first, last = sum(batch.lengths[:start]), sum(batch.lengths[:end])

    def cut(values: Any, *, of_tokens: bool) -> Any:
        """Return the rows of the windows, or of their tokens."""
        if values is None:
            return None
        return values[first:last] if of_tokens else values[start:end]

    token_level = batch.words is not None
    # Where each window has one token, both ways to cut are the same.
    token_features = batch.features is not None and len(batch.features) == num_tokens(batch)
    return replace(
        batch,
        input_ids=cut(batch.input_ids, of_tokens=True),
        token_type_ids=cut(batch.token_type_ids, of_tokens=True),
        cu_seq_lens=batch.cu_seq_lens[start : end + 1] - batch.cu_seq_lens[start],
        lengths=batch.lengths[start:end],
        documents=cut(batch.documents, of_tokens=False),
        windows=cut(batch.windows, of_tokens=False),
        words=cut(batch.words, of_tokens=True),
        labels=cut(batch.labels, of_tokens=token_level),
        weights=cut(batch.weights, of_tokens=token_level),
        features=cut(batch.features, of_tokens=token_features),
        teacher_logits=cut(batch.teacher_logits, of_tokens=token_level),
    )
