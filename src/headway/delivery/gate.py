"""What an export must pass before it gets its name, and the table of what was measured."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.delivery.agreement import Agreement, agreement
from headway.delivery.foreign_paths import foreign_paths
from headway.delivery.latency import Timing, timings

if TYPE_CHECKING:
    from headway.data.store import Encoded
    from headway.delivery.export import Bounds
    from headway.delivery.limits import Limits
    from headway.delivery.predictor import Predictor


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scores:
    """One metric of validation's, before and after.

    Attributes:
        name: The monitored metric's.
        mode: Which way is better, "max" or "min".
        torch: Metric -> value, by the run's own model as it was scored.
        export: Metric -> value, by the export.
    """

    name: str
    mode: str
    torch: Mapping[str, float]
    export: Mapping[str, float]

    @property
    def drop(self) -> float:
        """By how much the export is worse; below 0 where it is better."""
        difference = self.torch[self.name] - self.export[self.name]
        return difference if self.mode == "max" else -difference


@dataclass(frozen=True)
class GateResult:
    """What the gate found.

    Attributes:
        failures: Why the export is refused; empty where it isn't.
        table: All that was measured, as plain values.
    """

    failures: list[str]
    table: dict[str, Any]


def run_gate(
    folder: Path,
    *,
    torch: Predictor,
    export: Predictor,
    encoded: Encoded,
    texts: Mapping[str, Sequence[Any]],
    bounds: Bounds,
    limits: Limits,
    score: Callable[[], Scores],
    threads: int,
) -> GateResult:
    """Measure an export and say whether it passes.

    Args:
        folder: The export's.
        torch: The run's own model in float32.
        export: The export, loaded as its users will.
        encoded: Validation's windows, whose tokens the compared windows are made of.
        texts: Canonical column -> validation's documents, which the timed texts are made of.
        bounds: How far logits may be apart.
        limits: What else is asked.
        score: Scores validation with both.
        threads: That compute, in both.
    """
    lengths = limits.within(int(torch.spec.encoding["max_length"]))
    compared = agreement(
        torch, export, encoded, lengths=lengths, batch_sizes=limits.batch_sizes, bounds=bounds
    )
    log.info("logits compared; now validation is scored with both")
    scores = score()
    log.info("validation scored; now texts are timed")
    timed = timings(
        {"torch": torch, "export": export},
        texts,
        lengths=lengths,
        batch_sizes=limits.batch_sizes,
        repeats=limits.repeats,
    )
    failures = [
        *foreign_paths(folder),
        *_disagreements(compared, bounds),
        *_drops(scores, limits),
        *_late(timed, limits),
    ]
    table = {
        "passed": not failures,
        "failures": failures,
        "threads": threads,
        "limits": asdict(limits),
        "bounds": asdict(bounds),
        "logits": [asdict(each) for each in compared],
        "metric": {**asdict(scores), "drop": scores.drop},
        "latency_ms": [asdict(each) for each in timed],
        "bytes": {path.name: path.stat().st_size for path in sorted(folder.iterdir())},
    }
    return GateResult(failures, table)


def _disagreements(compared: Sequence[Agreement], bounds: Bounds) -> list[str]:
    bad = [each for each in compared if not each.within]
    if not bad:
        return []
    worst = max(bad, key=lambda each: (not each.finite, each.absolute))
    return [
        f"logits differ from torch's in {len(bad)} of {len(compared)} cells, most at "
        f"{worst.length} tokens and batch size {worst.batch_size}: by {worst.absolute:.2g} at most, "
        f"{worst.relative:.2g} of their spread (allowed: {bounds.absolute}, {bounds.relative})"
    ]


def _drops(scores: Scores, limits: Limits) -> list[str]:
    if scores.drop <= limits.max_metric_drop:
        return []
    before, after = scores.torch[scores.name], scores.export[scores.name]
    return [
        f"{scores.name} on validation goes from {before:.4f} to {after:.4f}, worse by {scores.drop:.4f} "
        f"(--max-metric-drop {limits.max_metric_drop})"
    ]


def _late(timed: Sequence[Timing], limits: Limits) -> list[str]:
    budget = limits.budget_ms
    if budget is None:
        return []
    alone = [each for each in timed if each.engine == "export" and each.batch_size == min(limits.batch_sizes)]
    return [
        f"p99 at {each.length} tokens is {each.p99:.1f} ms (--budget-ms {budget:g})"
        for each in alone
        if not each.p99 <= budget
    ]
