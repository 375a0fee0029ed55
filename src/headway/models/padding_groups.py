"""How a batch is padded where it can't be packed: in a few groups of like lengths, each padded by itself."""

from __future__ import annotations

from collections.abc import Sequence

from headway.models.length_groups import group_lengths

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
