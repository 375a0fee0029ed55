"""The report as one HTML file: it asks the network for nothing, and what runs hold is text in it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from headway.reports import words
from headway.reports.board import Board, Row, Settings
from headway.reports.configs import short, text
from headway.reports.curves import TRAIN, read_curves
from headway.reports.details import Details, details
from headway.reports.figures.curve_plot import COLOURS, curve_plot, mean_curve
from headway.reports.figures.parallel import parallel
from headway.reports.figures.small_plots import bars, whisker
from headway.reports.figures.svg import padded
from headway.reports.importance import importance
from headway.reports.plain_text import shown
from headway.tracking.record import write_text
from headway.version import __version__

LEAST_FOR_SWEEP = 4
"""Configs from which plots of a sweep say something."""
MOST_PAIRS = 12
"""Configs of the table of comparisons; the first ones."""


@dataclass(frozen=True)
class Sweep:
    """The drawings of what was varied.

    Attributes:
        parallel: Parallel coordinates.
        importance: Bars.
    """

    parallel: Markup
    importance: Markup


@dataclass(frozen=True)
class Section:
    """A board and all that the page draws of it.

    Attributes:
        board: The leaderboard.
        whiskers: A drawing a row; None where it has no value.
        curves: Drawings of learning curves.
        legend: Names of the coloured configs.
        sweep: None where nothing was varied, or too little.
        pairs: The first configs beside each other: name, then what the test says of each of the others.
        details: Of the first configs.
    """

    board: Board
    whiskers: Sequence[Markup | None]
    curves: Sequence[tuple[str, Markup]]
    legend: Sequence[str]
    sweep: Sweep | None
    pairs: Sequence[tuple[str, Sequence[Any]]]
    details: Sequence[Details]


def write_page(path: Path, boards: Sequence[Board], settings: Settings, *, details: int = 3) -> None:
    """Write the page, whole or not at all.

    Args:
        path: The file.
        boards: Of a report.
        settings: How they were judged.
        details: Configs of each board whose errors and tables are shown.
    """
    write_text(path, render(boards, settings, number=details))


def render(boards: Sequence[Board], settings: Settings, *, number: int = 3) -> str:
    """Return the page.

    Args:
        boards: Of a report.
        settings: How they were judged.
        number: Configs of each board whose errors and tables are shown.
    """
    style, script = _asset("page.css"), _asset("page.js")
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(_asset),
        trim_blocks=True,
        lstrip_blocks=True,
        # A control character in a text could hide what stands beside it.
        finalize=lambda value: shown(value) if type(value) is str else value,
    )
    return environment.get_template("page.html.jinja").render(
        sections=[section(board, number=number) for board in boards],
        settings=settings,
        words=words,
        text=text,
        short=short,
        totals=words.totals(list(boards)),
        version=__version__,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        style=Markup(style),  # noqa: S704 -- a file of the package
        script=Markup(script),  # noqa: S704 -- a file of the package
        style_hash=_hash(style),
        script_hash=_hash(script),
        colours=COLOURS,
    )


def _asset(name: str) -> str:
    return resources.files("headway.reports").joinpath("templates", name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    """Return what the page's own policy calls a part of it that may run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def section(board: Board, *, number: int) -> Section:
    """Return what the page shows of a board.

    Args:
        board: The leaderboard.
        number: Configs whose details are shown.
    """
    found = [each for row in board.rows[:number] if (each := details(row, board)) is not None]
    legend, curves = _curves(board)
    return Section(board, _whiskers(board.rows), curves, legend, _sweep(board), _pairs(board), found)


def _whiskers(rows: Sequence[Row]) -> list[Markup | None]:
    ends = [value for row in rows for value in (*(row.interval or ()), *row.values)]
    if not ends:
        return [None for _ in rows]
    within = padded(ends, 0.02)
    return [
        None if row.mean is None else whisker(row.mean, row.interval, row.values, within=within)
        for row in rows
    ]


def _curves(board: Board) -> tuple[list[str], list[tuple[str, Markup]]]:
    """Return the names of the coloured configs, and the drawings."""
    found = []
    legend: list[str] = []
    metric = f"val/{board.metric}"
    for name in dict.fromkeys((metric, "val/loss", TRAIN)):
        curves = {}
        for row in board.rows:
            runs = [read_curves(run.folder).get(name, ()) for run in row.config.runs]
            # Also of runs that failed or were pruned, as far as they got.
            curves[row.config.name] = mean_curve([curve for curve in runs if curve])
        drawing = curve_plot(curves, title=name)
        if drawing is not None:
            legend = legend or [each for each, curve in curves.items() if curve][:COLOURS]
            found.append((name, drawing))
    return legend, found


def _sweep(board: Board) -> Sweep | None:
    scored = [row for row in board.rows if row.mean is not None]
    known = [row.config.differences for row in scored]
    keys = [
        key
        for key in dict.fromkeys(key for each in known for key in each)
        if len({text(each.get(key)) for each in known}) > 1
    ]
    if len(scored) < LEAST_FOR_SWEEP or not keys:
        return None
    values = [row.mean for row in scored if row.mean is not None]
    shares = importance(known, values, keys)
    keys = sorted(keys, key=lambda key: -shares[key])
    names = {key: shown(short(key)) for key in keys}
    drawing = parallel(
        known, values, keys=keys, metric=board.metric, names=names, lower_is_better=board.mode == "min"
    )
    said = {names[key]: shares[key] for key in keys}
    return Sweep(drawing, bars(said, title="share of the variance that each key explains by itself"))


def _pairs(board: Board) -> list[tuple[str, Sequence[Any]]]:
    places = [place for place, row in enumerate(board.rows) if row.draws is not None][:MOST_PAIRS]
    by_places = {(each.left, each.right): each for each in board.comparisons}
    return [
        (
            board.rows[left].config.name,
            [by_places.get((left, right)) or by_places.get((right, left)) for right in places],
        )
        for left in places
    ]
