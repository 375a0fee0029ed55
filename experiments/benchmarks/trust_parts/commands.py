"""The command `headway` in a forked process: its exit status and what it printed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trust_parts.forks import in_process
from trust_parts.rows import check


@dataclass(frozen=True)
class Said:
    """What a command came to.

    Attributes:
        status: Exit status.
        text: All that it printed.
        seconds: Wall time.
    """

    status: int
    text: str
    seconds: float


def headway(words: Sequence[str], folder: Path, *, before: Callable[[], None] | None = None) -> Said:
    """Run `headway WORDS` in a folder, in a process of its own in which `before` is called first."""
    log = folder / "said.log"
    log.unlink(missing_ok=True)

    def command() -> None:
        """Run the command."""
        from headway.cli.main import main

        os.chdir(folder)
        if before is not None:
            before()
        raise SystemExit(main(list(words)))

    start = time.perf_counter()
    status = in_process(command, log)
    text = "\n".join(
        line for line in log.read_text(errors="replace").splitlines() if not line.startswith("SystemExit")
    )
    return Said(status, text, time.perf_counter() - start)


def refused(words: Sequence[str], folder: Path, *names: str) -> Said:
    """Run a command that must end with 2 and one line, which names what is wrong."""
    said = headway(words, folder)
    errors = [line for line in said.text.splitlines() if line.startswith("error: ")]
    check(said.status == 2, f"it ended with {said.status}: {said.text[-200:]}")
    check(len(errors) == 1, f"it printed {len(errors)} errors")
    for name in names:
        check(name in errors[0], f"{name!r} isn't in: {errors[0]}")
    return said
