"""Leaderboards on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from headway.reports.board import Board, Row
from headway.reports.plain_text import one_line
from headway.reports.words import count, interval, marks, plural, seconds, totals, verdict, with_deviation

LONGEST = 60
"""Rows that the terminal shows of a board; the files have all."""


def show_boards(boards: Sequence[Board], console: Console) -> None:
    """Print every board, what it can tell, and its notes.

    Args:
        boards: All of a report.
        console: Where to.
    """
    if len(boards) > 1:
        console.print(
            Text(
                f"{len(boards)} tables, one a set of documents: their scores aren't compared with each other"
            )
        )
    for board in boards:
        console.print(board_table(board))
        console.print(Text(one_line(verdict(board))))
        for note in board.notes:
            console.print(Text(f"note: {one_line(note)}"))
        for row in board.rows:
            for run in row.config.runs:
                reason = run.error if run in row.config.failed() else run.collapsed
                if reason:
                    word = run.status if run in row.config.failed() else "collapsed"
                    console.print(Text(one_line(f"{word}: {run.folder}: {reason}", 300)), soft_wrap=True)
    console.print(Text(totals(list(boards))))


def board_table(board: Board) -> Table:
    """Return a board as a table, a row a config.

    Args:
        board: To show.
    """
    documents = f"{plural(board.documents, 'document')} of {board.split}" if board.documents else board.split
    title = one_line(f"{board.data}: {board.title}, {documents}; wall and device in seconds a run")
    table = Table(
        title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )
    names = ("rank", "config", board.metric, "interval", "runs", "wall", "device", "trained", "docs/s")
    cells = [_cells(row) for row in board.rows[:LONGEST]]
    # What nobody has would only make the others narrower.
    kept = [place for place in range(len(names)) if place < 3 or any(row[place] for row in cells)]
    for place in kept:
        left = place == 1
        # Text throughout: a name such as [red] would be taken for markup.
        header = Text(one_line(names[place]))
        table.add_column(
            header, justify="left" if left else "right", overflow="fold", min_width=12 if left else None
        )
    for row, said in zip(board.rows, cells, strict=False):
        table.add_row(*(Text(said[place]) for place in kept), style="bold" if row.best else None)
    if len(board.rows) > LONGEST:
        table.caption = f"{LONGEST} of {len(board.rows)} configs; --csv and --html have all"
    return table


def _cells(row: Row) -> list[str]:
    rank = "" if row.rank is None else str(row.rank)
    said = marks(row.config)
    runs = str(len(row.values)) + (f" ({', '.join(said)})" if said else "")
    return [
        f"★ {rank}" if row.best else rank,
        one_line(row.config.name),
        with_deviation(row),
        interval(row),
        runs,
        seconds(row.cost.wall),
        seconds(row.cost.device),
        count(row.cost.parameters),
        seconds(row.cost.examples_per_second),
    ]
