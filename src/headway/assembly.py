"""From config nodes to the objects of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.config.build import build
from headway.config.check import monitored
from headway.task_check import check_task
from headway.types import ConfigError

if TYPE_CHECKING:
    import pytorch_lightning as pl

    from headway.data.datamodule import DataModule
    from headway.data.text_data import TextData
    from headway.evaluation.aggregation import Aggregation
    from headway.evaluation.decoding import Decoding
    from headway.evaluation.evaluator import Evaluator
    from headway.models.backbone import Backbone
    from headway.models.module import FineTuner
    from headway.tracking.checkpoints import BestCheckpoint


def build_data(cfg: dict[str, Any]) -> TextData:
    """Build the data node; nothing is read.

    Args:
        cfg: The resolved config.

    Raises:
        ConfigError: A value is wrong, or a part of the task is for other answers than the data hold.
    """
    target = build(cfg["task"]["target"], key="task.target")
    check_task(cfg, role=target.role)
    data: TextData = build(cfg["data"], key="data", target=target)
    return data


def build_backbone(cfg: dict[str, Any]) -> Backbone:
    """Build the backbone's description; no weights are loaded.

    Args:
        cfg: The resolved config.
    """
    backbone: Backbone = build(cfg["backbone"], key="backbone", cache_dir=cfg["cache_dir"])
    return backbone


def encode_data(data: TextData, backbone: Backbone, tokenizer: Any) -> None:
    """Encode what was read for a backbone.

    Args:
        data: Read.
        backbone: Whose config says which inputs and how many positions there are.
        tokenizer: The backbone's.
    """
    facts = backbone.architecture()
    data.encode(tokenizer, token_type_ids="token_type_ids" in facts.inputs, model_limit=facts.max_positions)


def build_evaluator(
    cfg: dict[str, Any],
    data: TextData,
    split: str,
    *,
    decoding: Decoding | None = None,
    aggregation: Aggregation | None = None,
) -> Evaluator:
    """Return what scores a split.

    Args:
        cfg: The resolved config.
        data: Read.
        split: "train", "validation" or "test".
        decoding: A fitted one; None builds the task's, and on validation fits it each time.
        aggregation: What puts windows together; None builds the task's.
    """
    from headway.evaluation.document import blank_document
    from headway.evaluation.evaluator import Evaluator

    task = cfg["task"]
    used_decoding = decoding or build(
        task["decoding"], key="task.decoding", label_names=list(data.label_names)
    )
    used_decoding(blank_document(max(1, len(data.label_names))))  # refuses thresholds for other labels
    return Evaluator(
        data.gold[split],
        aggregation=aggregation
        or build(task["aggregation"], key="task.aggregation", activation=type(used_decoding).activation),
        decoding=used_decoding,
        metrics=build(task["metrics"], key="task.metrics"),
        label_names=data.label_names,
        fit_decoding=decoding is None and split == "validation",
    )


def build_module(
    cfg: dict[str, Any], data: TextData, backbone: Backbone, *, num_processes: int = 1
) -> tuple[FineTuner, DataModule, int]:
    """Build what trains; the backbone's weights are loaded last, so that a wrong value costs nothing.

    Args:
        cfg: The resolved config.
        data: Read and encoded.
        backbone: The encoder's description.
        num_processes: That train together.

    Returns:
        The module, its loaders, and the optimizer steps of the whole training.

    Raises:
        ConfigError: The head, the loss or the pooling doesn't fit the task or the backbone.
    """
    from headway.data.datamodule import DataModule
    from headway.models.module import FineTuner

    trainer = cfg["trainer"]
    accumulate = trainer["accumulate_grad_batches"]
    loaders = DataModule(
        data,
        batching=build(cfg["batching"], key="batching"),
        data_seed=cfg["data_seed"],
        accumulate=accumulate,
        limit_train_batches=trainer["limit_train_batches"],
        max_steps=trainer["max_steps"],
    )
    total_steps = loaders.steps_before(trainer["max_epochs"], num_processes=num_processes)
    num_labels = max(1, len(data.label_names))
    loss = build(cfg["task"]["loss"], key="task.loss", num_labels=num_labels, class_counts=data.class_counts)
    head = _build_head(cfg, data, backbone, num_labels=num_labels)
    encoder = backbone.load_encoder()
    encoder.keep_pooler(wanted=head.uses_pooler)
    module = FineTuner(
        encoder=encoder,
        head=head,
        loss=loss,
        optimizer=build(cfg["optimizer"], key="optimizer"),
        schedule=build(cfg["schedule"], key="schedule"),
        total_steps=total_steps,
        accumulate=accumulate,
        evaluators={"val": build_evaluator(cfg, data, "validation")},
    )
    return module, loaders, total_steps


def _build_head(cfg: dict[str, Any], data: TextData, backbone: Backbone, *, num_labels: int) -> Any:
    """Build the head from the backbone's measures alone, and check that it labels what the data label."""
    facts = backbone.architecture()
    head = build(
        cfg["task"]["head"],
        key="task.head",
        hidden_size=facts.hidden_size,
        num_labels=num_labels,
        initializer_range=facts.initializer_range,
    )
    if head.token_level != data.target.token_level:
        units, option = ("tokens", "token") if data.target.token_level else ("windows", "cls")
        raise ConfigError(
            f"`task.head` must label {units} for data.{data.target.role}, got {type(head).__name__}; set "
            f"task/head={option}"
        )
    return head


