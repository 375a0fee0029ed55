"""`headway export RUN --to transformers|onnx`: a folder that others load, once it has passed the gate."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence

from headway.delivery.export import EXPORTS, Options
from headway.delivery.limits import BATCH_SIZES, LENGTHS, Limits
from headway.types import ConfigError


def _parser() -> argparse.ArgumentParser:
    usual = Limits()
    parser = argparse.ArgumentParser(
        prog="headway export",
        allow_abbrev=False,
        description="Write a folder that transformers alone, or ONNX Runtime without torch, can load. It is "
        "refused (status 1) unless it agrees with the run's own model on the run's validation split.",
    )
    parser.add_argument("run", metavar="RUN", help="the folder that headway train printed")
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="data=NAME data.KEY=VALUE",
        help="where validation is, if it isn't where it was in training",
    )
    parser.add_argument("--to", required=True, choices=EXPORTS)
    parser.add_argument("--out", metavar="DIR", help="by default RUN/exports/<to>")
    parser.add_argument("--overwrite", action="store_true", help="replace an export that is there")
    parser.add_argument("--quantize", choices=["int8"], help="onnx: weights as int8, a scale a channel")
    parser.add_argument(
        "--optimize", action="store_true", help="onnx: fuse operators; only ONNX Runtime can run the graph"
    )
    parser.add_argument(
        "--max-metric-drop",
        type=float,
        default=usual.max_metric_drop,
        help="by which the monitored metric may get worse (%(default)s)",
    )
    parser.add_argument(
        "--budget-ms", type=float, help="what p99 must hold from text to answer, for one text at each length"
    )
    parser.add_argument("--lengths", type=_numbers, default=LENGTHS, metavar="N,N", help="tokens")
    parser.add_argument("--batch-sizes", type=_numbers, default=BATCH_SIZES, metavar="N,N", help="texts")
    parser.add_argument(
        "--repeats", type=int, default=usual.repeats, help="answers timed a cell, at most (%(default)s)"
    )
    return parser


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part.strip())


def main(words: Sequence[str]) -> int:
    """Export a run.

    Args:
        words: The run's folder, then options and overrides.

    Returns:
        0.

    Raises:
        ExportError: It doesn't pass the gate.
        HeadwayError: The folder, an option or the data is wrong.
    """
    arguments = _parser().parse_intermixed_args(list(words))
    if arguments.budget_ms is not None and 1 not in arguments.batch_sizes:
        raise ConfigError(
            f"--batch-sizes must hold 1 with --budget-ms, got {list(arguments.batch_sizes)}; add it"
        )
    limits = Limits(
        lengths=arguments.lengths,
        batch_sizes=arguments.batch_sizes,
        repeats=arguments.repeats,
        max_metric_drop=arguments.max_metric_drop,
        budget_ms=arguments.budget_ms,
    )
    from headway.export_run import export_run
    from headway.tracking.console import StdoutHandler

    log, handler = logging.getLogger("headway"), StdoutHandler()
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        export_run(
            arguments.run,
            arguments.overrides,
            to=arguments.to,
            out=arguments.out,
            overwrite=arguments.overwrite,
            options=Options(quantize=arguments.quantize, optimize=arguments.optimize),
            limits=limits,
        )
    finally:
        log.removeHandler(handler)
    return 0
