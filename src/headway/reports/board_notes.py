"""What a reader of a leaderboard should know beside its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headway.reports.board import Row, Settings
from headway.reports.configs import flatten
from headway.reports.plain_text import one_line

_OWN = ("argv", "start", "end", "pid", "exit", "seconds", "hostname", "started", "ended")
"""Keys of an environment that differ from run to run anyway."""


def notes(rows: Sequence[Row], settings: Settings, *, metric: str, resamples: int, pairs: int) -> list[str]:
    """Return the notes of a board.

    Args:
        rows: Of the board.
        settings: How it was judged.
        metric: What decided.
        resamples: Of the bootstrap.
        pairs: How many comparisons there were.
    """
    found = []
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
