"""Row: many short runs side by side in one folder, killed at random: nothing lost, nothing left behind."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from headway.cli.main import main
from headway.tracking.checkpoint_io import SUM_SUFFIX, load
from trust_parts.forks import start
from trust_parts.rows import Case, Row, check, some
from trust_parts.works import KINDS, words_of

RUNS, AT_ONCE, IN_ONE_PROCESS = 200, 3, 6
LONGEST = 6.0
"""Seconds after which a run is killed at the latest, if it is one of those."""
KILLED, ATTEMPTS = 0.6, 4
"""Share of the attempts that are killed; how often a run is begun at most before it is let alone."""
GRACE = 20.0
"""Seconds that loader workers of a killed process get to see that it is gone."""


@dataclass
class _Attempts:
    """A run, begun once or more often.

    Attributes:
        number: Of the run.
        words: Of its command.
        folder: Its own.
        statuses: What each attempt ended with.
        wrong: What was seen of it that may not be.
    """

    number: int
    words: list[str]
    folder: Path
    statuses: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Running:
    attempts: _Attempts
    until: float


def _soak(work: Path, number: int) -> tuple[list[_Attempts], set[int]]:
    """Begin all runs, kill at random, go on with what was killed; return them and all process groups."""
    draw = random.Random(23)
    outputs = work / "outputs" / "soak"
    waiting = [_attempts(work, outputs, each, draw) for each in range(number)]
    every, running, groups = list(waiting), {}, set()
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            attempts = waiting.pop(0)
            dies = len(attempts.statuses) < ATTEMPTS - 1 and draw.random() < KILLED
            pid = start(_command(attempts, work), work / f"soak-{attempts.number}.log")
            until = time.monotonic() + (draw.uniform(0.1, LONGEST) if dies else 300.0)
            running[pid] = _Running(attempts, until)
            groups.add(pid)
        for pid, each in list(running.items()):
            _look_at(each.attempts)
            done, status = os.waitpid(pid, os.WNOHANG)
            if not done and time.monotonic() > each.until:
                os.kill(pid, 9)
                _, status = os.waitpid(pid, 0)
                done = pid
            if done:
                del running[pid]
                each.attempts.statuses.append(os.waitstatus_to_exitcode(status))
                if each.attempts.statuses[-1] == -9 and len(each.attempts.statuses) < ATTEMPTS:
                    waiting.append(each.attempts)
        time.sleep(0.02)
    return every, groups


def _attempts(work: Path, outputs: Path, number: int, draw: random.Random) -> _Attempts:
    folder = outputs / f"run-{number}"
    kind, workers = draw.choice(list(KINDS)), draw.choice([0, 0, 0, 2])
    more = ("trainer.max_epochs=2", "callbacks.checkpoint.every_n_steps=1", f"data.num_workers={workers}")
    return _Attempts(number, ["train", *words_of(kind, work, *more), f"hydra.run.dir={folder}"], folder)


def _command(attempts: _Attempts, work: Path) -> Callable[[], None]:
    def command() -> None:
        """Run it; a run that was killed goes on, as the same command is said again."""
        os.chdir(work)
        raise SystemExit(main(attempts.words))

    return command


def _shared_blocks() -> set[str]:
    """Return the names of what lies in shared memory."""
    return {path.name for path in Path("/dev/shm").iterdir()}


def _look_at(attempts: _Attempts) -> None:
    """Note what lies among a run's checkpoints that may not: an old one, or more than one unfinished."""
    try:
        names = [path.name for path in (attempts.folder / "checkpoints").iterdir()]
    except FileNotFoundError:
        return
    kept = {f"{name}.ckpt{suffix}" for name in ("best", "last") for suffix in ("", SUM_SUFFIX)}
    others = [name for name in names if name not in kept]
    if len(others) > 2 or not all(name.startswith(".") for name in others):
        attempts.wrong.append(f"among its checkpoints are {sorted(others)}")


def _run_case(attempts: _Attempts) -> Callable[[], None]:
    def case() -> None:
        """Look at what a run left."""
        check(not attempts.wrong, attempts.wrong[0] if attempts.wrong else "")
        check(attempts.statuses[-1] == 0, f"its attempts ended with {attempts.statuses}")
        check(set(attempts.statuses[:-1]) <= {-9}, f"its attempts ended with {attempts.statuses}")
        record = json.loads((attempts.folder / "record.json").read_text())
        check(record["status"] == "finished", f"its record says {record['status']}")
        names = sorted(path.name for path in (attempts.folder / "checkpoints").iterdir())
        expected = sorted(f"{name}.ckpt{suffix}" for name in ("best", "last") for suffix in ("", SUM_SUFFIX))
        check(names == expected, f"its checkpoints are {names}")
        for name in ("best.ckpt", "last.ckpt"):
            load(attempts.folder / "checkpoints" / name)
        left = [str(path) for path in attempts.folder.rglob(".*") if path.is_file()]
        check(not left, f"it left {left}")
        check((attempts.folder / "predictions" / "validation.parquet").is_file(), "no predictions")

    return case


def _processes(groups: set[int]) -> list[int]:
    """Return the processes of some groups that are still there."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(group) in groups and state != "Z":
            found.append(int(path.parent.name))
    return found


def _nothing_left(groups: set[int]) -> Callable[[], None]:
    def case() -> None:
        """Wait for the loader workers of killed processes."""
        until = time.monotonic() + GRACE
        while _processes(groups) and time.monotonic() < until:
            time.sleep(0.2)
        check(not _processes(groups), f"these processes are left: {_processes(groups)}")

    return case


def _shared_memory(before: set[str]) -> Callable[[], None]:
    def case() -> None:
        """Look for blocks of shared memory."""
        left = sorted(name for name in _shared_blocks() - before if "torch" in name)
        check(not left, f"these blocks are left: {left[:5]}")

    return case


def _handles(work: Path) -> Callable[[], None]:
    def case() -> None:
        """Make several runs in one process, and count its open files after each."""
        counts: list[int] = []
        for number in range(IN_ONE_PROCESS):
            folder = work / "outputs" / f"handles-{number}"
            words = words_of("single", work, "trainer.max_epochs=1", f"data.num_workers={2 * (number % 2)}")
            status = main(["train", *words, f"hydra.run.dir={folder}"])
            check(status == 0, f"run {number} ended with {status}")
            counts.append(len(list(Path("/proc/self/fd").iterdir())))
        # The first ones import what opens files of its own.
        check(counts[-1] <= counts[1], f"open files after each run: {counts}")

    return case


def _in_fork(case: Callable[[], None], log: Path) -> Callable[[], None]:
    def forked() -> None:
        """Try a case in a process of its own."""
        from trust_parts.forks import in_process

        status = in_process(case, log)
        check(status == 0, f"it ended with {status}: {log.read_text()[-300:]}")

    return forked


def _cases(work: Path, share: float) -> Iterator[Case]:
    before = _shared_blocks()
    every, groups = _soak(work, some(RUNS, share))
    for attempts in every:
        yield f"run {attempts.number}, begun {len(attempts.statuses)} times", _run_case(attempts)
    yield "no process left behind", _nothing_left(groups)
    yield "no shared memory left behind", _shared_memory(before)
    yield "no file handle left open", _in_fork(_handles(work), work / "handles.log")


ROW = Row(
    "soak",
    "Soak: 200 short runs in one folder, side by side, killed at random: nothing lost, nothing left behind",
    _cases,
)
