"""Flat token rows seen as one dense block per distinct window length: views, no padding, no index, no sync.

Windows of equal length stand together in a batch, so `count` windows of `length` tokens are `count * length`
neighbouring rows, and (count * length, ...) rows are a (count, length, ...) block without a copy. Splitting
all rows at once matters in the backward pass: a split's gradient is one concatenation, a slice's is a tensor
of zeros as large as the whole batch for every distinct length.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor

LengthGroups = tuple[tuple[int, int], ...]
"""(length, count) of every run of equally long windows, in the order of the batch."""


def group_lengths(lengths: Sequence[int]) -> LengthGroups:
    """Return the runs of equal lengths.

    Args:
        lengths: Tokens of each window. Sorted ones give one group a distinct length; unsorted ones are
            grouped rightly too, only into more groups.

    Returns:
        (length, count) of each run.
    """
    return tuple((length, sum(1 for _ in run)) for length, run in groupby(lengths))


def split_groups(rows: Tensor, groups: LengthGroups) -> list[Tensor]:
    """Return a block for each group of windows.

    Args:
        rows: (num_tokens, ...) of any dtype, windows end to end.
        groups: Of the batch.

    Returns:
        A (count, length, ...) view of `rows` for each group.
    """
    if len(groups) == 1:
        length, count = groups[0]
        return [rows.view(count, length, *rows.shape[1:])]
    parts = torch.split(rows, [length * count for length, count in groups])
    return [
        part.view(count, length, *rows.shape[1:]) for part, (length, count) in zip(parts, groups, strict=True)
    ]


def join_groups(blocks: Sequence[Tensor]) -> Tensor:
    """Return blocks end to end again, in one copy or, for a single block, none.

    Args:
        blocks: Each (count, ...).

    Returns:
        (sum of counts, ...).
    """
    return blocks[0] if len(blocks) == 1 else torch.cat(list(blocks))


def token_positions(cu_seq_lens: Tensor, num_tokens: int) -> Tensor:
    """Return each token's place in its window.

    Args:
        cu_seq_lens: (num_windows + 1,) int64.
        num_tokens: In the batch; known on the host, so that no device is asked for it.

    Returns:
        (num_tokens,) int64: 0, 1, 2, 0, 1, ...
    """
    starts = torch.repeat_interleave(cu_seq_lens[:-1], cu_seq_lens.diff(), output_size=num_tokens)
    return torch.arange(num_tokens, device=cu_seq_lens.device) - starts


def filler_tokens(count: int) -> int:
    """Return how many tokens to add to a packed row on a CPU, so that rows come in few lengths.

    oneDNN compiles and keeps a kernel for each shape. Where every step had a length of its own, that took a
    fifth of the time, and memory by the gigabyte.

    Args:
        count: Tokens of the row.

    Returns:
        Tokens up to the next multiple of 1, 2, 4, …, 128: at most a sixteenth of the row.
    """
    multiple = min(128, 1 << max(0, (count // 16).bit_length() - 1))
    return -count % multiple
