"""Faults that end a training with one line."""

from __future__ import annotations

import json
import os
import resource
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from trust_parts.commands import headway
from trust_parts.fault_runs import NOWHERE, fault, told, train
from trust_parts.rows import Case, check
from trust_parts.works import words_of

# What ends with one line: overrides, exit status, and what the line names.
TOLD: dict[str, tuple[Sequence[str], int, tuple[str, ...]]] = {
    "a loader worker is killed": (
        ("data.num_workers=2", "batching.batch_size=2", *fault("kill_worker", "step", 2)),
        1,
        ("loader worker", "data.num_workers"),
    ),
    "a loss that is no number": (
        fault("poison_weights", "step", 2), 1, ("training loss is nan", "batch 3", "optimizer.lr")),
    "weights that are no numbers after an epoch's last step": (
        fault("poison_weights", "step", 4), 1, ("logits of the val split are not finite", "optimizer.lr")),
    "an infinite gradient": (fault("infinite_gradient", "step", 2), 1, ("training loss is nan",)),
    "a metric that is no number": (fault("spoil_metric", "fit_start"), 1, ("val/f1_macro is nan",)),
    "a monitor that is never logged": (
        fault("forget_metric", "fit_start"),
        1,
        ("not logged", "task.monitor"),
    ),
    "a monitor that there isn't": (("task.monitor=f2_macro",), 2, ("task.monitor",)),
    "a full disk in predictions": (fault("fill_disk", "train_end"), 1, ("predictions/validation.parquet",)),
    "a full disk in curves": (fault("fill_disk_at_once", "fit_start"), 1, ("metrics.csv",)),
    "the run's folder is removed": (fault("remove_folder", "step", 7), 1, ("metrics.csv", "No such file")),
    "the best checkpoint is removed": (fault("remove_best", "train_end"), 1, ("best.ckpt",)),
    "an output folder that can't be written": ((f"hydra.run.dir={NOWHERE}/run",), 2, (NOWHERE,)),
    "a cache that can't be written": ((f"cache_dir={NOWHERE}",), 2, (NOWHERE,)),
    "an empty validation split": (("data.validation={work}/empty.jsonl",), 2, ("empty.jsonl",)),
    "no learning step": (("trainer.max_steps=0",), 2, ("trainer.max_steps",)),
    "a device that isn't there": (("trainer.accelerator=gpu",), 2, ("trainer.accelerator",)),
    "a teacher that is gone": (
        ("task/loss=distill", "task.loss.teacher={work}/no-teacher"), 2, ("task.loss.teacher", "no-teacher")),
}  # fmt: skip


def _told(work: Path, words: Sequence[str], status: int, names: Sequence[str]) -> Callable[[], None]:
    def case() -> None:
        """Train, and read the line."""
        shutil.rmtree(work / "run", ignore_errors=True)
        (work / "empty.jsonl").write_text("")
        told(train(work, *(word.replace("{work}", str(work)) for word in words)), *names, status=status)

    return case


def _raises(work: Path) -> None:
    """A callback of the user's own raises: their traceback, and the record says why the run failed."""
    said = train(work, *fault("raise_own", "step", 7))
    check(said.status == 1, f"it ended with {said.status}")
    last = said.text.strip().splitlines()[-1]
    check(last == "ZeroDivisionError: a mistake in a callback of the user's own", f"it ends with {last}")
    record = json.loads((work / "run" / "record.json").read_text())
    check(record["status"] == "failed" and "user's own" in record["process"]["error"], "the record is silent")
    check((work / "run" / "checkpoints" / "last.ckpt").is_file(), "no checkpoint to go on from")


def _no_home(work: Path) -> None:
    """A user without a name and without a home."""

    def before() -> None:
        """Become such a user."""
        for name in ("HOME", "XDG_CACHE_HOME", "HEADWAY_CACHE"):
            os.environ.pop(name, None)
        os.setuid(54321)

    work.chmod(0o777)
    cache = [word for word in words_of("single", work) if not word.startswith("cache_dir=")]
    told(headway(["train", *cache, f"hydra.run.dir={work}/run"], work, before=before), "cache_dir", status=2)


def _few_files(work: Path) -> None:
    """Fewer file handles than loader workers take."""
    low = len(list(Path("/proc/self/fd").iterdir())) + 6
    few = train(
        work, "data.num_workers=4", before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (low, low))
    )
    told(few, "ulimit -n")


def _one_row(work: Path) -> None:
    """Memory holds no single window."""
    words = ["+callbacks.narrow._target_=trust_parts.fault_hooks.NarrowMemory", "+callbacks.narrow.most=2"]
    told(train(work, *words), "one window", "data.max_length")


def _clock_between(work: Path) -> None:
    """The clock is set back between two runs, and the second would get the first one's name."""

    def before() -> None:
        """Let the time stand still, and chance too."""
        import secrets

        from headway.config import search_path

        class Still(search_path.datetime):  # type: ignore[misc]
            """A clock that was set back to the same second."""

            @classmethod
            def now(cls, tz: Any = None) -> Any:  # noqa: ARG003 - as datetime has it
                """Return the second."""
                return cls(2024, 1, 1)

        search_path.datetime = Still
        secrets.token_hex = lambda _: "abcd"

    words = [*words_of("single", work), f"output_dir={work}/outputs"]
    first = headway(["train", *words], work, before=before)
    check(first.status == 0, f"the first ended with {first.status}")
    (record,) = (work / "outputs").rglob("record.json")
    content = record.read_bytes()
    told(headway(["train", *words], work, before=before), "finished", status=2)
    check(record.read_bytes() == content, "the first run's record is another now")


SINGLE: dict[str, Callable[[Path], None]] = {
    "a callback of the user's own raises": _raises,
    "a user without a home": _no_home,
    "too few file handles": _few_files,
    "a memory that holds no window": _one_row,
    "the clock is set back between two runs": _clock_between,
}


def _fresh(work: Path, act: Callable[[Path], None]) -> Callable[[], None]:
    def case() -> None:
        """Try it in an empty folder."""
        shutil.rmtree(work / "run", ignore_errors=True)
        act(work)

    return case


def cases(work: Path) -> Iterator[Case]:
    """Yield them.

    Args:
        work: Holds `bert` and `rows.jsonl`.
    """
    yield from ((name, _told(work, *parts)) for name, parts in TOLD.items())
    yield from ((name, _fresh(work, act)) for name, act in SINGLE.items())
