"""How a report writes numbers and what it says of configs."""

from __future__ import annotations

from headway.reports.board import Board, Row
from headway.reports.configs import Config
from headway.reports.run_folders import PRUNED


def score(value: float | None) -> str:
    """Return a score with four digits; an empty text for none."""
    return "" if value is None else f"{value:.4f}"


def with_deviation(row: Row) -> str:
    """Return a row's mean with its standard deviation over seeds."""
    deviation = None if row.draws is None else row.draws.deviation
    return score(row.mean) + (f" ± {deviation:.4f}" if deviation is not None else "")


def interval(row: Row) -> str:
    """Return a row's interval."""
    return "" if row.interval is None else f"{row.interval[0]:.4f} to {row.interval[1]:.4f}"


def seconds(value: float | None) -> str:
    """Return seconds, or a rate, in as many digits as they deserve."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def count(value: int | None) -> str:
    """Return a number of parameters as people say it."""
    if value is None:
        return ""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return str(value)


def marks(config: Config) -> list[str]:
    """Return what didn't go as it should in a config's runs, such as "1 failed"."""
    found = []
    if config.count(PRUNED):
        found.append(f"{config.count(PRUNED)} pruned")
    for status in dict.fromkeys(run.status for run in config.failed()):
        found.append(f"{config.count(status)} {status}")
    if config.collapsed():
        found.append(f"{config.collapsed()} collapsed")
    again = sum(run.attempts > 1 for run in config.runs)
    if again:
        found.append(f"{again} retried")
    return found


def verdict(board: Board) -> str:
    """Return what the scores can tell, in a sentence or two."""
    scored = [row for row in board.rows if row.rank is not None]
    if not scored:
        return "Nothing here has finished with predictions, so nothing is ranked."
    if len(scored) == 1:
        return "One config has predictions, so there is nothing to rank it against."
    if board.best is not None:
        return f"{board.best.config.name} is the best: it can be told from every other config."
    alike = sum(row.rank == 1 for row in scored)
    return (
        f"No config is marked as the best: for {alike} of {len(scored)} these runs can't show that any other "
        "is better, so they share the first rank."
    )


def totals(boards: list[Board]) -> str:
    """Return how many runs there are and how they ended."""
    configs = [row.config for board in boards for row in board.rows]
    runs = [run for config in configs for run in config.runs]
    statuses: dict[str, int] = {}
    for run in runs:
        statuses[run.status] = statuses.get(run.status, 0) + 1
    said = ", ".join(f"{number} {status}" for status, number in statuses.items())
    collapsed = sum(config.collapsed() for config in configs)
    return f"{plural(len(runs), 'run')} of {plural(len(configs), 'config')}: {said}" + (
        f"; {collapsed} of the finished collapsed" if collapsed else ""
    )


def plural(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
