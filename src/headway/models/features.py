"""What a backbone's frozen layers make of windows: the same in every epoch and trial, so computed once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

from headway.models.head_calls import pooled, pools
from headway.models.tensor_digest import tensor_digest

if TYPE_CHECKING:
    from headway.models.encoder import Encoder
    from headway.models.heads.cls import ClsHead
    from headway.types import Batch

POOLED, STATES = "pooled", "states"
TOLERANCE = 1e-3
"""Of the upper layers' states, relative to the largest, between one pass and two; bfloat16 rounds to 4e-3."""


class FeatureExtractor:
    """Gives the features of batches: what the trained part of a model takes in.

    A frozen encoder under a ClsHead gives a vector a window; under any other head, and below the last layers
    that train, each token's state.

    Args:
        encoder: With frozen layers.
        head: Takes the features.

    Attributes:
        kind: "pooled" or "states".

    Raises:
        ValueError: The encoder has no frozen layers.
    """

    def __init__(self, encoder: Encoder, head: nn.Module) -> None:
        if encoder.frozen_depth < 1:
            raise ValueError("features need an encoder with frozen layers")
        self._encoder = encoder
        self._head = head
        self.kind = POOLED if encoder.frozen and pools(head) else STATES

    def __call__(self, batch: Batch) -> Tensor:
        """Return the features of a batch.

        Args:
            batch: On the encoder's device.

        Returns:
            (num_windows, hidden_size) float32 if pooled; else (num_tokens, hidden_size) in the type that the
            layers compute.
        """
        with torch.no_grad():
            if self.kind == STATES:
                return self._encoder.frozen_states(batch)
            return pooled(cast("ClsHead", self._head), self._encoder, batch).float()

    def differs(self, batch: Batch, features: Tensor) -> bool:
        """Return whether the upper layers make something else of kept features than of the windows.

        Some families' layers do what depends on their place in the list, which a cut list hides (a
        convolution after DeBERTa-v2's first layer, for one).

        Args:
            batch: Any.
            features: Its features.
        """
        training = self._encoder.training
        self._encoder.eval()
        try:
            with torch.no_grad():
                whole = self._encoder(batch).float()
                parts = self._encoder(replace(batch, features=features)).float()
        finally:
            self._encoder.train(training)
        return bool((whole - parts).abs().max() > TOLERANCE * whole.abs().max())

    def digest(self) -> str:
        """Return the sha256 of all that decides the features but the windows and the precision."""
        encoder = self._encoder
        config = encoder.model.config.to_diff_dict()
        for name in ("_name_or_path", "transformers_version", "architectures", "torch_dtype", "dtype"):
            config.pop(name, None)
        decisive = [
            config,
            type(encoder.model).__name__,
            encoder.layout,
            encoder.frozen_depth,
            self.kind,
            (self._head.pooling, encoder.trims and self._head.reads_first) if self.kind == POOLED else None,
        ]
        decisive.append(tensor_digest(_frozen_tensors(encoder)))
        return hashlib.sha256(json.dumps(decisive, sort_keys=True, default=str).encode()).hexdigest()


def _frozen_tensors(encoder: Encoder) -> dict[str, Tensor]:
    """Return what frozen layers compute with: parameters that don't train, and buffers."""
    frozen = {name: value for name, value in encoder.model.named_parameters() if not value.requires_grad}
    return {**frozen, **dict(encoder.model.named_buffers())}


def to_array(features: Tensor) -> np.ndarray:
    """Return features as an array that numpy can write.

    Args:
        features: Of a float type.

    Returns:
        The same shape; bfloat16, which numpy lacks, as the uint16 of its bits.
    """
    on_host = features.detach().cpu()
    if on_host.dtype == torch.bfloat16:
        return on_host.view(torch.int16).numpy().view(np.uint16)
    array: np.ndarray = on_host.numpy()
    return array


def to_tensor(array: np.ndarray) -> Tensor:
    """Return what `to_array` was given.

    Args:
        array: Any shape; uint16 holds bfloat16's bits.
    """
    if array.dtype == np.uint16:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)
