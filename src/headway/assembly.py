"""From config nodes to the objects of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headway.allocator import settle_memory
from headway.config.build import build
from headway.task_check import check_task
from headway.types import ConfigError

if TYPE_CHECKING:
    from torch import nn

    from headway.data.datamodule import DataModule
    from headway.data.text_data import TextData
    from headway.evaluation.aggregation import Aggregation
    from headway.evaluation.decoding import Decoding
    from headway.evaluation.evaluator import Evaluator
    from headway.models.backbone import Backbone
    from headway.models.encoder import Encoder
    from headway.models.module import FineTuner


def build_data(cfg: dict[str, Any], *, early: bool = False) -> TextData:
    """Build the data node; nothing is read.

    Args:
        cfg: The resolved config.
        early: Whether to import nothing that takes seconds for the checks of the task.

    Raises:
        ConfigError: A value is wrong, or a part of the task is for other answers than the data hold.
    """
    target = build(cfg["task"]["target"], key="task.target")
    check_task(cfg, role=target.role, early=early)
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
    """Encode what was read for a backbone, and settle the memory that reading took.

    Args:
        data: Read.
        backbone: Whose config says which inputs and how many positions there are.
        tokenizer: The backbone's.
    """
    facts = backbone.architecture()
    data.encode(tokenizer, token_type_ids="token_type_ids" in facts.inputs, model_limit=facts.max_positions)
    settle_memory()


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


def build_loaders(cfg: dict[str, Any], data: TextData) -> DataModule:
    """Build what makes batches; a teacher's logits are computed, if the loss learns from one.

    Args:
        cfg: The resolved config.
        data: Read and encoded.

    Raises:
        ConfigError: The teacher knows other labels.
    """
    from headway.data.datamodule import DataModule
    from headway.teacher import needs_teacher, teacher_logits

    return DataModule(
        data,
        batching=build(cfg["batching"], key="batching"),
        data_seed=cfg["data_seed"],
        accumulate=cfg["trainer"]["accumulate_grad_batches"],
        limit_train_batches=cfg["trainer"]["limit_train_batches"],
        max_steps=cfg["trainer"]["max_steps"],
        teacher=teacher_logits(cfg, data) if needs_teacher(cfg) else None,
    )


def build_tuner(
    cfg: dict[str, Any],
    data: TextData,
    backbone: Backbone,
    *,
    head: Any,
    total_steps: int,
    heads_only: bool = False,
    encoder: Encoder | None = None,
) -> FineTuner:
    """Build what trains; the backbone's weights are loaded last, so that a wrong value costs nothing.

    Args:
        cfg: The resolved config.
        data: Read and encoded.
        backbone: The encoder's description.
        head: What `build_head` returned.
        total_steps: Optimizer steps of the whole training.
        heads_only: Whether a linear head on kept features is all that trains.
        encoder: A frozen one that other trials use too; None loads one.

    Raises:
        ConfigError: The loss or the pooling doesn't fit the task or the backbone.
    """
    from headway.models.head_tuner import HeadTuner
    from headway.models.module import FineTuner

    loss = build_loss(cfg, data)
    encoder = encoder or backbone.load_encoder()
    encoder.keep_pooler(wanted=head.uses_pooler)
    return (HeadTuner if heads_only else FineTuner)(
        encoder=encoder,
        head=head,
        loss=loss,
        optimizer=build(cfg["optimizer"], key="optimizer"),
        schedule=build(cfg["schedule"], key="schedule"),
        total_steps=total_steps,
        accumulate=cfg["trainer"]["accumulate_grad_batches"],
        evaluators={"val": build_evaluator(cfg, data, "validation")},
    )


def build_module(
    cfg: dict[str, Any], data: TextData, backbone: Backbone, *, num_processes: int = 1
) -> tuple[FineTuner, DataModule, int]:
    """Build what trains in batches, and what makes them.

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
    loaders = build_loaders(cfg, data)
    total_steps = loaders.steps_before(cfg["trainer"]["max_epochs"], num_processes=num_processes)
    head = build_head(cfg, data, backbone)
    return build_tuner(cfg, data, backbone, head=head, total_steps=total_steps), loaders, total_steps


def build_loss(cfg: dict[str, Any], data: TextData) -> nn.Module:
    """Build the loss.

    Args:
        cfg: The resolved config.
        data: Read; its labels may weigh in.

    Raises:
        ConfigError: It doesn't fit the labels.
    """
    loss: nn.Module = build(
        cfg["task"]["loss"],
        key="task.loss",
        num_labels=max(1, len(data.label_names)),
        class_counts=data.class_counts,
    )
    return loss


def build_head(cfg: dict[str, Any], data: TextData, backbone: Backbone) -> Any:
    """Build the head from the backbone's measures alone.

    Args:
        cfg: The resolved config; its seed alone decides the fresh weights.
        data: Read.
        backbone: The encoder's description.

    Raises:
        ConfigError: The head doesn't label what the data label.
    """
    import torch

    facts = backbone.architecture()
    torch.manual_seed(cfg["seed"])
    head = build(
        cfg["task"]["head"],
        key="task.head",
        hidden_size=facts.hidden_size,
        num_labels=max(1, len(data.label_names)),
        initializer_range=facts.initializer_range,
    )
    if head.token_level != data.target.token_level:
        units, option = ("tokens", "token") if data.target.token_level else ("windows", "cls")
        raise ConfigError(
            f"`task.head` must label {units} for data.{data.target.role}, got {type(head).__name__}; set "
            f"task/head={option}"
        )
    return head
