"""From the trainer's and the callbacks' nodes to Lightning's Trainer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.config.build import build
from headway.config.check import OWN_KEYS, monitored
from headway.processes import process_rank
from headway.types import ConfigError

if TYPE_CHECKING:
    import pytorch_lightning as pl
    import torch

    from headway.tracking.checkpoints import BestCheckpoint


def build_trainer(
    cfg: dict[str, Any],
    folder: Path,
    *,
    heads_only: bool = False,
    callbacks: Sequence[pl.Callback] = (),
) -> tuple[pl.Trainer, BestCheckpoint]:
    """Build Lightning's Trainer and the callback that knows the best checkpoint.

    Args:
        cfg: The resolved config.
        folder: The run's folder.
        heads_only: Whether a HeadTuner trains, which clips and accumulates itself.
        callbacks: Beside the config's; they are called after those.

    Raises:
        ConfigError: There is no BestCheckpoint among the callbacks, or the precision is unknown.
    """
    from headway.tracking.checkpoint_io import AtomicCheckpointIO
    from headway.tracking.checkpoints import BestCheckpoint
    from headway.tracking.process_seeds import ProcessSeeds
    from headway.tracking.progress import progress_bar
    from headway.tracking.training_clock import FetchClock, TrainingClock

    clock = TrainingClock()
    own = _build_callbacks(cfg, folder)
    best = next((callback for callback in own if isinstance(callback, BestCheckpoint)), None)
    if best is None:
        raise ConfigError(
            "`callbacks.checkpoint` must be a BestCheckpoint: the best epoch is what a run scores"
        )
    node = _trainer_node(cfg)
    if heads_only:
        node |= {"gradient_clip_val": None, "accumulate_grad_batches": 1}
    bar = progress_bar() if node["enable_progress_bar"] else None
    node["enable_progress_bar"] = bar is not None
    silent = cfg["logger"] is None or process_rank() > 0
    logger = None if silent else build(cfg["logger"], key="logger", save_dir=folder)
    with refusing_devices(node):
        trainer: pl.Trainer = build(
            node,
            key="trainer",
            callbacks=[clock, *own, *callbacks, ProcessSeeds(), *([bar] if bar else [])],
            logger=logger or False,
            profiler=FetchClock(clock),
            plugins=[AtomicCheckpointIO()],
            default_root_dir=folder,
            num_sanity_val_steps=0,
            enable_model_summary=False,
            use_distributed_sampler=False,  # the plans are shared out already; Lightning would cut them again
            reload_dataloaders_every_n_epochs=1,  # batches by tokens differ in number from epoch to epoch
        )
    return trainer, best


@contextmanager
def refusing_devices(node: Mapping[str, Any]) -> Iterator[None]:
    """Say in one line what of a trainer's node Lightning can't do on this machine.

    Args:
        node: The config's `trainer`.

    Raises:
        ConfigError: Lightning refused it.
    """
    from lightning_fabric.utilities.exceptions import MisconfigurationException

    try:
        yield
    except MisconfigurationException as error:
        raise ConfigError(
            f"`trainer` must be what this machine can do, got trainer.accelerator={node['accelerator']}, "
            f"trainer.devices={node['devices']} ({' '.join(str(error).split())}); set it to auto"
        ) from error


def _trainer_node(cfg: dict[str, Any]) -> dict[str, Any]:
    """Return the trainer's node with headway's own words replaced by what Lightning knows."""
    from headway.models.precision import resolve_precision

    trainer = {name: value for name, value in cfg["trainer"].items() if name not in OWN_KEYS["trainer"]}
    return {
        **trainer,
        "limit_train_batches": 1.0,  # the plan is cut already, so that the last step's weight is right
        "precision": resolve_precision(trainer["precision"], accelerator=trainer["accelerator"]),
    }


def _build_callbacks(cfg: dict[str, Any], folder: Path) -> list[pl.Callback]:
    from headway.tracking.step_profile import StepProfile

    monitor, mode = monitored(cfg)
    named = [
        build(node, key=f"callbacks.{name}", monitor=monitor, mode=mode, dirpath=folder / "checkpoints")
        for name, node in cfg["callbacks"].items()
        if node is not None
    ]
    if cfg["trainer"]["profile"] and process_rank() == 0:
        named.append(StepProfile(folder / "profile"))
    return named


def forward_context(
    node: Mapping[str, Any],
) -> tuple[torch.device, str, Callable[[], AbstractContextManager[Any]]]:
    """Return where and how an encoder computes under a trainer's node, without training.

    Args:
        node: The config's `trainer`.

    Returns:
        The device, Lightning's name of the precision, and what makes the block in which it is computed so.
    """
    import pytorch_lightning as pl

    from headway.models.precision import resolve_precision

    with refusing_devices(node):
        trainer = pl.Trainer(
            accelerator=node["accelerator"],
            devices=node["devices"],
            precision=resolve_precision(node["precision"], accelerator=node["accelerator"]),  # type: ignore[arg-type]
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
    return trainer.strategy.root_device, str(trainer.precision), trainer.precision_plugin.forward_context
