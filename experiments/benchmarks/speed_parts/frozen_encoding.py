"""headway's side of encoding texts with a frozen backbone: the one place to change with its interface."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import torch


class FrozenEncoding:
    """Encodes texts with MiniLM, frozen, from text to the mean of the last states.

    Args:
        max_length: Tokens.
        precision: As trainer.precision.
        folder: Where encoded data may lie; each call has a folder of its own, so that nothing is reused.
    """

    def __init__(self, *, max_length: int, precision: str, folder: Path) -> None:
        from headway.assembly import build_backbone
        from headway.models.precision import resolve_precision
        from speed_parts.headway_side import compose

        self.max_length = max_length
        self.folder = folder
        self.bf16 = resolve_precision(precision, accelerator="cpu") == "bf16-mixed"
        self.backbone = build_backbone(compose("backbone.trainable=none"))
        self.tokenizer = self.backbone.load_tokenizer()
        self.encoder = self.backbone.load_encoder().eval()
        self.encoder.keep_pooler(wanted=False)

    def encode(self, texts: list[str]) -> np.ndarray:
        """Return (texts, hidden_size) float32.

        Args:
            texts: Any.
        """
        from headway.data.encoding import EncodingSpec, encode, prepare

        spec = EncodingSpec(
            max_length=self.max_length,
            truncation="longest_first",
            overlap=0,
            subword_labels="first",
            token_type_ids=True,
        )
        encoded = encode(prepare(self.tokenizer), {"text": texts}, spec)
        return self._pooled(encoded)

    def _pooled(self, encoded: object) -> np.ndarray:
        """Return the mean state of each window, in the order of documents."""
        from headway.data.collator import WindowBatches
        from headway.data.plans import plan_evaluation
        from headway.models.heads.cls import ClsHead

        head = ClsHead("mean", hidden_size=self.encoder.hidden_size, num_labels=1)
        head.classifier, head.dropout = torch.nn.Identity(), torch.nn.Identity()
        batches = WindowBatches(encoded, None, token_level=False)  # type: ignore[arg-type]
        vectors = np.empty((len(batches), self.encoder.hidden_size), dtype=np.float32)
        autocast = torch.autocast("cpu", torch.bfloat16) if self.bf16 else contextlib.nullcontext()
        with torch.inference_mode(), autocast:
            for plan in plan_evaluation(encoded.window_lengths, batch_size=64):  # type: ignore[attr-defined]
                batch = batches[plan]
                states = self.encoder(batch)
                vectors[plan.windows] = head(states, batch, self.encoder).float().numpy()
        return vectors
