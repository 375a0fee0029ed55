"""What trains in one run, built and given its features."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.assembly import build_head, build_loaders, build_tuner
from headway.heads_together import SharedStart, train_alone
from headway.keep_features import Keeping, decide, open_store
from headway.models.head_tuner import HeadTuner
from headway.trainer_assembly import build_trainer

if TYPE_CHECKING:
    import pytorch_lightning as pl

    from headway.data.datamodule import DataModule
    from headway.data.text_data import TextData
    from headway.feature_store import FeatureStore
    from headway.models.backbone import Backbone
    from headway.models.encoder import Encoder
    from headway.models.module import FineTuner
    from headway.threads import ThreadChoice
    from headway.tracking.checkpoints import BestCheckpoint

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BuiltRun:
    """What trains, and with what.

    Attributes:
        module: Encoder, head and loss.
        loaders: Of the batches.
        trainer: Lightning's.
        best: Knows the best checkpoint.
        total_steps: Optimizer steps of the whole training.
        keeping: Whether features are kept.
    """

    module: FineTuner
    loaders: DataModule
    trainer: pl.Trainer
    best: BestCheckpoint
    total_steps: int
    keeping: Keeping

    @property
    def parameters(self) -> dict[str, int]:
        """Return how many numbers encoder and head have: those that train ("trained"), and "all"."""
        every = [p for part in (self.module.encoder, self.module.head) for p in part.parameters()]
        trained = sum(p.numel() for p in every if p.requires_grad)
        return {"trained": trained, "all": sum(p.numel() for p in every)}


def build_run(
    cfg: dict[str, Any],
    folder: Path,
    data: TextData,
    backbone: Backbone,
    *,
    encoder: Encoder | None = None,
    callbacks: Sequence[pl.Callback] = (),
) -> BuiltRun:
    """Build all that trains; the weights are loaded last.

    Args:
        cfg: The resolved config.
        folder: The run's folder.
        data: Read and encoded.
        backbone: The encoder's description.
        encoder: A frozen one that other trials use too; None loads one.
        callbacks: Lightning's, beside those of the config.

    Raises:
        ConfigError: Parts don't go together.
    """
    loaders = build_loaders(cfg, data)
    head = build_head(cfg, data, backbone)
    keeping = decide(cfg, head, data=data, loaders=loaders, facts=backbone.architecture())
    trainer, best = build_trainer(cfg, folder, heads_only=keeping.heads_only, callbacks=callbacks)
    total_steps = loaders.steps_before(cfg["trainer"]["max_epochs"], num_processes=trainer.world_size)
    module = build_tuner(
        cfg,
        data,
        backbone,
        head=head,
        total_steps=total_steps,
        heads_only=keeping.heads_only,
        encoder=encoder,
    )
    return BuiltRun(module, loaders, trainer, best, total_steps, keeping)


def use_features(
    cfg: dict[str, Any], built: BuiltRun, data: TextData, *, shared: SharedStart | None
) -> FeatureStore | None:
    """Let the loaders read kept features, where they are kept, and a HeadTuner train on them.

    Args:
        cfg: The resolved config.
        built: What `build_run` returned.
        data: Read and encoded.
        shared: What other trials have computed and trained already.

    Returns:
        The store, or None.

    Raises:
        ConfigError: The disk can't hold them.
    """
    module, trainer, device = built.module, built.trainer, built.trainer.strategy.root_device
    if shared is not None and isinstance(module, HeadTuner):
        built.loaders.use_features(shared.store)
        built.loaders.by_epoch, module.epochs = True, shared.epochs
        return shared.store
    store = open_store(
        module.encoder.to(device),
        module.head.to(device),
        built.keeping,
        cfg=cfg,
        data=data,
        loaders=built.loaders,
        device=device,
        precision=str(trainer.precision),
        context=trainer.precision_plugin.forward_context,
    )
    if isinstance(module, HeadTuner) and store is not None:
        built.loaders.by_epoch = True
        train_alone(cfg, module, store=store, loaders=built.loaders, total_steps=built.total_steps)
    return store


def announce(built: BuiltRun, threads: ThreadChoice) -> None:
    """Say what trains, and how.

    Args:
        built: What trains.
        threads: On the CPU.
    """
    module, processes, parameters = built.module, built.trainer.world_size, built.parameters
    log.info(
        "model: %s, %s layout, %s, %.1f M of %.1f M parameters train",
        type(module.encoder.model).__name__,
        module.encoder.layout,
        built.trainer.precision,
        parameters["trained"] / 1e6,
        parameters["all"] / 1e6,
    )
    if module.encoder.why_not_packed is not None:
        log.info("windows are padded in groups of like lengths: %s", module.encoder.why_not_packed)
    plural = "" if threads.count == 1 else "s"
    log.info(
        "training: %d optimizer steps, %s%d thread%s (%s)",
        built.total_steps,
        f"{processes} processes, each of " if processes > 1 else "",
        threads.count,
        plural,
        threads.reason,
    )
