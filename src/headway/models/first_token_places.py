"""Where the windows of a packed row lie, for a last layer that computes their first tokens alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from headway.models.padding_groups import CALL_TOKENS, PaddedRows, padding_groups

if TYPE_CHECKING:
    from headway.types import Batch

LENGTH_STEP = 8
"""Padded lengths are multiples of it, so that products come in few shapes."""


@dataclass(frozen=True)
class Group:
    """Neighbouring windows of like lengths.

    Attributes:
        windows: Which of the batch.
        rows: The same windows as padded rows.
        seen: (count, 1, length) bool, True where there is a token.
    """

    windows: slice
    rows: PaddedRows
    seen: Tensor


@dataclass(frozen=True)
class FirstTokens:
    """Where the windows of a packed row lie.

    Attributes:
        starts: (num_windows,) int64, the row's place of each window's first token.
        groups: All windows in order, in few groups, so that one long window doesn't pad many short ones.
    """

    starts: Tensor
    groups: tuple[Group, ...]

    @classmethod
    def of(cls, batch: Batch) -> FirstTokens:
        """Return the places of a batch, without asking the device for a number.

        Args:
            batch: Windows end to end.
        """
        call_tokens = CALL_TOKENS["cpu" if batch.cu_seq_lens.device.type == "cpu" else "cuda"]
        sizes = batch.cu_seq_lens.diff()
        groups = []
        for start, stop in padding_groups(batch.lengths, call_tokens=call_tokens):
            length = -(-max(batch.lengths[start:stop]) // LENGTH_STEP) * LENGTH_STEP
            seen = torch.arange(length, device=sizes.device) < sizes[start:stop].unsqueeze(1)
            rows = PaddedRows.of(batch, start, stop, length=length)
            groups.append(Group(slice(start, stop), rows, seen.unsqueeze(1)))
        return cls(batch.cu_seq_lens[:-1], tuple(groups))
