"""The command `headway` in a forked process: its exit status and what it printed."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trust_parts.forks import in_process
from trust_parts.rows import check

PIPE_BYTES = 1 << 20
"""More than a command prints; one that printed more would wait."""


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
    """Run `headway WORDS` in a folder, in a process of its own in which `before` is called first.

    It prints into a pipe, since a file would be as full as the disk is on which a case lets nothing grow.
    """
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def command() -> None:
        """Run the command."""
        from headway.cli.main import main

        os.chdir(folder)
        for number in (1, 2):
            os.dup2(writer, number)
        sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
        if before is not None:
            before()
        raise SystemExit(main(list(words)))

    start = time.perf_counter()
    status = in_process(command, folder / "said.log")
    seconds = time.perf_counter() - start
    os.close(writer)
    text = _waiting(reader).decode(errors="replace")
    lines = [line for line in text.splitlines() if not line.startswith("SystemExit")]
    return Said(status, "\n".join(lines), seconds)


def _waiting(reader: int) -> bytes:
    """Return what waits in a pipe, which loader workers that are about to end may hold open still."""
    os.set_blocking(reader, False)
    with os.fdopen(reader, "rb", buffering=0) as pipe:
        return b"".join(iter(lambda: pipe.read(PIPE_BYTES) or b"", b""))


def refused(words: Sequence[str], folder: Path, *names: str) -> Said:
    """Run a command that must end with 2 and one line, which names what is wrong."""
    said = headway(words, folder)
    errors = [line for line in said.text.splitlines() if line.startswith("error: ")]
    check(said.status == 2, f"it ended with {said.status}: {said.text[-200:]}")
    check(len(errors) == 1, f"it printed {len(errors)} errors")
    for name in names:
        check(name in errors[0], f"{name!r} isn't in: {errors[0]}")
    return said
