"""Trainings that something goes wrong in, and what must come of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from trust_parts.commands import Said, headway
from trust_parts.comparison import differences
from trust_parts.rows import check
from trust_parts.works import words_of

HOOK = "trust_parts.fault_hooks.Fault"
NOWHERE = "/proc/headway"
"""Where nobody can write, not even root."""
Before = Callable[[], None]


def fault(act: str, at: str, after: int = 0) -> list[str]:
    """Return the overrides that let something go wrong in a training."""
    named = {"_target_": HOOK, "act": act, "at": at, "after": after}
    return [f"+callbacks.fault.{name}={value}" for name, value in named.items()]


def train(work: Path, *more: str, kind: str = "single", before: Before | None = None) -> Said:
    """Run `headway train` in a folder `run`, in a process of its own in which `before` is called first."""
    os.environ["HEADWAY_ALLOW_MODULES"] = "trust_parts"
    folder = work / "run"
    named = {word.partition("=")[0] for word in more}
    words = [word for word in words_of(kind, work) if word.partition("=")[0] not in named]
    return headway(["train", *words, f"hydra.run.dir={folder}", *more], work, before=before)


def told(said: Said, *names: str, status: int = 1) -> None:
    """Raise NotHeldError unless a command ended with a status and one line that names what is wrong."""
    errors = [line for line in said.text.splitlines() if line.startswith("error: ")]
    check(said.status == status, f"it ended with {said.status}: {said.text[-200:]}")
    check("Traceback" not in said.text, f"a traceback: {said.text[-300:]}")
    check(len(errors) == 1, f"it printed {len(errors)} errors: {said.text[-300:]}")
    missing = [name for name in names if name not in errors[0]]
    check(not missing, f"{missing} isn't in: {errors[0]}")


def same_as(whole: Path, folder: Path) -> None:
    """Raise NotHeldError where a run differs from one that nothing happened to."""
    found = differences(folder, whole)
    check(not found, f"these differ: {found}")