def build_trainer(
    cfg: dict[str, Any], folder: Path, *, callbacks: Sequence[pl.Callback] = ()
) -> tuple[pl.Trainer, BestCheckpoint]:
    """Build Lightning's Trainer and the callback that knows the best checkpoint.

    Args:
        cfg: The resolved config.
        folder: The run's folder.
        callbacks: Beside the config's; they are called after those.

    Raises:
        ConfigError: There is no BestCheckpoint among the callbacks, the precision is unknown, or more
            than one process would train.
    """
    from headway.models.precision import resolve_precision
    from headway.tracking.checkpoints import AtomicCheckpointIO, BestCheckpoint
    from headway.tracking.progress import progress_bar

    own = _build_callbacks(cfg, folder)
    best = next((callback for callback in own if isinstance(callback, BestCheckpoint)), None)
    if best is None:
        raise ConfigError(
            "`callbacks.checkpoint` must be a BestCheckpoint: the best epoch is what a run scores"
        )
    node = {
        **cfg["trainer"],
        "limit_train_batches": 1.0,  # the plan is cut already, so that the last step's weight is right
        "precision": resolve_precision(
            cfg["trainer"]["precision"], accelerator=cfg["trainer"]["accelerator"]
        ),
    }
    bar = progress_bar() if node["enable_progress_bar"] else None
    node["enable_progress_bar"] = bar is not None
    logger = None if cfg["logger"] is None else build(cfg["logger"], key="logger", save_dir=folder)
    trainer: pl.Trainer = build(
        node,
        key="trainer",
        callbacks=[*own, *callbacks, *([bar] if bar else [])],
        logger=logger or False,
        plugins=[AtomicCheckpointIO()],
        default_root_dir=folder,
        num_sanity_val_steps=0,
        enable_model_summary=False,
        use_distributed_sampler=False,  # the plans are shared out already; Lightning would cut them again
        reload_dataloaders_every_n_epochs=1,  # batches by tokens differ in number from epoch to epoch
    )
    if trainer.world_size > 1:
        # Batches, steps and metrics are right on several processes; writing one run folder isn't yet.
        raise ConfigError(
            f"`trainer.devices` must come to one process, got {cfg['trainer']['devices']!r}, which makes "
            f"{trainer.world_size}; set trainer.devices=1"
        )
    return trainer, best


def _build_callbacks(cfg: dict[str, Any], folder: Path) -> list[pl.Callback]:
    monitor, mode = monitored(cfg)
    return [
        build(node, key=f"callbacks.{name}", monitor=monitor, mode=mode, dirpath=folder / "checkpoints")
        for name, node in cfg["callbacks"].items()
        if node is not None
    ]
