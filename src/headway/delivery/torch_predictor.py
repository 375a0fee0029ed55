"""From an artifact's parts in torch to what answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from headway.data.pieces import prepare
from headway.delivery.predictor import Predictor
from headway.delivery.torch_engine import TorchEngine

if TYPE_CHECKING:
    from headway.delivery.loading import Artifact


def torch_predictor(
    artifact: Artifact, *, device: str | None = None, precision: str | None = None
) -> Predictor:
    """Return what answers with an artifact's encoder and head.

    Args:
        artifact: Its parts.
        device: Where to compute, as torch names it; None: "cuda" if there is one, else "cpu".
        precision: Lightning's name of it; None: that of the test that was scored.
    """
    engine = TorchEngine(
        artifact.encoder,
        artifact.head,
        precision=precision or artifact.spec.precision,
        device=device or ("cuda" if torch.cuda.is_available() else "cpu"),
    )
    return Predictor(
        artifact.spec,
        engine=engine,
        aggregation=artifact.aggregation,
        decoding=artifact.decoding,
        tokenization=prepare(artifact.tokenizer),
    )
