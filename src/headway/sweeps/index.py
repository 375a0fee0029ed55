"""The index of a sweep's folder: which trial was begun and how it ended, in lines that are only added."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from headway.sweeps.jobs import DONE, INTERRUPTED, KILLED, TIMEOUT, Outcome, Trial
from headway.types import ConfigError

FILE, LOCK, CHECKPOINTS = "index.jsonl", ".lock", "checkpoints"
LEFT = (KILLED, INTERRUPTED, TIMEOUT)


@dataclass
class Known:
    """What the index knows of one trial.

    Attributes:
        point: Number of its point.
        seed: The replicate's seed.
        folders: Of every attempt, by name, the last one last.
        outcome: Of the last attempt that ended; None where none did: the sweep itself was killed.
        anew: How many attempts, counted up to the last that ended by its own fault, nothing goes on from.
    """

    point: int
    seed: int | None
    folders: list[str] = field(default_factory=list)
    outcome: Outcome | None = None
    anew: int = 0

    def end(self, outcome: Outcome) -> None:
        """Note how the last attempt ended.

        Args:
            outcome: Of it.
        """
        self.outcome = outcome
        if outcome.status not in LEFT:
            self.anew = len(self.folders)

    @property
    def done(self) -> bool:
        """Whether it never needs to be run again."""
        return self.outcome is not None and self.outcome.status in DONE


class Index:
    """The one place that says what a sweep has done; a kill at any moment leaves it readable.

    Args:
        folder: The sweep's folder, which exists.

    Raises:
        ConfigError: Another process is running this sweep.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise ConfigError(
                f"`sweep.name` must be a sweep that no other command is running, but one is in {folder}; "
                "wait for it, or set sweep.name=<another>"
            ) from error
        self.known, self._studied = read_index(folder)
        self._stream = (folder / FILE).open("ab")
        self._end_torn_line()

    def close(self) -> None:
        """Let go of the sweep."""
        self._stream.close()
        os.close(self._lock)

    def discard(self) -> None:
        """Let go of a sweep that was refused, and leave nothing of it where nothing was before."""
        self.close()
        if not self.known:
            for name in (FILE, LOCK):
                (self._folder / name).unlink(missing_ok=True)

    def study(self, signature: str, monitor: str, mode: str) -> None:
        """Note what is swept and which metric is monitored, once found out."""
        if self._studied.get(signature) != (monitor, mode):
            self._append({"event": "sweep", "id": signature, "monitor": monitor, "mode": mode})

    def number_of(self, trial_id: str) -> int | None:
        """Return the number of the point that a trial belongs to, if it was ever begun."""
        known = self.known.get(trial_id)
        return None if known is None else known.point

    def next_number(self) -> int:
        """Return a number that no point has."""
        return max((known.point for known in self.known.values()), default=-1) + 1

    def folders(self) -> Iterator[Path]:
        """Yield the folders of all attempts, also of those that were killed before they made it."""
        for known in self.known.values():
            yield from (self._folder / name for name in known.folders)

    def left_by(self, trial: Trial) -> Path | None:
        """Return the folder of an attempt that ended by no fault of its own, and whose training may go on.

        Attempts that were killed before they had taken over the one before them are passed by.

        Args:
            trial: About to begin again.
        """
        known = self.known.get(trial.id)
        left = [] if known is None else [self._folder / name for name in known.folders[known.anew :]]
        return next((folder for folder in reversed(left) if (folder / CHECKPOINTS).is_dir()), None)

    def begin(self, trial: Trial) -> None:
        """Note that an attempt begins, before it does."""
        known = self.known.setdefault(trial.id, Known(trial.point, trial.seed))
        name = str(trial.folder.relative_to(self._folder))
        known.folders.append(name)
        known.outcome = None
        self._append(
            {"event": "begin", "id": trial.id, "point": trial.point, "seed": trial.seed, "folder": name}
        )

    def end(self, trial: Trial, outcome: Outcome) -> None:
        """Note how an attempt ended."""
        self.known[trial.id].end(outcome)
        self._append({"event": "end", "id": trial.id, **asdict(outcome)})

    def _append(self, entry: dict[str, Any]) -> None:
        line = json.dumps({**entry, "time": round(time.time(), 3)}, ensure_ascii=False)
        self._stream.write(line.encode() + b"\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def _end_torn_line(self) -> None:
        path = self._folder / FILE
        size = path.stat().st_size
        if size:
            with path.open("rb") as stream:
                stream.seek(size - 1)
                if stream.read(1) != b"\n":  # a kill in the middle of writing
                    self._stream.write(b"\n")


def read_index(folder: Path) -> tuple[dict[str, Known], dict[str, tuple[str, str]]]:
    """Return what a sweep's folder says.

    Args:
        folder: Of a sweep; one without an index has nothing.

    Returns:
        Trial's id -> what is known, in the order in which they were begun; and the signatures of the sweeps
        that were checked -> the monitored metric and its direction.
    """
    path = folder / FILE
    found: dict[str, Known] = {}
    studied: dict[str, tuple[str, str]] = {}
    for line in path.read_bytes().splitlines() if path.is_file() else []:
        try:
            entry = json.loads(line)
        except ValueError:  # torn by a kill: what it would have said, didn't happen
            continue
        event, trial_id = entry.pop("event"), entry.pop("id")
        entry.pop("time")
        if event == "sweep":
            studied[trial_id] = entry["monitor"], entry["mode"]
        elif event == "begin":
            known = found.setdefault(trial_id, Known(entry["point"], entry["seed"]))
            known.folders.append(entry["folder"])
            known.outcome = None
        else:
            found[trial_id].end(Outcome(**entry))
    return found, studied
