"""A comparison of two runs on the terminal, as JSON, and as CSV."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from headway.reports.compare import Change, Compared
from headway.reports.csv_file import table_text
from headway.reports.flips import Flip
from headway.reports.plain_text import one_line
from headway.reports.words import plural
from headway.tracking.record import plain, write_text

LONGEST = 300
"""Characters of a document's text on the terminal."""
MOST_IDS = 8


def show(found: Compared, console: Console, *, limit: int) -> None:
    """Print a comparison.

    Args:
        found: To show.
        console: Where to.
        limit: Flipped documents of a kind.
    """

    def say(line: str, style: str = "") -> None:
        """Print one harmless line, however long."""
        console.print(Text(line, style=style), soft_wrap=True)

    say(f"A  {one_line(found.runs[0])}")
    say(f"B  {one_line(found.runs[1])}")
    for line in score_lines(found):
        say(line)
    for title, changes in (
        ("config", found.config),
        ("data", found.data),
        ("environment", found.environment),
    ):
        if changes:
            console.print(_table(title, changes))
        else:
            say(f"{title}: nothing differs")
    for kind, group in groupby(found.flips, key=lambda flip: flip.kind):
        flipped = list(group)
        of = f", {limit} of them" if len(flipped) > limit else ""
        say(f"{kind}: {plural(len(flipped), 'document')}{of}", "bold")
        for flip in flipped[:limit]:
            say(f"  {_flip_line(flip)}")
            if flip.text:
                say(f"    {one_line(flip.text, LONGEST)}", "dim")


def score_lines(found: Compared) -> list[str]:
    """Return the scores, the test, and what wasn't compared.

    Args:
        found: To show.
    """
    first, second = ("unknown" if value is None else f"{value:.4f}" for value in found.values)
    lines = [f"{found.metric} on {plural(found.documents, 'document')} of {found.split}: {first} -> {second}"]
    if found.difference is None:
        lines.append(f"{found.metric} can't be resampled by document, so there is no test")
    else:
        each = found.difference
        p = f"{each.p:.4f}" if each.p >= 0.0001 else "below 0.0001"
        lines.append(
            f"B - A: {each.value:+.4f}, from {each.low:+.4f} to {each.high:+.4f}; p {p} (paired bootstrap "
            "over documents: of these two runs, not of other seeds)"
        )
    for name, ids in (("only in A", found.matched.only_first), ("only in B", found.matched.only_second),
                      ("with another right answer in B", found.matched.other_gold)):  # fmt: skip
        if ids:
            some = ", ".join(one_line(each, 40) for each in ids[:MOST_IDS])
            more = ", …" if len(ids) > MOST_IDS else ""
            lines.append(f"not compared: {plural(len(ids), 'document')} {name}: {some}{more}")
    counts = found.counts()
    changed = sum(counts.values())
    said = ", ".join(f"{number} {kind}" for kind, number in counts.items())
    lines.append(f"{changed} of {found.documents} answered otherwise" + (f": {said}" if said else ""))
    return lines


def _flip_line(flip: Flip) -> str:
    name, first, second, right = (
        one_line(each, 200) for each in (flip.id, flip.first, flip.second, flip.right)
    )
    before, after = flip.losses
    return f"{name}: {first} -> {second}; right: {right}; loss {before:.3g} -> {after:.3g}"


def _table(title: str, changes: Sequence[Change]) -> Table:
    table = Table(title=Text(f"{title}: what differs"), title_justify="left")
    for name in ("key", "A", "B"):
        table.add_column(name, overflow="fold")
    for each in changes:
        table.add_row(
            *(Text(one_line(cell, 200)) for cell in (each.key, _value(each.first), _value(each.second)))
        )
    return table


def _value(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def as_json(found: Compared) -> str:
    """Return everything as one JSON object.

    Args:
        found: To show.
    """
    test = found.difference
    tested = None if test is None else {name: getattr(test, name) for name in ("value", "low", "high", "p")}
    parts = {
        part: [vars(each) for each in getattr(found, part)]
        for part in ("config", "data", "environment", "flips")
    }
    value = {
        "a": str(found.runs[0]),
        "b": str(found.runs[1]),
        "split": found.split,
        "metric": found.metric,
        "value_a": found.values[0],
        "value_b": found.values[1],
        "documents": found.documents,
        "difference": tested,
        "only_a": found.matched.only_first,
        "only_b": found.matched.only_second,
        "other_gold": found.matched.other_gold,
        "counts": found.counts(),
        **parts,
    }
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False, default=str)


def write_flips(path: Path, found: Compared) -> None:
    """Write a row a flipped document, its cells harmless to a spreadsheet.

    Args:
        path: The file.
        found: To write.
    """
    header = ["id", "kind", "right", "a", "b", "loss_a", "loss_b", "text"]
    rows = [
        [flip.id, flip.kind, flip.right, flip.first, flip.second, *flip.losses, flip.text]
        for flip in found.flips
    ]
    write_text(path, table_text(header, rows))
