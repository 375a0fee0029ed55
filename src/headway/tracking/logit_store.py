"""The logits of a run's splits as the model gave them, kept so that nothing computes them twice.

RUN/logits/<split>.safetensors holds the rows of all windows, the right answers and what slices need to know
of the documents; RUN/logits/train.json what they need to know of train.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headway.evaluation.slices import DocumentFacts
from headway.named_errors import naming
from headway.tracking.record import write_json
from headway.types import Gold, HeadwayError, WindowLogits

FOLDER = "logits"
_OPTIONAL = ("words", "edge_distances")


@dataclass(frozen=True)
class StoredSplit:
    """All that scoring a split takes, but for the model and the texts.

    Attributes:
        windows: Rows of logits.
        gold: The right answers.
        facts: What is known of each document.
    """

    windows: WindowLogits
    gold: Gold
    facts: DocumentFacts


@dataclass(frozen=True)
class TrainFacts:
    """What slices compare a split with.

    Attributes:
        label_counts: (num_labels,) documents or words of train with each label; None for scores.
        surfaces: The surface forms of train's entities; None where none are tagged.
    """

    label_counts: Sequence[int] | None
    surfaces: frozenset[str] | None


def write_split(run: Path, split: str, stored: StoredSplit) -> None:
    """Write one split's file; it is whole or not there.

    Args:
        run: The run's folder.
        split: The split's name.
        stored: What to keep.
    """
    from safetensors.numpy import save

    arrays: dict[str, np.ndarray] = {
        "logits": stored.windows.logits.astype(np.float32),
        "documents": stored.windows.documents,
        "windows": stored.windows.windows,
        "gold": stored.gold.values,
        "lengths": stored.facts.lengths,
        "truncated": stored.facts.truncated,
        "windows_per_document": stored.facts.windows,
    }
    optional = {name: getattr(stored.windows, name) for name in _OPTIONAL}
    optional["word_offsets"] = stored.gold.word_offsets
    arrays |= {name: values for name, values in optional.items() if values is not None}
    path = _path(run, split)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with naming(path):
            partial.write_bytes(save({name: np.ascontiguousarray(each) for name, each in arrays.items()}))
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_split(run: Path, split: str) -> StoredSplit:
    """Read what `write_split` wrote.

    Args:
        run: The run's folder.
        split: The split's name.

    Raises:
        HeadwayError: There is no such file, or it is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = _path(run, split)
    if not path.is_file():
        raise HeadwayError(
            f"{path} must be there to score {split} again without the encoder, got none; train with "
            f"score_splits=[validation,test] and this version of headway"
        )
    try:
        arrays = load_file(path)
        words, edges, offsets = (arrays.get(name) for name in (*_OPTIONAL, "word_offsets"))
        return StoredSplit(
            WindowLogits(arrays["logits"], arrays["documents"], arrays["windows"], words, edges),
            Gold(arrays["gold"], offsets),
            DocumentFacts(arrays["lengths"], arrays["windows_per_document"], arrays["truncated"]),
        )
    except (SafetensorError, KeyError, OSError) as error:
        raise HeadwayError(
            f"{path} must be as headway wrote it, got {error}; copy the run's folder again, or train again"
        ) from error


def has_split(run: Path, split: str) -> bool:
    """Return whether a split's logits are kept."""
    return _path(run, split).is_file()


def write_train_facts(run: Path, facts: TrainFacts) -> None:
    """Write logits/train.json.

    Args:
        run: The run's folder.
        facts: What to keep.
    """
    surfaces = None if facts.surfaces is None else sorted(facts.surfaces)
    counts = None if facts.label_counts is None else [int(count) for count in facts.label_counts]
    write_json(run / FOLDER / "train.json", {"label_counts": counts, "surfaces": surfaces})


def read_train_facts(run: Path) -> TrainFacts:
    """Read logits/train.json.

    Args:
        run: The run's folder.

    Raises:
        HeadwayError: There is none, or it is damaged.
    """
    path = run / FOLDER / "train.json"
    try:
        values: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        surfaces = values["surfaces"]
        return TrainFacts(values["label_counts"], None if surfaces is None else frozenset(surfaces))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HeadwayError(
            f"{path} must be JSON as headway wrote it, got {error}; copy the folder again, or train again"
        ) from error


def _path(run: Path, split: str) -> Path:
    return run / FOLDER / f"{split}.safetensors"
