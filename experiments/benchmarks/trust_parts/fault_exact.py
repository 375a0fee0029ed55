"""Faults that change nothing of a training's outcome."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from trust_parts.fault_runs import Before, fault, same_as, train
from trust_parts.rows import Case, check

LOST = re.compile("the work goes on|lines are missing")
"""What is said where output is lost."""


def close_stdout() -> None:
    """Start as `>&-` does."""
    os.close(1)
    sys.stdout = None  # type: ignore[assignment]


def lose_reader() -> None:
    """Let stdout be a pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    os.dup2(writer, 1)
    sys.stdout = os.fdopen(1, "w", closefd=False)


def full_stdout() -> None:
    """Let stdout be a file on a full disk."""
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
    sys.stdout = os.fdopen(1, "w", closefd=False)


def plain_ascii() -> None:
    """Let stdout take ASCII alone, as without a locale."""
    sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False), encoding="ascii", line_buffering=True)


# What changes nothing: overrides, and what is done before the command.
EXACT: dict[str, tuple[Sequence[str], Before | None]] = {
    "the clock is set back in a training": (fault("clock_back", "step", 3), None),
    "the token store is removed in a training": (
        ("data.num_workers=2", *fault("remove_cache", "step", 2)),
        None,
    ),
    "stdout is closed": ((), close_stdout),
    "the reader of stdout has gone": ((), lose_reader),
    "stdout is on a full disk": ((), full_stdout),
    "no locale": ((), plain_ascii),
    "a full disk in run.log": ((), None),
}


def _exact(work: Path, whole: Path, name: str) -> Callable[[], None]:
    words, before = EXACT[name]

    def case() -> None:
        """Train, and compare with a training that nothing happened to."""
        folder, cache = work / "run", work / "cache-of-its-own"
        for each in (folder, cache):
            shutil.rmtree(each, ignore_errors=True)
        os.environ["TRUST_CACHE"] = str(cache)
        if name.endswith("run.log"):
            folder.mkdir()
            (folder / "run.log").symlink_to("/dev/full")
        said = train(work, f"cache_dir={cache}", "data.text='körper'", f"data.train={work}/umlauts.jsonl",
                     f"data.validation={work}/umlauts.jsonl", *words, before=before)  # fmt: skip
        check(said.status == 0, f"it ended with {said.status}: {said.text[-300:]}")
        check("Traceback" not in said.text, f"a traceback: {said.text[-300:]}")
        if before in (lose_reader, full_stdout) or name.endswith("run.log"):
            told = [line for line in said.text.splitlines() if LOST.search(line)]
            check(len(told) == 1, f"it isn't said once: {told}")
        same_as(whole, folder)

    return case


def _umlauts(work: Path) -> Path:
    """Write rows whose labels no ASCII has, train on them, and return the run's folder."""
    rows = [json.loads(line) for line in (work / "rows.jsonl").read_text().splitlines()]
    lines = [json.dumps({"körper": row["body"], "topic": f"größe {row['topic']} ±"}) for row in rows]
    (work / "umlauts.jsonl").write_text("\n".join(lines))
    said = train(work, "data.text='körper'", f"data.train={work}/umlauts.jsonl",
                 f"data.validation={work}/umlauts.jsonl", f"hydra.run.dir={work}/whole")  # fmt: skip
    check(
        said.status == 0, f"the training that nothing happens to ended with {said.status}: {said.text[-300:]}"
    )
    return work / "whole"


def cases(work: Path) -> Iterator[Case]:
    """Yield them.

    Args:
        work: Holds `bert` and `rows.jsonl`.
    """
    whole = _umlauts(work)
    yield from ((name, _exact(work, whole, name)) for name in EXACT)
