"""`headway compare A B`: which documents flipped, what differs between the runs, and the test's p-value."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from headway.cli.numbers import positive


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headway compare",
        allow_abbrev=False,
        description="Compare two runs by their stored predictions: scores with a test of pairs, the "
        "documents that are answered otherwise, and what differs in config, data and environment.",
    )
    parser.add_argument("first", metavar="A", help="a run's folder")
    parser.add_argument("second", metavar="B", help="another run's folder")
    parser.add_argument("--split", default="test", help="whose predictions (default: test)")
    parser.add_argument("--metric", help="what is tested (default: what A monitored)")
    parser.add_argument(
        "--limit", type=positive, default=5, metavar="N", help="documents shown of each kind (default: 5)"
    )
    parser.add_argument("--resamples", type=positive, default=10_000, help="of the bootstrap")
    parser.add_argument("--json", action="store_true", help="print one JSON object with everything instead")
    parser.add_argument("--csv", metavar="FILE", help="write a row a flipped document")
    return parser


def main(words: Sequence[str]) -> int:
    """Compare two runs.

    Args:
        words: Two folders and options.

    Returns:
        0.

    Raises:
        HeadwayError: A folder isn't one run, lacks predictions, or the two share no document.
    """
    arguments = _parser().parse_args(list(words))
    from rich.console import Console

    from headway.reports.compare import compare
    from headway.reports.compare_show import as_json, show, write_flips

    found = compare(
        arguments.first, arguments.second, split=arguments.split, metric=arguments.metric,
        resamples=arguments.resamples,
    )  # fmt: skip
    if arguments.csv:
        write_flips(Path(arguments.csv), found)
    if arguments.json:
        print(as_json(found))
    else:
        show(found, Console(), limit=arguments.limit)
        if arguments.csv:
            print(f"flips: {arguments.csv}")
    return 0
