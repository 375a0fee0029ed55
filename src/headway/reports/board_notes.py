"""What a reader of a leaderboard should know beside its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headway.evaluation.statistics.ranks import Comparison
from headway.reports.board import Row, Settings
from headway.reports.configs import flatten
from headway.reports.plain_text import one_line

_OWN = ("argv", "start", "end", "pid", "exit", "seconds", "hostname", "started", "ended")
"""Keys of an environment that differ from run to run anyway."""


def notes(
    rows: Sequence[Row], compared: Sequence[Comparison], settings: Settings, *, metric: str, resamples: int
) -> list[str]:
    """Return the notes of a board.

    Args:
        rows: Of the board.
        compared: Every two of them, by their places.
        settings: How it was judged.
        metric: What decided.
        resamples: Of the bootstrap.
    """
    found, pairs = [], len(compared)
    if any(row.draws is not None and len(row.values) == 1 for row in rows):
        found.append(
            "Configs with a single run: their intervals hold what other documents would change, not what "
            "another seed would; train with seeds=5 to know."
        )
    if settings.correction == "holm" and pairs and pairs / (1 + resamples) > settings.alpha:
        found.append(
            f"{pairs} comparisons with Holm's correction need more than {resamples} resamples to tell any "
            "two apart; use --correction romano_wolf, or --resamples."
        )
    found += _coarse(rows, compared)
    unscored = sum(not row.values and bool(row.config.replicates()) for row in rows)
    if unscored:
        found.append(
            f"{unscored} configs have finished runs without a score on {settings.split}; score_splits in "
            "their config says which splits they scored."
        )
    undrawn = sum(bool(row.values) and row.draws is None for row in rows)
    if undrawn:
        found.append(f"{undrawn} configs have no stored predictions for {metric}: no interval, no rank.")
    repeated = sum(row.config.repeated() for row in rows)
    if repeated:
        found.append(
            f"{repeated} have the config and seeds of another finished run; the last of each counts."
        )
    if any(row.cost.shared for row in rows):
        found.append(
            "Runs that were trained together share what they cost: the first bears most of its seconds."
        )
    return found + _environments(rows)


def _coarse(rows: Sequence[Row], compared: Sequence[Comparison]) -> list[str]:
    """Say how large a difference few runs leave untold, where it is larger than the seeds' own spread."""
    few = [each for each in compared if not each.apart and not each.decided]
    shown = [each for each in few if abs(each.difference.value) > _spread(rows[each.left], rows[each.right])]
    if not shown:
        return []
    widest = max(shown, key=lambda each: abs(each.difference.value))
    left, right = rows[widest.left], rows[widest.right]
    runs = min(len(left.values), len(right.values))
    return [
        f"Ranks are coarse with so few runs a config: {abs(widest.difference.value):.4f} between "
        f"{one_line(left.config.name, 60)} and {one_line(right.config.name, 60)} isn't told apart "
        f"(p = {widest.p:.2g}, corrected for {len(compared)} comparisons), since {runs} runs say little of "
        "how much a seed matters; more seeds tell more."
    ]


def _spread(*rows: Row) -> float:
    """Return the largest deviation between seeds; infinite where a config has a single one."""
    deviations = [row.draws.deviation for row in rows if row.draws is not None]
    known = [each for each in deviations if each is not None]
    return max(known) if len(known) == len(rows) else float("inf")


def _environments(rows: Sequence[Row]) -> list[str]:
    """Say in what the environments of the runs differ, since last digits depend on them."""
    seen: dict[str, set[Any]] = {}
    records = [run.record for row in rows for run in row.config.replicates()]
    for record in records:
        named = ("precision", "layout", "numerics", "code")
        facts = flatten(record.get("environment", {})) | flatten({key: record.get(key) for key in named})
        for key, value in facts.items():
            if not any(part in _OWN for part in key.split(".")):
                seen.setdefault(key, set()).add("none" if value is None else str(value))
    differing = [
        f"{key} {' | '.join(one_line(value, 60) for value in sorted(values))}"
        for key, values in seen.items()
        if len(values) > 1
    ]
    if not differing:
        return []
    more = f"; and {len(differing) - 5} more" if len(differing) > 5 else ""
    return [f"The runs' environments differ: {'; '.join(differing[:5])}{more}."]
