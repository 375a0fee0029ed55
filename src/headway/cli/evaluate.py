"""`headway evaluate RUN [split=test] [data=...]`: score a finished run again, or on other data."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence


def main(words: Sequence[str]) -> int:
    """Score a run.

    Args:
        words: The run's folder, then options and overrides.

    Returns:
        0.

    Raises:
        HeadwayError: The folder, an override or the data is wrong.
    """
    parser = argparse.ArgumentParser(
        prog="headway evaluate",
        description="Score a run on a split of its own data, or on other data with the same labels.",
    )
    parser.add_argument("run", metavar="RUN", help="the folder that headway train printed")
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="data=NAME data.KEY=VALUE",
        help="another data set, or keys of the data node; how texts are encoded and decoded is the run's",
    )
    parser.add_argument("--split", default="test", choices=["train", "validation", "test"])
    parser.add_argument(
        "--output", help="folder for metrics.json and predictions; by default RUN/evaluations/<data>-<split>"
    )
    arguments = parser.parse_args(list(words))
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    from headway.evaluate_run import evaluate_run

    evaluate_run(arguments.run, arguments.overrides, split=arguments.split, output=arguments.output)
    return 0
