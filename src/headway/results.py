"""What there is to say of a scored split beside its metrics: calibration and slices; and the files of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.evaluation.calibration_table import Calibration, calibration
from headway.evaluation.slices import DocumentFacts, EntitySurfaces, Slice, slices, slices_to_json
from headway.tracking.record import write_json

if TYPE_CHECKING:
    from headway.data.text_data import TextData
    from headway.evaluation.evaluator import Evaluation
    from headway.evaluation.metrics import Metrics
    from headway.evaluation.policy import Comparison
    from headway.tracking.logit_store import TrainFacts
    from headway.types import Gold


@dataclass(frozen=True)
class SplitResult:
    """One scored split.

    Attributes:
        calibration: How far its probabilities can be trusted; None for scores.
        slices: Its metrics part by part.
    """

    calibration: Calibration | None
    slices: list[Slice]


def split_result(
    evaluation: Evaluation,
    gold: Gold,
    *,
    facts: DocumentFacts,
    metrics: Metrics,
    label_names: Sequence[str],
    train: TrainFacts,
    tokens: Sequence[Sequence[str]] | None,
) -> SplitResult:
    """Return calibration and slices of a split.

    Args:
        evaluation: Its scores.
        gold: The right answers.
        facts: What is known of each document.
        metrics: The task's.
        label_names: The labels by number; empty for scores.
        train: What is known of train.
        tokens: (num_documents,) the documents' words, where entities are tagged; else None.
    """
    surfaces = None
    if tokens is not None and train.surfaces is not None:
        surfaces = EntitySurfaces(tokens, train.surfaces)
    return SplitResult(
        calibration=calibration(evaluation.documents, gold, decoding=evaluation.decoding),
        slices=slices(
            evaluation.prediction,
            gold,
            facts=facts,
            metrics=metrics,
            label_names=label_names,
            train_label_counts=train.label_counts,
            surfaces=surfaces,
        ),
    )


def write_results(
    folder: Path, results: Mapping[str, SplitResult], *, comparison: Comparison | None = None
) -> None:
    """Write calibration.json and slices.json, and aggregations.json where some were compared.

    Args:
        folder: Where to.
        results: Split -> result.
        comparison: Of aggregations on validation.
    """
    tables = {
        split: asdict(each.calibration) for split, each in results.items() if each.calibration is not None
    }
    if tables:
        write_json(folder / "calibration.json", tables)
    write_json(
        folder / "slices.json", {split: slices_to_json(each.slices) for split, each in results.items()}
    )
    if comparison is not None:
        write_json(folder / "aggregations.json", comparison.as_json())


def calibration_line(results: Mapping[str, SplitResult]) -> str | None:
    """Return the calibration of all splits as a line of text; None for scores.

    Args:
        results: Split -> result.
    """
    known = {split: each.calibration for split, each in results.items() if each.calibration is not None}
    if not known:
        return None
    temperature = next(iter(known.values())).temperature
    parts = [f"{split} {each.ece_before:.4f} -> {each.ece:.4f}" for split, each in known.items()]
    return (
        f"calibration: temperature {temperature:.3g}; expected calibration error before and after: "
        + ", ".join(parts)
    )


def document_facts(data: TextData, split: str) -> DocumentFacts:
    """Return what slices need to know of a split's documents.

    Args:
        data: Encoded.
        split: The split's name.
    """
    encoded = data.encoded[split]
    return DocumentFacts(
        lengths=encoded.lengths, windows=encoded.windows_per_document, truncated=encoded.truncated
    )


def entity_tokens(data: TextData, split: str) -> Any:
    """Return the words of a split's documents where entities are tagged, else None.

    Args:
        data: Read.
        split: The split's name.
    """
    return data.tables[split].column("tokens") if data.roles.scheme is not None else None
