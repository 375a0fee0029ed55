"""Whether a run keeps the features of its frozen layers, and the store that it then reads them from."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.feature_store import NAME, FeatureStore, free_bytes
from headway.models.features import POOLED, STATES, FeatureExtractor
from headway.models.head_calls import pools
from headway.models.heads.cls import ClsHead
from headway.models.heads.token import TokenHead
from headway.processes import all_processes
from headway.teacher import needs_teacher

if TYPE_CHECKING:
    import torch
    from torch import nn

    from headway.data.datamodule import DataModule
    from headway.data.text_data import TextData
    from headway.models.architecture import Architecture
    from headway.models.encoder import Encoder

log = logging.getLogger(__name__)
SHARE = 0.25
"""Of the free disk that `keep_features: auto` takes for tokens' states; a vector a window is always kept."""


@dataclass(frozen=True)
class Keeping:
    """Whether a run keeps features.

    Attributes:
        kind: "pooled" (a vector a window) or "states" (one a token); None: they are computed in every epoch.
        heads_only: Whether what trains is one of headway's own heads on them, and nothing else.
        reason: Why they aren't kept, for the log; "" where nothing is frozen.
        size: Bytes on the disk at most.
    """

    kind: str | None
    heads_only: bool = False
    reason: str = ""
    size: int = 0


def decide(
    cfg: Mapping[str, Any], head: nn.Module, *, data: TextData, loaders: DataModule, facts: Architecture
) -> Keeping:
    """Return whether a run keeps features; nothing is computed.

    Args:
        cfg: The resolved config.
        head: Built.
        data: Read and encoded.
        loaders: Of its batches.
        facts: The encoder's measures.
    """
    backbone, wish = cfg["backbone"], cfg["keep_features"]
    if backbone["trainable"] == "all":
        return Keeping(None)
    processes = all_processes(cfg["trainer"])
    if processes > 1:
        return Keeping(None, reason=f"{processes} processes train, each with its share of the windows")
    frozen = backbone["trainable"] == "none"
    if backbone["last_n"] == facts.num_layers:
        return Keeping(None, reason="no whole layer is frozen")
    if wish is False:
        return Keeping(None, reason="keep_features is false")
    if backbone["compile"]:
        return Keeping(None, reason="a compiled model isn't cut")
    windows = data.encoded["train"].num_windows
    if wish == "auto" and not loaders.sees(windows, max_epochs=cfg["trainer"]["max_epochs"]):
        return Keeping(None, reason=f"training sees fewer windows than the {windows} there are")
    kind = POOLED if frozen and pools(head) else STATES
    encoded = data.encoded.values()
    size = (
        4
        * facts.hidden_size
        * sum(each.num_windows if kind == POOLED else each.num_tokens for each in encoded)
    )
    if kind == STATES and wish == "auto" and size > SHARE * free_bytes(Path(cfg["cache_dir"])):
        why = f"tokens' states take up to {size / 1e9:.1f} GB, over {SHARE:.0%} of the free disk"
        return Keeping(None, reason=why)
    own = type(head) in (ClsHead, TokenHead) and not needs_teacher(cfg)  # a HeadTuner's rows have no teacher
    return Keeping(kind, heads_only=frozen and own, size=size)


def open_store(
    encoder: Encoder,
    head: nn.Module,
    keeping: Keeping,
    *,
    cfg: Mapping[str, Any],
    data: TextData,
    loaders: DataModule,
    device: torch.device,
    precision: str,
    context: Callable[[], AbstractContextManager[Any]],
) -> FeatureStore | None:
    """Return the store of a run whose features are kept, and let the loaders read from it.

    Args:
        encoder: On its device.
        head: Likewise.
        keeping: What `decide` returned.
        cfg: The resolved config.
        data: Encoded.
        loaders: Get the features.
        device: Where the encoder is.
        precision: Lightning's name of what it computes in.
        context: Makes the block in which it does.

    Returns:
        The store; None where the features aren't kept after all, which the log says.
    """
    if keeping.kind is None:
        if keeping.reason:
            log.info("features of frozen layers are not kept: %s", keeping.reason)
        return None
    extractor = FeatureExtractor(encoder, head)
    cache_dir = Path(cfg["cache_dir"]) / NAME
    store = FeatureStore(
        extractor,
        data=data,
        batches=loaders.plain_batches,
        device=device,
        precision=precision,
        context=context,
        cache_dir=cache_dir,
    )
    if not encoder.frozen:
        batch = next(loaders.plain_batches("train")).to(device)
        with context():
            differs = extractor.differs(batch, extractor(batch))
        if differs:
            log.info("features of frozen layers are not kept: this model's layers can't be run apart")
            return None
    loaders.use_features(store)
    return store
