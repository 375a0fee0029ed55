"""Training of heads on kept features: one run's alone, or those of many trials at once."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headway.assembly import (
    build_backbone,
    build_data,
    build_head,
    build_loaders,
    build_loss,
    encode_data,
)
from headway.config.build import build
from headway.keep_features import decide, open_store
from headway.models.head_plans import HeadPlan, finite, head_plan
from headway.models.head_training import HeadTrainer
from headway.models.heads.linear import LinearHead
from headway.process import prepare_process
from headway.threads import allowed_cores, read_cpus, set_threads
from headway.trainer_assembly import forward_context

if TYPE_CHECKING:
    from torch import nn

    from headway.data.datamodule import DataModule
    from headway.data.text_data import TextData
    from headway.feature_store import FeatureStore
    from headway.models.backbone import Backbone
    from headway.models.encoder import Encoder
    from headway.models.head_plans import Epochs, HeadEpoch
    from headway.models.head_tuner import HeadTuner

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SharedStart:
    """What a run gets of the trials it was trained with.

    Attributes:
        data: Read and encoded.
        backbone: The encoder's description.
        tokenizer: The backbone's.
        encoder: Loaded and frozen.
        store: Of the features.
        epochs: Gives its head after each epoch.
        trials: How many share it all.
    """

    data: TextData
    backbone: Backbone
    tokenizer: Any
    encoder: Encoder
    store: FeatureStore
    epochs: Epochs
    trials: int


def plan_of(
    cfg: Mapping[str, Any], encoder: Encoder, head: LinearHead, *, loss: nn.Module, total_steps: int
) -> HeadPlan:
    """Return how a run's head is trained.

    Args:
        cfg: The run's resolved config.
        encoder: Frozen.
        head: With fresh weights.
        loss: The run's.
        total_steps: Optimizer steps of its whole training.
    """
    return head_plan(
        encoder,
        head,
        loss=loss,
        loss_key=json.dumps(cfg["task"]["loss"], sort_keys=True),
        optimizer=build(cfg["optimizer"], key="optimizer"),
        schedule=build(cfg["schedule"], key="schedule"),
        total_steps=total_steps,
        clip=cfg["trainer"]["gradient_clip_val"],
        seed=cfg["seed"],
    )


def train_alone(
    cfg: Mapping[str, Any],
    module: HeadTuner,
    *,
    store: FeatureStore,
    loaders: DataModule,
    total_steps: int,
) -> None:
    """Let a module's training step train its head epoch by epoch.

    Args:
        cfg: The run's resolved config.
        module: Its module, with fresh weights.
        store: Of the features.
        loaders: Give the epoch's steps.
        total_steps: Optimizer steps of the whole training.
    """
    labels, weights = loaders.training_rows()
    head: Any = module.head
    plan = plan_of(cfg, module.encoder, head, loss=module.loss, total_steps=total_steps)
    trainer = HeadTrainer([plan], features=store("train"), labels=labels, weights=weights)

    def epoch(number: int) -> HeadEpoch:
        """Train one epoch."""
        return finite(trainer.epoch(number, [loaders.row_steps(number)])[0], number)

    module.epochs = epoch
    module.trainer_state = trainer


def train_together(cfgs: Sequence[dict[str, Any]]) -> list[SharedStart] | None:
    """Train the heads of several trials at once.

    Args:
        cfgs: Their resolved configs, of one `headway.sweeps.grouping.group_key`.

    Returns:
        A start for the run of each; None where they keep no features, so that each must train by itself.

    Raises:
        HeadwayError: The config or the data are wrong. What goes wrong with one head is raised by its run.
    """
    first, load = cfgs[0], read_cpus(allowed_cores())
    prepare_process(first)
    data, backbone = build_data(first), build_backbone(first)
    data.read()
    tokenizer = backbone.load_tokenizer()
    encode_data(data, backbone, tokenizer)
    set_threads(first["num_threads"], load)
    loaders = [build_loaders(cfg, data) for cfg in cfgs]
    heads = [build_head(cfg, data, backbone) for cfg in cfgs]
    about: dict[str, Any] = {"data": data, "facts": backbone.architecture()}
    keepings = [decide(c, heads[0], loaders=each, **about) for c, each in zip(cfgs, loaders, strict=True)]
    epochs = first["trainer"]["max_epochs"]
    steps = {tuple(each.steps_before(epoch) for epoch in range(epochs + 1)) for each in loaders}
    if not all(keeping.heads_only for keeping in keepings) or len(steps) > 1:
        return None  # other orders may make other numbers of batches, where these are filled by tokens
    encoder = backbone.load_encoder()
    encoder.keep_pooler(wanted=heads[0].uses_pooler)
    device, precision, context = forward_context(first["trainer"])
    store = open_store(
        encoder.to(device), heads[0].to(device), keepings[0], cfg=first, data=data, loaders=loaders[0],
        device=device, precision=precision, context=context,
    )  # fmt: skip
    if store is None:
        return None
    total = loaders[0].steps_before(epochs)
    plans = [
        plan_of(cfg, encoder, head.cpu(), loss=build_loss(cfg, data), total_steps=total)
        for cfg, head in zip(cfgs, heads, strict=True)
    ]
    labels, weights = loaders[0].training_rows()
    trainer = HeadTrainer(plans, features=store("train"), labels=labels, weights=weights)
    # max_steps may end it before the last epoch.
    stepping = [epoch for epoch in range(epochs) if loaders[0].steps_before(epoch) < total]
    after = [trainer.epoch(epoch, _orders(cfgs, loaders, epoch)) for epoch in stepping]
    log.info("%d heads trained together, %d optimizer steps each", len(cfgs), total)
    return [
        SharedStart(data, backbone, tokenizer, encoder, store, _given([each[i] for each in after]), len(cfgs))
        for i in range(len(cfgs))
    ]


def _orders(cfgs: Sequence[Mapping[str, Any]], loaders: Sequence[DataModule], epoch: int) -> list[Any]:
    """Return each trial's steps of an epoch; those of one data_seed are drawn once."""
    drawn: dict[int, Any] = {}
    for cfg, each in zip(cfgs, loaders, strict=True):
        if cfg["data_seed"] not in drawn:
            drawn[cfg["data_seed"]] = each.row_steps(epoch)
    return [drawn[cfg["data_seed"]] for cfg in cfgs]


def _given(epochs: Sequence[HeadEpoch]) -> Epochs:
    def epoch(number: int) -> HeadEpoch:
        """Return what was trained."""
        return finite(epochs[number], number)

    return epoch
