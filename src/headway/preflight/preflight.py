"""All of a run that comes before training, and what it tells."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl

from headway.assembly import build_backbone, build_data, build_module, encode_data
from headway.config.build import build
from headway.config.check import check_config
from headway.data.checks import Finding, check_splits
from headway.data.pieces import prepare
from headway.faults import is_out_of_memory
from headway.keep_features import Keeping, decide
from headway.preflight.cost import CostFacts, cost_facts, cost_findings, module_bytes
from headway.preflight.disk import DiskFacts, disk_facts, disk_findings
from headway.preflight.epochs import epoch_plans
from headway.preflight.labels import LabelFacts, label_facts, label_findings
from headway.preflight.lengths import LengthFacts, length_facts, length_findings
from headway.preflight.measure import Stepper
from headway.preflight.rates import parameter_groups
from headway.preflight.rows import RowFacts, row_facts, row_findings
from headway.preflight.tokenizer_trip import RoundTrip, round_trip, tokenizer_findings
from headway.preflight.training import TrainingFacts, training_facts, training_findings
from headway.scoring import aggregations_to_compare
from headway.threads import allowed_cores, read_cpus, set_threads
from headway.trainer_assembly import build_trainer

if TYPE_CHECKING:
    from headway.data.datamodule import DataModule
    from headway.data.text_data import TextData
    from headway.models.module import FineTuner

Say = Callable[[str], None]


@dataclass(frozen=True)
class Preflight:
    """What is known of a run before it.

    Attributes:
        name: The run's name.
        labels: How answers are spread.
        rows: What repeats and what is odd.
        tokenizer: Split -> what the tokenizer makes of it.
        lengths: What of the documents the model sees.
        training: Steps, batches, learning rates and parameters.
        cost: Seconds and memory, measured; None where nothing was.
        disk: Room needed and there.
        findings: Errors, then warnings.
    """

    name: str
    labels: LabelFacts
    rows: RowFacts
    tokenizer: dict[str, RoundTrip]
    lengths: LengthFacts
    training: TrainingFacts
    cost: CostFacts | None
    disk: DiskFacts
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing was found that makes the run fail or mean nothing."""
        return all(finding.level != "error" for finding in self.findings)


@dataclass(frozen=True)
class _Built:
    """What a run would train with, and how it reads its files."""

    data: TextData
    module: FineTuner
    loaders: DataModule
    trainer: pl.Trainer
    total_steps: int
    tokenizer: Any
    notes: list[str]
    keeping: Keeping


def preflight(cfg: dict[str, Any], folder: Path, *, measure: bool, say: Say = lambda _: None) -> Preflight:
    """Do all of a run that comes before training; nothing is written but the caches.

    Args:
        cfg: The resolved config, plain values; it is not changed.
        folder: Where the run's folder would be; it is not made.
        measure: Whether a few steps are taken for their cost.
        say: Gets what is being done, in a few words.

    Returns:
        What is known, and what was found.

    Raises:
        HeadwayError: What stops a run before training: the config, the data or the model is wrong.
    """
    built = _build(cfg, folder, say)
    data = built.data
    say("looking at rows and tokens")
    tokenization = prepare(built.tokenizer)
    labels = label_facts(
        data.gold, label_names=data.label_names, role=data.roles.target, scheme=data.roles.scheme
    )
    rows = row_facts(data.tables, role=data.roles.target, notes=built.notes)
    trips = {split: round_trip(tokenization, table, seed=cfg["seed"]) for split, table in data.tables.items()}
    lengths = length_facts(
        data.reports,
        data.spec,
        num_special=tokenization.template.num_special(data.roles.text_pair is not None),
        model_limit=built.module.encoder.max_positions,
    )
    disk = disk_facts(
        weights=module_bytes(built.module),
        trained=sum(p.numel() for p in built.module.parameters() if p.requires_grad),
        frozen=sum(p.numel() for p in built.module.parameters() if not p.requires_grad),
        keep_last=bool(cfg["callbacks"]["checkpoint"].get("save_last")),
        encoded=data.encoded,
        folder=folder,
        cache=data.cache_dir,
        features=built.keeping.size,
    )
    training, cost, failures = _train(cfg, built, say, measure=measure)
    findings = [
        *failures,
        *check_splits(data.tables, role=data.roles.target, label_names=data.label_names),
        *label_findings(labels, class_weights=cfg["task"]["loss"].get("class_weights", ...)),
        *row_findings(rows),
        *tokenizer_findings(trips),
        *length_findings(lengths),
        *training_findings(training, cfg, documents=len(data.tables["train"])),
        *disk_findings(disk),
    ]
    in_order = tuple(sorted(findings, key=lambda finding: finding.level))  # "error" before "warning"
    return Preflight(cfg["name"], labels, rows, trips, lengths, training, cost, disk, in_order)


