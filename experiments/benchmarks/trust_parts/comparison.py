"""Whether two runs came to the same, to the bit."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import torch

PARTS = (
    "state_dict",
    "optimizer_states",
    "lr_schedulers",
    "loops",
    "callbacks",
    "epoch",
    "memory_limits",
    "headway",
)
"""Of a checkpoint: all but the version."""
TOLD = ("metrics", "monitor", "collapsed", "decoding")
"""Of record.json."""


def same(first: Any, second: Any) -> bool:
    """Say whether two values are the same to the bit, with all that is in them."""
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[name], second[name]) for name in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return bool(first == second)


def differences(folder: Path, other: Path) -> list[str]:
    """Return what differs between two runs: weights, states, curves, scores, predictions."""
    found = []
    names = [{path.name for path in (each / "checkpoints").glob("*.ckpt")} for each in (folder, other)]
    if names[0] != names[1]:
        return [f"checkpoints: {sorted(names[0] ^ names[1])}"]
    for name in sorted(names[0]):
        one, two = (torch.load(each / "checkpoints" / name, weights_only=True) for each in (folder, other))
        found += [f"{name}: {part}" for part in PARTS if not same(one[part], two[part])]
    curves = []
    for each in (folder, other):
        with (each / "metrics.csv").open() as stream:
            curves.append(list(csv.DictReader(stream)))
    if curves[0] != curves[1]:
        found.append("metrics.csv")
    records = [json.loads((each / "record.json").read_text()) for each in (folder, other)]
    found += [f"record.json: {name}" for name in TOLD if records[0][name] != records[1][name]]
    weights = [(each / "model" / "model.safetensors").read_bytes() for each in (folder, other)]
    if weights[0] != weights[1]:
        found.append("model/model.safetensors")
    return found
