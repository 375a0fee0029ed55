"""The `headway` command: finds the verb, and turns a user's mistake into one message and exit status 2."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
import traceback
from collections.abc import Sequence

from headway.faults import GOES_ON, fault_message
from headway.stop_signals import StopSignals
from headway.tracking.console import open_streams
from headway.tracking.printable import one_line
from headway.types import HeadwayError, Stopped
from headway.version import __version__

VERBS = {
    "train": "fine-tune: compose the config, fit, keep the best checkpoint, score it (-m sweeps)",
    "check": "the preflight alone: data, lengths, schedule, cost; stops before training",
    "evaluate": "score a run on its splits or on other data",
    "export": "a folder for transformers alone, or for ONNX Runtime without torch",
    "predict": "stream predictions for a file or stdin",
    "reproduce": "run a published experiment over its seeds and say pass or fail",
    "serve": "answer requests over HTTP: batching, health, metrics, a page to try it",
    "report": "rank runs and seeds: a table, CSV, and a page with curves, errors and provenance",
    "compare": "two runs: which documents flipped, what differs, and whether it is more than chance",
    "doctor": "compare installed packages with known security advisories",
}
COMPLETION_FLAGS = ("-sc", "--shell-completion")
TRACEBACK_VARIABLE = "HEADWAY_TRACEBACK"


def usage() -> str:
    """Return the text of `headway --help`."""
    verbs = "\n".join(f"  {verb:10} {text}" for verb, text in VERBS.items())
    return (
        "headway: fine-tune encoder-only transformers and know what the number means\n\n"
        f"usage: headway VERB ...\n\n{verbs}\n\n"
        "`headway VERB --help` says what a verb takes; `headway --version` the version.\n"
        f"{TRACEBACK_VARIABLE}=1 shows the traceback of a mistake.\n"
        'Tab completion in bash: eval "$(headway -sc install=bash)"'
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Args:
        argv: The words after `headway`; None reads the command line.

    Returns:
        Exit status: 0; 1 where training itself failed, a check found an error, an export was refused or the
        machine has a fault, such as a full disk; 2 for a user's mistake; 130 after Ctrl-C, 143 after SIGTERM.
    """
    open_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        print(f"headway {__version__}")
        return 0
    try:
        if words[0] in COMPLETION_FLAGS:
            from headway.cli.completion import complete

            return complete(words)
        if words[0] not in VERBS:
            near = difflib.get_close_matches(words[0], VERBS, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise HeadwayError(
                f"the verb must be one of {list(VERBS)}, got {words[0]!r}{hint}; see headway --help"
            )
        verb = importlib.import_module(f"headway.cli.{words[0]}")
        with StopSignals():
            return int(verb.main(words[1:]))
    except HeadwayError as error:
        if os.environ.get(TRACEBACK_VARIABLE):
            traceback.print_exc()
        print(f"error: {one_line(str(error))}", file=sys.stderr)
        return error.exit_status
    except Stopped as stop:
        print(stop, file=sys.stderr)
        return stop.exit_status
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        message = fault_message(error)
        if message is None or os.environ.get(TRACEBACK_VARIABLE):
            raise
        print(f"error: {one_line(message)}{GOES_ON if words[0] == 'train' else ''}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
