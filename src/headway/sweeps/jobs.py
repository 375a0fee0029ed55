"""What a sweep hands to the processes that train, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FINISHED, PRUNED = "finished", "pruned"
FAILED, KILLED, TIMEOUT, INTERRUPTED = "failed", "killed", "timeout", "interrupted"
DONE = (FINISHED, PRUNED)
"""What is never done again."""


@dataclass(frozen=True)
class Trial:
    """One training of a sweep: a point with one seed.

    Attributes:
        id: Hash of its resolved config.
        point: Number of its point in the sweep.
        seed: The replicate's seed; None where the sweep has no replicates.
        cfg: The resolved config, plain values.
        folder: Its run folder; no other attempt has the same.
        overrides: What made the config, for the record.
        job_logging: For logging.config.
        first: Whether it is its point's first replicate, by which a pruner decides.
        environment: Variables that Hydra's config sets for it.
        chdir: Whether it runs in its folder.
        earlier: The folder of an attempt that was killed, whose training goes on; None: there is none.
    """

    id: str
    point: int
    seed: int | None
    cfg: dict[str, Any]
    folder: Path
    overrides: tuple[str, ...]
    job_logging: dict[str, Any]
    first: bool = True
    environment: dict[str, str] = field(default_factory=dict)
    chdir: bool = False
    earlier: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt at a trial.

    Attributes:
        status: "finished", "pruned", "failed", "killed", "timeout" or "interrupted".
        value: The monitored metric's best value on validation; None where there is none.
        seconds: Wall time.
        error: One line that says what went wrong.
        traceback: Where it went wrong.
        collapsed: Why the result is that of a collapsed training; None for a sound one.
        mistake: Whether the error is a user's mistake, which another attempt can't mend.
    """

    status: str
    value: float | None = None
    seconds: float = 0.0
    error: str | None = None
    traceback: str | None = None
    collapsed: str | None = None
    mistake: bool = False


Job = tuple[Trial, ...]
"""Trials that one process runs."""
