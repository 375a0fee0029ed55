"""Which aggregation a model's windows want: every candidate scored on the same validation logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headway.evaluation.aggregation import Aggregation
from headway.evaluation.calibration_table import Calibration, calibration
from headway.evaluation.decoding import Decoding
from headway.evaluation.evaluator import Evaluation, Evaluator
from headway.evaluation.metrics import Metrics
from headway.types import Gold, WindowLogits

LOSS = "loss"


@dataclass(frozen=True)
class Candidate:
    """An aggregation and what it is worth on validation.

    Attributes:
        aggregation: Windows -> documents or words.
        evaluation: Its scores; its decoding is fitted on what it gave.
        calibration: How far its probabilities can be trusted; None for scores.
    """

    aggregation: Aggregation
    evaluation: Evaluation
    calibration: Calibration | None


@dataclass(frozen=True)
class Comparison:
    """All candidates on one split.

    Attributes:
        candidates: By name, in the order given.
        monitor: The metric that decided, or "loss".
        mode: Which way is better, "max" or "min".
        current: The name of the one in use until now.
        chosen: The name of the best.
    """

    candidates: Mapping[str, Candidate]
    monitor: str
    mode: str
    current: str
    chosen: str

    def value(self, name: str) -> float:
        """Return the value that decides, of one candidate."""
        return monitored(self.candidates[name].evaluation, self.monitor)

    def as_json(self) -> dict[str, Any]:
        """Return the table as plain values."""
        return {
            "split": "validation",
            "monitor": self.monitor,
            "mode": self.mode,
            "in_use_before": self.current,
            "chosen": self.chosen,
            "candidates": {
                name: {
                    "aggregation": each.aggregation.to_spec(),
                    "decoding": each.evaluation.decoding.to_spec(),
                    "metrics": dict(each.evaluation.metrics),
                    "loss": each.evaluation.loss,
                    "ece": None if each.calibration is None else each.calibration.ece,
                    "ece_before_temperature": None
                    if each.calibration is None
                    else each.calibration.ece_before,
                }
                for name, each in self.candidates.items()
            },
        }


def monitored(evaluation: Evaluation, monitor: str) -> float:
    """Return the value of a metric, or the mean loss.

    Args:
        evaluation: Of one split.
        monitor: A name among its metrics, or "loss".
    """
    return evaluation.loss if monitor == LOSS else evaluation.metrics[monitor]


def compare(
    windows: WindowLogits,
    gold: Gold,
    *,
    aggregations: Mapping[str, Aggregation],
    current: str,
    decoding: Decoding,
    metrics: Metrics,
    label_names: Sequence[str],
    monitor: str,
    mode: str,
) -> Comparison:
    """Score every aggregation on the same logits; the encoder isn't run.

    Args:
        windows: Of validation: what is chosen and fitted here is then applied to other splits.
        gold: Its right answers.
        aggregations: Candidates by name.
        current: The name of the one in use; it stays unless another is better.
        decoding: Not fitted; it is fitted on what each candidate gives.
        metrics: Answers -> values.
        label_names: The labels by number; empty for scores.
        monitor: The metric that decides, or "loss".
        mode: "max" or "min".

    Returns:
        All of them, with the best chosen.

    Raises:
        ConfigError: A candidate puts words together, and whole documents are labelled.
    """
    candidates = {}
    for name, aggregation in aggregations.items():
        evaluator = Evaluator(
            gold,
            aggregation=aggregation,
            decoding=decoding,
            metrics=metrics,
            label_names=label_names,
            fit_decoding=True,
        )
        evaluator.update(windows)
        evaluation = evaluator.compute()
        table = calibration(evaluation.documents, gold, decoding=evaluation.decoding)
        candidates[name] = Candidate(aggregation, evaluation, table)
    sign = 1 if mode == "max" else -1
    # max takes the first of equals: the current one stands in front, so that a tie changes nothing.
    order = sorted(candidates, key=lambda name: name != current)
    chosen = max(order, key=lambda name: sign * monitored(candidates[name].evaluation, monitor))
    return Comparison(candidates, monitor, mode, current, chosen)
