"""How a batch is padded where it can't be packed: in a few groups of like lengths, each padded by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from headway.models.length_groups import group_lengths, token_positions
from headway.types import Batch

CALL_TOKENS = {"cpu": 64, "cuda": 4096}
"""Tokens that take as long as a further call of the model costs by itself; estimates. On a GPU a small call
takes as long as a large one."""


def padding_groups(lengths: Sequence[int], *, call_tokens: int) -> list[tuple[int, int]]:
    """Return the groups of neighbouring windows that cost least to compute.

    A group costs its windows times its longest one, and `call_tokens` more.

    Args:
        lengths: Tokens of each window, sorted.
        call_tokens: Tokens that a call costs beside its own.

    Returns:
        (first window, one past the last) of each group, in order.
    """
    runs = group_lengths(lengths)
    starts = [0]
    for _, count in runs:
        starts.append(starts[-1] + count)
    # Least cost of the first runs, and where the last of their groups begins: the cheapest of all cuts.
    least, begins = [0], [0]
    for stop in range(1, len(runs) + 1):
        longest, best, begin = 0, -1, 0
        for start in range(stop - 1, -1, -1):
            longest = max(longest, runs[start][0])
            cost = least[start] + (starts[stop] - starts[start]) * longest + call_tokens
            if best < 0 or cost < best:
                best, begin = cost, start
        least.append(best)
        begins.append(begin)
    groups, stop = [], len(runs)
    while stop:
        groups.append((starts[begins[stop]], starts[stop]))
        stop = begins[stop]
    return groups[::-1]


def bucketed_length(longest: int, *, limit: int) -> int:
    """Return the length that rows are padded to where a compiled model wants few shapes: four a doubling.

    Args:
        longest: Tokens of the longest window.
        limit: Tokens that a window may hold.

    Returns:
        16, 20, 24, 28, 32, 40, ...: at most a quarter more above 16; the limit where that is less.
    """
    step = max(4, 1 << ((longest - 1).bit_length() - 3)) if longest > 16 else 16
    return max(longest, min(limit, -(-longest // step) * step))


@dataclass(frozen=True)
class PaddedRows:
    """Neighbouring windows of a batch as rows of one length.

    Attributes:
        tokens: The batch's tokens that are in them.
        places: (num_tokens,) int64, each token's place in (count * length,).
        count: Windows.
        length: Of each row.
    """

    tokens: slice
    places: Tensor
    count: int
    length: int

    @classmethod
    def of(cls, batch: Batch, start: int, stop: int, *, length: int) -> PaddedRows:
        """Return the rows of the windows from start to before stop, without asking the device for a number.

        Args:
            batch: Windows end to end.
            start: First window.
            stop: One past the last.
            length: At least the longest window's.
        """
        lengths, first = batch.lengths[start:stop], sum(batch.lengths[:start])
        num_tokens = sum(lengths)
        cu_seq_lens = batch.cu_seq_lens[start : stop + 1] - first
        positions = token_positions(cu_seq_lens, num_tokens)
        windows = torch.arange(len(lengths), device=positions.device)
        rows = torch.repeat_interleave(windows, cu_seq_lens.diff(), output_size=num_tokens)
        return cls(slice(first, first + num_tokens), rows * length + positions, len(lengths), length)

    def spread(self, values: Tensor, fill: int = 0) -> Tensor:
        """Return (num_tokens, ...) values as (count, length, ...), `fill` where there is no token."""
        flat = values.new_full((self.count * self.length, *values.shape[1:]), fill)
        return flat.index_copy_(0, self.places, values).view(self.count, self.length, *values.shape[1:])

    def gather(self, states: Tensor) -> Tensor:
        """Return (count, length, hidden_size) states as (num_tokens, hidden_size)."""
        return states.reshape(self.count * self.length, -1).index_select(0, self.places)
