"""A bar on the terminal: how far a file has been read, and how many rows are answered."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(
    *, size: int | None, position: Callable[[], int], rows: int, hidden: bool
) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr if that is a terminal.

    Args:
        size: Bytes of the file; None: not known, as for stdin.
        position: Bytes read so far.
        rows: Answered before.
        hidden: Whether nothing is shown, since the answers go to the same screen.

    Yields:
        What is told how many more rows are answered.
    """
    if hidden or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=size, rows=rows)
        answered = rows

        def tell(more: int) -> None:
            """Move the bar."""
            nonlocal answered
            answered += more
            bar.update(task, completed=None if size is None else position(), rows=answered)

        yield tell
