"""Leaderboards as a CSV file, a row a config."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headway.reports.board import Board, Row
from headway.reports.plain_text import csv_cell
from headway.reports.run_folders import FINISHED, PRUNED
from headway.tracking.record import write_text

COLUMNS = (
    "data", "task", "split", "documents", "metric", "rank", "best", "config", "mean", "sd", "low", "high",
    "runs", "finished", "pruned", "failed", "collapsed", "wall_seconds", "device_seconds",
    "parameters_trained", "examples_per_second", "values", "folders",
)  # fmt: skip


def write_csv(path: Path, boards: Sequence[Board]) -> None:
    """Write the rows of all boards, and a column for each key that configs differ in.

    Cells that a spreadsheet would compute are made texts.

    Args:
        path: The file.
        boards: Of a report.
    """
    rows = [(board, row) for board in boards for row in board.rows]
    keys = list(dict.fromkeys(key for _, row in rows for key in row.config.differences))
    write_text(path, table_text([*COLUMNS, *keys], [_cells(board, row, keys) for board, row in rows]))


def table_text(header: Sequence[Any], rows: Sequence[Sequence[Any]]) -> str:
    """Return a table as the text of a CSV file.

    Args:
        header: Names of the columns.
        rows: Their values.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    for row in (header, *rows):
        writer.writerow([csv_cell(cell) for cell in row])
    return stream.getvalue()


def _cells(board: Board, row: Row, keys: Sequence[str]) -> list[Any]:
    config, cost = row.config, row.cost
    low, high = row.interval or (None, None)
    differences = config.differences
    return [
        board.data, board.task, board.split, board.documents, board.metric, row.rank, row.best, config.name,
        row.mean, None if row.draws is None else row.draws.deviation, low, high,
        len(config.runs), config.count(FINISHED), config.count(PRUNED), len(config.failed()),
        config.collapsed(), cost.wall, cost.device, cost.parameters, cost.examples_per_second,
        " ".join(f"{value:.6f}" for value in row.values),
        " ".join(str(run.folder) for run in config.runs),
        *(_plain(differences.get(key)) for key in keys),
    ]  # fmt: skip


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float) else str(value)