def _build(cfg: dict[str, Any], folder: Path, say: Say) -> _Built:
    """Build what a run builds, in its order, so that what is wrong is said as a run says it."""
    load = read_cpus(allowed_cores())
    check_config(cfg)
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):  # their import sets INFO
        logging.getLogger(name).setLevel(logging.WARNING)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false" if cfg["data"]["num_workers"] else "true")
    data, backbone = build_data(cfg), build_backbone(cfg)
    for key in ("batching", "optimizer", "schedule"):
        build(cfg[key], key=key)
    aggregations_to_compare(cfg)
    say("reading data")
    with _notes("headway.data") as notes:
        data.read()
    say("encoding data")
    tokenizer = backbone.load_tokenizer()
    encode_data(data, backbone, tokenizer)
    say("building the model")
    set_threads(cfg["num_threads"], load)
    trainer, _ = build_trainer(cfg, folder)
    module, loaders, total_steps = build_module(cfg, data, backbone, num_processes=trainer.world_size)
    keeping = decide(cfg, module.head, data=data, loaders=loaders, facts=module.encoder.architecture)
    return _Built(data, module, loaders, trainer, total_steps, tokenizer, notes, keeping)


def _train(
    cfg: dict[str, Any], built: _Built, say: Say, *, measure: bool
) -> tuple[TrainingFacts, CostFacts | None, list[Finding]]:
    """Return what training will do, what it costs if that is measured, and why it can't be done."""
    module, trainer = built.module, built.trainer
    device, padded = trainer.strategy.root_device, module.encoder.layout == "padded"
    lengths = {split: each.window_lengths for split, each in built.data.encoded.items()}
    plans = epoch_plans(
        built.loaders,
        lengths["train"],
        max_epochs=cfg["trainer"]["max_epochs"],
        accumulate=cfg["trainer"]["accumulate_grad_batches"],
        padded=padded,
    )
    optimizer = module.to(device).configure_optimizers()["optimizer"]
    training = training_facts(
        module,
        plans,
        schedule=build(cfg["schedule"], key="schedule"),
        groups=parameter_groups(optimizer.param_groups, (module.encoder, module.head)),
        total_steps=built.total_steps,
        accumulate=cfg["trainer"]["accumulate_grad_batches"],
        precision=str(trainer.precision),
        device=str(device),
    )
    if not measure:
        return training, None, []
    say("measuring a few steps")
    try:
        cost = cost_facts(
            Stepper(module, optimizer, trainer),
            built.loaders,
            plans,
            splits=[split for split in cfg["score_splits"] if split in built.data.gold],
            limits={name: cfg["trainer"][f"limit_{key}_batches"] for key, name in _LIMITS.items()},
            lengths=lengths,
            padded=padded,
            heads_only=built.keeping.heads_only,
        )
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return training, None, [_too_large(int(plans[0].computed.max()))]
    return training, cost, list(cost_findings(cost))


_LIMITS = {"val": "validation", "test": "test"}


def _too_large(tokens: int) -> Finding:
    return Finding(
        "error",
        f"`batching` must make batches that memory holds, got one of {tokens} tokens, which it doesn't "
        "(training would try it in parts); lower batching.batch_size or batching.max_tokens, or set "
        "backbone.gradient_checkpointing=true",
    )


@contextmanager
def _notes(logger: str) -> Iterator[list[str]]:
    """Give what a logger says that is no warning, such as how many rows were dropped."""
    notes: list[str] = []

    class Keep(logging.Handler):
        """Puts messages into the list."""

        def emit(self, record: logging.LogRecord) -> None:
            """Keep a message that is no warning."""
            if record.levelno == logging.INFO:
                notes.append(record.getMessage())

    log, handler = logging.getLogger(logger), Keep()
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield notes
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
