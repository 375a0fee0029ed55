"""`headway report RUN...`: a leaderboard over runs and seeds: terminal, CSV, and one HTML page."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from headway.cli.numbers import positive, share

CORRECTIONS = ("holm", "romano_wolf")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headway report",
        allow_abbrev=False,
        description="Rank runs: seeds are replicates of a config, and configs that nothing tells apart share "
        "a rank. Runs on other documents stand in tables of their own.",
    )
    parser.add_argument(
        "runs", nargs="+", metavar="RUN|FOLDER", help="run folders, or folders with some in them"
    )
    parser.add_argument("--split", default="test", help="whose predictions are compared (default: test)")
    parser.add_argument("--metric", help="what decides (default: what the runs monitored)")
    parser.add_argument(
        "--html",
        metavar="FILE",
        help="the page (default: report.html in the folder, or here where several are named)",
    )
    parser.add_argument("--no-html", action="store_true", help="write no page")
    parser.add_argument("--csv", metavar="FILE", help="write the table, a row a config")
    parser.add_argument(
        "--details",
        type=positive,
        default=3,
        metavar="N",
        help="configs with their errors shown (default: 3)",
    )
    parser.add_argument(
        "--alpha", type=share, default=0.05, help="level of the tests; intervals hold 1 - alpha"
    )
    parser.add_argument("--correction", choices=CORRECTIONS, default="holm", help="for many comparisons")
    parser.add_argument(
        "--resamples", type=positive, help="of the bootstrap (default: 10000, more for many configs)"
    )
    return parser


def main(words: Sequence[str]) -> int:
    """Make a report.

    Args:
        words: Folders and options.

    Returns:
        0.

    Raises:
        HeadwayError: A folder holds no run, a file is damaged, or the metric isn't known.
    """
    arguments = _parser().parse_args(list(words))
    from rich.console import Console

    from headway.reports.board import Settings
    from headway.reports.boards import boards
    from headway.reports.csv_file import write_csv
    from headway.reports.page import write_page
    from headway.reports.run_folders import read_runs
    from headway.reports.terminal import show_boards

    settings = Settings(
        split=arguments.split, metric=arguments.metric, alpha=arguments.alpha,
        correction=arguments.correction, resamples=arguments.resamples,
    )  # fmt: skip
    found = boards(read_runs(arguments.runs), settings)
    show_boards(found, Console())
    if arguments.csv:
        write_csv(Path(arguments.csv), found)
        print(f"table: {arguments.csv}")
    if not arguments.no_html:
        path = _page(arguments.html, arguments.runs)
        write_page(path, found, settings, details=arguments.details)
        print(f"page: {path}")
    return 0


def _page(named: str | None, runs: Sequence[str]) -> Path:
    if named:
        return Path(named)
    return (Path(runs[0]) if len(runs) == 1 else Path()) / "report.html"
