"""`headway check`: all that `headway train` does before it trains, and what that tells of the run."""

from __future__ import annotations

import json
import logging
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from headway.cli.composed import compose
from headway.early_check import refuse_early

PROGRAM = "headway check"
FLAGS = {
    "--json": "one JSON object on stdout, and nothing else",
    "--no-step": "take no steps to measure time and memory: faster",
}


def usage() -> str:
    """Return the text of `headway check --help`."""
    flags = "\n".join(f"  {flag:10} {text}" for flag, text in FLAGS.items())
    return (
        "headway check: what is known of a run before it is trained\n\n"
        "usage: headway check [--json] [--no-step] [experiment=NAME] [GROUP=OPTION] [KEY=VALUE] ...\n\n"
        "Takes what `headway train` takes, but for -m; `headway train --help` lists groups and options.\n"
        "Reads and encodes the data, builds the model and measures a few steps; only caches stay.\n\n"
        f"{flags}\n\n"
        "Exit status: 0, also with warnings; 1 where an error was found; 2 where training would be refused."
    )


def main(words: Sequence[str]) -> int:
    """Check what a command line would train.

    Args:
        words: Flags of FLAGS, and what `headway train` takes.

    Returns:
        0; 1 if an error was found; or what Hydra's own flags end with.

    Raises:
        HeadwayError: Training would be refused.
    """
    if any(word in ("-h", "--help") for word in words):
        print(usage())
        return 0
    plan = compose([word for word in words if word not in FLAGS], program=PROGRAM)
    if isinstance(plan, int):
        return plan
    refuse_early(plan.cfg)
    from rich.console import Console

    from headway.preflight.preflight import preflight  # torch takes seconds

    # Moves on a terminal, is silent elsewhere; never on stdout, which is for what was found.
    with _warnings_to_stderr(), Console(stderr=True).status("") as status:
        found = preflight(plan.cfg, plan.folder, measure="--no-step" not in words, say=status.update)
    if "--json" in words:
        print(json.dumps(_finite(asdict(found) | {"sound": found.sound}), ensure_ascii=False))
    else:
        from headway.preflight.show import show

        show(found, Console())
    return 0 if found.sound else 1


@contextmanager
def _warnings_to_stderr() -> Iterator[None]:
    """Let other libraries warn on stderr; what headway says of the data stands in the result anyway."""
    root, own, silent = logging.getLogger(), logging.getLogger("headway"), logging.NullHandler()
    before, level = list(root.handlers), root.level
    root.handlers[:] = [logging.StreamHandler(sys.stderr)]
    root.setLevel(logging.WARNING)
    own.propagate = False
    own.addHandler(silent)  # without any, Python itself would print warnings
    try:
        yield
    finally:
        own.removeHandler(silent)
        own.propagate = True
        root.handlers[:] = before
        root.setLevel(level)


def _finite(value: Any) -> Any:
    """Return a value that JSON has: numbers that it lacks (NaN) become null."""
    if isinstance(value, dict):
        return {str(name): _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
