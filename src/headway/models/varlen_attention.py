"""Attention within windows by one kernel for all lengths: torch's varlen attention, on a CUDA device.

It couldn't be run where this was written: which calls it takes, and what it is called with, is tested with a
plain function in its place; its speed and its last digits are not known.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

LARGEST_HEAD = 256
"""Flash attention's bound on head_size, which must be a multiple of 8 too."""


def takes_varlen(query: Tensor, *, dropout: float) -> bool:
    """Say whether the varlen kernel computes a layer's attention; else there is a call a distinct length.

    Args:
        query: (..., head_size).
        dropout: Share of attention weights dropped; the kernel has none, so a model that trains with dropout
            of its attention is served in validation, test and prediction only.
    """
    head_size = query.shape[-1]
    return (
        query.device.type == "cuda"
        and query.dtype in (torch.bfloat16, torch.float16)
        and dropout == 0
        and head_size <= LARGEST_HEAD
        and head_size % 8 == 0
    )


def attend_varlen(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    starts: Tensor,
    lengths: Sequence[int],
    scale: float | None,
    sliding_window: int | None,
) -> Tensor:
    """Attend within each window.

    Args:
        query: (num_tokens, num_heads, head_size) bfloat16 or float16.
        key: (num_tokens, num_key_heads, head_size).
        value: As key.
        starts: (num_windows + 1,) int32, where each window starts and ends.
        lengths: Distinct lengths of the windows, on the host.
        scale: Of the scores; None: 1 / sqrt(head_size).
        sliding_window: Distances below it are seen, to both sides; None: all.

    Returns:
        (num_tokens, num_heads, head_size).
    """
    from torch.nn.attention.varlen import varlen_attn

    reach = -1 if sliding_window is None else sliding_window - 1
    longest = max(lengths)
    attended = varlen_attn(
        query,
        key,
        value,
        starts,
        starts,
        longest,
        longest,
        scale=scale,
        window_size=(reach, reach),
        enable_gqa=key.shape[1] != query.shape[1],
    )
    if isinstance(attended, tuple):  # only where more than the attended values is asked for
        raise TypeError("varlen_attn must return a tensor")
    return attended
