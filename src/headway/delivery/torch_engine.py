"""Logits of windows from the encoder itself, in torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from headway.data.collator import WindowBatches
from headway.data.plans import plan_evaluation
from headway.models.head_calls import head_logits
from headway.models.rows import concatenate, window_logits

if TYPE_CHECKING:
    from torch import nn

    from headway.data.store import Encoded
    from headway.models.encoder import Encoder
    from headway.types import WindowLogits

AUTOCAST = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
"""Lightning's name of a precision -> the type that it computes in."""


class TorchEngine:
    """Computes on the device, in the layout and the precision of the test that was scored.

    Args:
        encoder: With its weights.
        head: With its weights.
        precision: Lightning's name of it.
        device: Where to compute.

    Attributes:
        max_positions: Tokens that the model can read at once.
    """

    def __init__(self, encoder: Encoder, head: nn.Module, *, precision: str, device: str = "cpu") -> None:
        self.max_positions = encoder.max_positions
        self._encoder = encoder.eval().to(device)
        self._head = head.eval().to(device)
        self._device = device
        self._kind = torch.device(device).type
        half = AUTOCAST.get(precision)
        # float16 is trained on a GPU; without one, float32 is nearer to it than anything a CPU has.
        self._half = None if half is torch.float16 and self._kind == "cpu" else half

    def window_logits(self, encoded: Encoded, *, batch_size: int) -> WindowLogits:
        """Return the logits of windows, or of the first piece of each word in them.

        Args:
            encoded: At least one window.
            batch_size: Windows a batch.
        """
        token_level = bool(self._head.token_level)
        dataset = WindowBatches(encoded, None, token_level=token_level)
        rows = []
        with (
            torch.inference_mode(),
            torch.autocast(self._kind, self._half, enabled=self._half is not None),
        ):
            for plan in plan_evaluation(encoded.window_lengths, batch_size=batch_size):
                batch = dataset[plan].to(self._device)
                logits = head_logits(self._head, self._encoder, batch)
                rows.append(window_logits(logits, batch, token_level=token_level))
        return concatenate(rows)
