"""`headway evaluate RUN [--split test] [data=...]`: score a finished run again, or on other data."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence

from headway.types import ConfigError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headway evaluate",
        allow_abbrev=False,
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
    parser.add_argument("--overwrite", action="store_true", help="replace results that are there")
    parser.add_argument("--slices", action="store_true", help="print the scores part by part, too")
    parser.add_argument(
        "--aggregations",
        metavar="all|NAME,NAME",
        help="compare these ways to put windows together on the run's validation logits, without the "
        "encoder, keep the best in the run, and score it anew",
    )
    return parser


def _asked(arguments: argparse.Namespace) -> str | list[str]:
    """Return what --aggregations names, and refuse what has no meaning beside it."""
    beside = ["overrides"] * bool(arguments.overrides)
    beside += [f"--{name}" for name in ("output", "overwrite", "slices") if getattr(arguments, name)]
    beside += ["--split"] * (arguments.split != "test")
    if beside:
        raise ConfigError(
            f"--aggregations must stand alone behind RUN, since it compares on the run's own validation "
            f"logits, got {', '.join(beside)} too; leave that out"
        )
    names = [name.strip() for name in arguments.aggregations.split(",")]
    return names[0] if names == ["all"] else names


def main(words: Sequence[str]) -> int:
    """Score a run.

    Args:
        words: The run's folder, then options and overrides.

    Returns:
        0.

    Raises:
        HeadwayError: The folder, an override or the data is wrong.
    """
    # Intermixed: an override may stand behind an option.
    arguments = _parser().parse_intermixed_args(list(words))
    from headway.evaluate_policy import choose_aggregation
    from headway.evaluate_run import evaluate_run
    from headway.tracking.console import StdoutHandler

    log, handler = logging.getLogger("headway"), StdoutHandler()
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        if arguments.aggregations is not None:
            choose_aggregation(arguments.run, _asked(arguments))
            return 0
        evaluate_run(
            arguments.run,
            arguments.overrides,
            split=arguments.split,
            output=arguments.output,
            overwrite=arguments.overwrite,
            show_slices=arguments.slices,
        )
    finally:
        log.removeHandler(handler)
    return 0
