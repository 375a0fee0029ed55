"""What a config's runs cost: seconds, parameters, examples a second."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from headway.reports.curves import read_curves
from headway.reports.run_folders import Run

_IN_LOG = re.compile(r"([\d.]+) M of [\d.]+ M parameters train")
_DEVICE = ("encoder", "head", "optimizer", "evaluation")
_LARGEST_HEADER = 100 << 20


@dataclass(frozen=True)
class Cost:
    """The mean over some runs; None where no run says.

    Attributes:
        wall: Seconds of a run.
        device: Seconds of a run in which the device computed: encoder, head, optimizer and evaluation.
        parameters: That train.
        examples_per_second: Documents that training went through, by the seconds of fitting.
        shared: Whether some of the runs were trained together, so that one bears what all needed.
    """

    wall: float | None
    device: float | None
    parameters: int | None
    examples_per_second: float | None
    shared: bool


def cost(runs: Sequence[Run]) -> Cost:
    """Return what runs cost.

    Args:
        runs: Replicates.
    """
    parameters = [count for count in map(trained_parameters, runs) if count is not None]
    return Cost(
        wall=_mean([_wall(run.record) for run in runs]),
        device=_mean([_device(run.record) for run in runs]),
        parameters=parameters[0] if parameters else None,
        examples_per_second=_mean([_examples(run) for run in runs]),
        shared=any(int(run.record.get("trained_together") or 1) > 1 for run in runs),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _wall(record: Mapping[str, Any]) -> float | None:
    total = record.get("timing", {}).get("seconds", {}).get("total")
    seconds = record.get("seconds", {})
    return float(total) if total is not None else (sum(seconds.values()) if seconds else None)


def _device(record: Mapping[str, Any]) -> float | None:
    seconds = record.get("timing", {}).get("seconds", {})
    known = [seconds[part] for part in _DEVICE if seconds.get(part) is not None]
    return float(sum(known)) if known else None


def _examples(run: Run) -> float | None:
    documents = run.record.get("lengths", {}).get("train", {}).get("documents")
    fit = run.record.get("seconds", {}).get("fit")
    if int(run.record.get("trained_together") or 1) > 1:  # its own seconds aren't those of its training
        return None
    epochs = max((epoch for epoch, _ in read_curves(run.folder).get("val/loss", ())), default=None)
    if not documents or not fit or epochs is None:
        return None
    return float(documents * epochs / fit)


def trained_parameters(run: Run) -> int | None:
    """Return how many parameters a run trained.

    The record says it; of an older run its weights' shapes do, or its log, rounded.

    Args:
        run: Any.
    """
    recorded = run.record.get("parameters")
    if isinstance(recorded, Mapping) and recorded.get("trained") is not None:
        return int(recorded["trained"])
    trainable = run.cfg.get("backbone", {}).get("trainable")
    path = run.folder / "model" / "model.safetensors"
    if trainable in ("none", "all") and path.is_file():
        part = "head." if trainable == "none" else ""
        return sum(size for name, size in _sizes(path).items() if name.startswith(part))
    log = run.folder / "run.log"
    found = _IN_LOG.search(log.read_text(encoding="utf-8", errors="replace")) if log.is_file() else None
    return None if found is None else round(float(found[1]) * 1e6)


def _sizes(path: Path) -> dict[str, int]:
    """Return the tensors of a safetensors file -> how many numbers each has, from its header alone."""
    try:
        with path.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            header = json.loads(stream.read(min(length, _LARGEST_HEADER)))
        return {name: math.prod(each["shape"]) for name, each in header.items() if name != "__metadata__"}
    except (OSError, ValueError, KeyError, TypeError, struct.error):  # the report can do without
        return {}
