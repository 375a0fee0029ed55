"""The sections of a run's record: what it takes to run it again to the bit, and what came of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.config.identity import run_id
from headway.data.fingerprints import data_files, split_digests
from headway.file_digests import file_sha256
from headway.models.model_files import model_files
from headway.models.tensor_digest import tensor_digest
from headway.tracking.code_state import code_state
from headway.tracking.numerics import numerics
from headway.tracking.prediction_digest import prediction_digests
from headway.tracking.record import environment, redact, redact_word

if TYPE_CHECKING:
    from headway.built_run import BuiltRun
    from headway.data.text_data import TextData
    from headway.feature_store import FeatureStore
    from headway.heads_together import SharedStart
    from headway.models.backbone import Backbone
    from headway.threads import ThreadChoice

CHECKPOINTS = ("best.ckpt", "last.ckpt")


def facts_before(
    cfg: dict[str, Any],
    overrides: Sequence[str],
    *,
    built: BuiltRun,
    data: TextData,
    backbone: Backbone,
    threads: ThreadChoice,
    shared: SharedStart | None,
) -> dict[str, Any]:
    """Return what the record says before the training.

    Args:
        cfg: The resolved config.
        overrides: What the command line said.
        built: What trains.
        data: Read and encoded.
        backbone: The encoder's description.
        threads: What was chosen.
        shared: What other trials have computed already.
    """
    return {
        "run_id": run_id(cfg),
        "code": code_state(),
        "argv": [redact_word(word) for word in sys.argv],
        "overrides": [redact_word(word) for word in overrides],
        "config": redact(cfg),
        "inputs": {
            "files": data_files(data),
            "splits": split_digests(data),
            "model": _model_digests(backbone),
        },
        "labels": {name: number for number, name in enumerate(data.label_names)},
        "seeds": {
            "seed": cfg["seed"],
            "data_seed": cfg["data_seed"],
            "split_seed": cfg["data"].get("split_seed"),
        },
        "numerics": numerics(cfg, built.trainer, built.module.encoder),
        "schedule": _schedule(cfg, built),
        "environment": environment(),
        "precision": str(built.trainer.precision),
        "layout": built.module.encoder.layout,
        "total_steps": built.total_steps,
        "parameters": built.parameters,
        "trained_together": 1 if shared is None else shared.trials,
        "threads": asdict(threads),
        "lengths": {name: asdict(report) for name, report in data.reports.items()},
    }


def _schedule(cfg: Mapping[str, Any], built: BuiltRun) -> dict[str, Any]:
    """Return when what happens: epochs, optimizer steps, and the multiplier of the rate at the corners."""
    total, multiplier = built.total_steps, built.module.schedule
    warmup = 0
    if multiplier is not None:
        shares = [multiplier(step, total) for step in range(total)]
        warmup = shares.index(max(shares)) if shares else 0
    trainer = cfg["trainer"]
    return {
        "total_steps": total,
        "warmup_steps": warmup,
        "max_epochs": trainer["max_epochs"],
        "steps_an_epoch": [
            built.loaders.steps_before(epoch + 1, num_processes=built.trainer.world_size)
            - built.loaders.steps_before(epoch, num_processes=built.trainer.world_size)
            for epoch in range(trainer["max_epochs"])
        ],
        "accumulate_grad_batches": trainer["accumulate_grad_batches"],
    }


def _model_digests(backbone: Backbone) -> dict[str, Any]:
    """Return where the model is from and the sha256 of its files; a backbone of the user's may have none."""
    where = getattr(backbone, "folder_or_name", None)
    files = [] if where is None else model_files(where(), getattr(backbone, "revision", None))
    package = getattr(backbone, "package", None)
    return {
        "name": getattr(backbone, "name", None) or getattr(backbone, "member", None),
        "package_sha256": package["sha256"] if package else None,
        # The hub's cache names a model's folder after its commit.
        "commit": files[0].parent.name if files and files[0].parent.parent.name == "snapshots" else None,
        "files": {path.name: file_sha256(path) for path in files},
    }


def facts_after(folder: Path, built: BuiltRun, store: FeatureStore | None) -> dict[str, Any]:
    """Return what the record says of a finished run beside its scores: features, memory, hashes of its files.

    Args:
        folder: The run's folder, all written.
        built: With the best weights.
        store: Of the features, where they were kept.
    """
    checkpoints = folder / "checkpoints"
    results = {
        "weights": tensor_digest(built.module.state_dict()),
        "checkpoints": {
            name: file_sha256(checkpoints / name) for name in CHECKPOINTS if (checkpoints / name).is_file()
        },
        "predictions": prediction_digests(folder),
    }
    limits = {name: limit.state_dict() for name, limit in built.module.memory_limits.items()}
    return {
        "features": None if store is None else store.facts,
        "memory_limits": {name: limit for name, limit in limits.items() if limit["since"] is not None}
        or None,
        "results": results,
    }
