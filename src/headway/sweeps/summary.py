"""What a sweep says at its end, and the files that say it: summary.csv and sweep.json."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from headway.sweeps.jobs import DONE, FINISHED
from headway.sweeps.results import PointResult
from headway.sweeps.space import overrides_of
from headway.tracking.record import redact, redact_word, write_json, write_text

SUMMARY, SWEEP = "summary.csv", "sweep.json"
LONGEST_TABLE = 60
"""Points that the terminal shows; the files have all."""


@dataclass(frozen=True)
class SweepFacts:
    """What the files say of the sweep beside its points.

    Attributes:
        command: The words of the command.
        monitor: The monitored metric, as logged.
        mode: "max" or "min".
        settings: The keys of `sweep`.
        signature: Hash of all that decides what a point comes to.
    """

    command: Sequence[str]
    monitor: str
    mode: str
    settings: Mapping[str, Any]
    signature: str


def is_complete(points: Sequence[PointResult]) -> bool:
    """Return whether every point finished or was pruned."""
    return bool(points) and all(point.status in DONE for point in points)


def best_point(points: Sequence[PointResult], mode: str) -> PointResult | None:
    """Return the point with the best mean among those that finished.

    Args:
        points: Of the sweep.
        mode: "max" or "min".
    """
    sign = 1.0 if mode == "max" else -1.0
    finished = [point for point in points if point.status == FINISHED and point.mean is not None]
    return max(finished, key=lambda point: sign * (point.mean or 0.0), default=None)


def summary_table(points: Sequence[PointResult], facts: SweepFacts) -> Table:
    """Return a row a point, those that failed among them.

    Args:
        points: Of the sweep; the best of many are shown.
        facts: Of the sweep.
    """
    replicated = any(len(point.seeds) > 1 for point in points)
    table = Table(title=f"{facts.monitor} on validation" + (", mean ± sd over seeds" if replicated else ""))
    table.add_column("#", justify="right")
    keys = list(dict.fromkeys(key for point in points for key in point.params))
    for name in _short(keys):
        table.add_column(Text(name), overflow="fold")
    table.add_column("status")
    table.add_column(Text(facts.monitor.removeprefix("val/")), justify="right")
    table.add_column("runs", justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("", overflow="fold")
    shown = points
    if len(points) > LONGEST_TABLE:
        sign = -1.0 if facts.mode == "max" else 1.0
        order = sorted(points, key=lambda p: (p.status in DONE, sign * p.mean if p.mean is not None else 0.0))
        shown = order[:LONGEST_TABLE]
        table.caption = (
            f"{LONGEST_TABLE} of {len(points)} points, failures and the best: all are in {SUMMARY}"
        )
    for point in shown:
        table.add_row(*(Text(cell) for cell in _cells(point, keys)))
    return table


def _short(keys: Sequence[str]) -> list[str]:
    """Return the last parts of keys, or the keys where two end alike."""
    last = [re.split("[./]", key)[-1] for key in keys]
    return last if len(set(last)) == len(last) else list(keys)


def _cells(point: PointResult, keys: Sequence[str]) -> list[str]:
    value = "" if point.mean is None else f"{point.mean:.4f}"
    if point.deviation is not None:
        value += f" ± {point.deviation:.4f}"
    notes = [f"{point.collapsed} collapsed"] if point.collapsed else []
    notes += [point.error] if point.error else []
    return [
        str(point.number),
        *(_value(point.params.get(key, "")) for key in keys),
        point.status,
        value,
        f"{len(point.values)}/{len(point.seeds)}",
        f"{point.seconds:.1f}",
        "; ".join(notes),
    ]


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def write_summary(folder: Path, points: Sequence[PointResult], facts: SweepFacts) -> None:
    """Write summary.csv, a row a run, and sweep.json.

    Args:
        folder: The sweep's folder.
        points: Of the sweep.
        facts: Of the sweep.
    """
    keys = list(dict.fromkeys(key for point in points for key in point.params))
    columns = ["point", *keys, "seed", "status", "value", "seconds", "collapsed", "folder", "error"]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for point in points:
        for place, seed in enumerate(point.seeds):
            found = point.outcomes.get(place)
            params = [point.params.get(key, "") for key in keys]
            ended: list[Any] = ["not run", "", "", "", "", ""]
            if found is not None:
                ended = [
                    found.status,
                    found.value,
                    found.seconds,
                    found.collapsed,
                    point.folders[place],
                    found.error,
                ]
            writer.writerow([point.number, *params, "" if seed is None else seed, *ended])
    write_text(folder / SUMMARY, stream.getvalue())
    write_json(folder / SWEEP, _document(points, facts))


def _document(points: Sequence[PointResult], facts: SweepFacts) -> dict[str, Any]:
    best = best_point(points, facts.mode)
    return {
        "command": [redact_word(word) for word in facts.command],
        "signature": facts.signature,
        "monitor": {"name": facts.monitor, "mode": facts.mode},
        "sweep": redact(dict(facts.settings)),
        "complete": is_complete(points),
        "statuses": dict(Counter(point.status for point in points)),
        "collapsed_runs": sum(point.collapsed for point in points),
        "highest" if facts.mode == "max" else "lowest": None if best is None else best.number,
        "points": [
            {
                "point": point.number,
                "params": point.params,
                "status": point.status,
                "mean": point.mean,
                "sd": point.deviation,
                "runs": [
                    {"seed": seed, "id": point.ids[place], **_run(point, place)}
                    for place, seed in enumerate(point.seeds)
                ],
            }
            for point in points
        ],
    }


def _run(point: PointResult, place: int) -> dict[str, Any]:
    found = point.outcomes.get(place)
    return {"status": "not run"} if found is None else {**asdict(found), "folder": point.folders[place]}


def show_summary(folder: Path, points: Sequence[PointResult], facts: SweepFacts) -> None:
    """Print the table, what failed, and where everything is.

    Args:
        folder: The sweep's folder.
        points: Of the sweep.
        facts: Of the sweep.
    """
    Console().print(summary_table(points, facts))
    counts = Counter(point.status for point in points)
    collapsed = sum(point.collapsed for point in points)
    said = ", ".join(f"{number} {status}" for status, number in counts.items())
    print(f"{len(points)} points: {said}" + (f"; {collapsed} runs collapsed" if collapsed else ""))
    best = best_point(points, facts.mode)
    if best is not None:
        word = "highest" if facts.mode == "max" else "lowest"
        print(f"{word} mean: #{best.number} {' '.join(overrides_of(best.params))}".rstrip())
    for point in points:
        for place, outcome in sorted(point.outcomes.items()):
            if outcome.status not in DONE:
                print(f"#{point.number}: {outcome.error}  (its log: {folder / point.folders[place]}/run.log)")
    here = Path.cwd()
    print(f"sweep folder: {folder.relative_to(here) if folder.is_relative_to(here) else folder}")
    if not is_complete(points):
        print("the same command again runs what isn't finished, and nothing else")
