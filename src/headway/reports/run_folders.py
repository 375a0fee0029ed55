"""Finds runs in folders, and reads what they say of themselves; those that failed too."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from headway.sweeps.index import FILE, Known, read_index
from headway.sweeps.summary import SWEEP
from headway.types import DataError

CONFIG, RECORD = "config.yaml", "record.json"
FINISHED, PRUNED, UNFINISHED = "finished", "pruned", "unfinished"
REASON = 400
"""Characters of a failure's reason that are kept."""


@dataclass(frozen=True)
class Run:
    """A training, however it ended.

    Attributes:
        folder: Its folder, which may lack anything where it failed.
        status: "finished", "pruned", "failed", "killed", "timeout", "interrupted", or "unfinished" where
            nothing says how it ended.
        cfg: Its resolved config; empty where it wasn't written.
        record: record.json; empty where it wasn't written.
        error: Why it didn't finish.
        params: What its sweep varied; empty outside a sweep.
        attempts: How often it was begun.
    """

    folder: Path
    status: str
    cfg: Mapping[str, Any]
    record: Mapping[str, Any]
    error: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 1

    @property
    def seeds(self) -> tuple[Any, Any]:
        """The seeds of the head and of the order of data."""
        return self.cfg.get("seed"), self.cfg.get("data_seed")

    @property
    def collapsed(self) -> str | None:
        """Why its training counts as collapsed; None for a sound one."""
        reason = self.record.get("collapsed")
        return None if reason is None else str(reason)

    def metric(self, split: str, name: str) -> float | None:
        """Return what the record has of a metric."""
        value = self.record.get("metrics", {}).get(split, {}).get(name)
        return None if value is None else float(value)


def read_runs(places: Sequence[str | Path]) -> list[Run]:
    """Return the runs in folders.

    Args:
        places: Run folders, or folders that hold some at any depth.

    Returns:
        Each run once, by place and then by name.

    Raises:
        DataError: A place isn't a folder, or none holds a run.
    """
    found: dict[Path, Run] = {}
    for place in places:
        folder = Path(place)
        if not folder.is_dir():
            raise DataError(
                f"RUN must be a folder that headway train printed, or one with such folders in it, got "
                f"{str(place)!r}; see outputs/"
            )
        before = len(found)
        for run in _runs(folder):
            found.setdefault(run.folder.resolve(), run)
        if len(found) == before and not any(run in found for run in [folder.resolve()]):
            raise DataError(
                f"RUN must hold a run ({CONFIG} or {RECORD}) at some depth, got {str(place)!r} without any; "
                "train first, or name another folder"
            )
    return list(found.values())


def _runs(folder: Path) -> Iterator[Run]:
    """Yield the runs in a folder, with what the index of the sweep above them says."""
    sweep = _sweep_above(folder)
    known = _known(sweep) if sweep is not None else {}
    yield from _walk(folder, known)


def _sweep_above(folder: Path) -> Path | None:
    absolute = folder.absolute()
    return next((each for each in (absolute, *absolute.parents[:2]) if (each / FILE).is_file()), None)


@dataclass(frozen=True)
class _Trial:
    known: Known
    params: Mapping[str, Any]


def _known(sweep: Path) -> dict[Path, _Trial]:
    """Return each folder of a sweep's trials -> what its index says."""
    try:
        params = _params(sweep)
        index, _ = read_index(sweep)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise DataError(f"{sweep / FILE} must be as headway wrote it, got {error}; copy it again") from error
    return {
        (sweep / name).resolve(): _Trial(each, params.get(each.point, {}))
        for each in index.values()
        for name in each.folders
    }


def _params(sweep: Path) -> dict[int, Mapping[str, Any]]:
    path = sweep / SWEEP
    document = read_json(path) if path.is_file() else {}
    return {point["point"]: point.get("params", {}) for point in document.get("points", ())}


def _walk(folder: Path, known: Mapping[Path, _Trial]) -> Iterator[Run]:
    if (folder / FILE).is_file():
        known = {**known, **_known(folder)}
        yield from _without_folder(folder, known)
    trial = known.get(folder.resolve())
    if trial is not None or any((folder / name).is_file() for name in (CONFIG, RECORD)):
        if trial is None or trial.known.folders[-1:] == [_relative(folder, trial)]:
            yield read_run(folder, trial.known if trial else None, trial.params if trial else {})
        return
    for inner in sorted(folder.iterdir(), key=_natural):
        if inner.is_dir() and not inner.is_symlink():
            yield from _walk(inner, known)


def _without_folder(sweep: Path, known: Mapping[Path, _Trial]) -> Iterator[Run]:
    """Yield the trials that ended before they had a folder."""
    for folder, trial in known.items():
        if sweep.resolve() in folder.parents and not folder.is_dir():
            yield read_run(folder, trial.known, trial.params)


def _relative(folder: Path, trial: _Trial) -> str:
    """Return which of its trial's folders this is, by the name that the index has."""
    resolved = folder.resolve().as_posix()
    return max((name for name in trial.known.folders if resolved.endswith("/" + name)), key=len, default="")


def _natural(path: Path) -> tuple[int, str]:
    """Order 10 behind 9."""
    return (int(path.name), "") if path.name.isdecimal() else (1 << 30, path.name)


def read_run(folder: Path, known: Known | None = None, params: Mapping[str, Any] | None = None) -> Run:
    """Read one run.

    Args:
        folder: Its folder.
        known: What the index of its sweep says.
        params: What its sweep varied.

    Raises:
        DataError: A file of it is damaged.
    """
    cfg, record = _read_yaml(folder / CONFIG), {}
    if (folder / RECORD).is_file():
        record = read_json(folder / RECORD)
    outcome = known.outcome if known is not None else None
    status = _own_status(record)
    if outcome is not None:
        status = outcome.status
    error = outcome.error if outcome is not None else (record.get("process") or {}).get("error")
    if status not in (FINISHED, PRUNED) and error is None:
        error = _last_error(folder)
    attempts = len(known.folders) if known is not None else 1
    seed = {} if known is None or known.seed is None or cfg else {"seed": known.seed}
    return Run(folder, status, {**cfg, **seed}, record, error, params or {}, attempts)


def _own_status(record: Mapping[str, Any]) -> str:
    """Return how a run says that it ended; an older record is written at the end alone, and says nothing."""
    status = str(record.get("status", FINISHED if record else UNFINISHED))
    return UNFINISHED if status == "running" else status  # killed before it could say more


def _read_yaml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        value = yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 -- both loaders are the safe one
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} must be YAML as headway wrote it, got {error}; copy the run again"
        ) from error
    if not isinstance(value, dict):
        raise DataError(f"{path} must hold keys, got {type(value).__name__}; copy the run again")
    return value


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of a run that holds keys.

    Args:
        path: The file.

    Raises:
        DataError: It can't be read, or holds something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} must be JSON as headway wrote it, got {error}; copy the run again"
        ) from error
    if not isinstance(value, dict):
        raise DataError(f"{path} must hold keys, got {type(value).__name__}; copy the run again")
    return value


def _last_error(folder: Path) -> str | None:
    """Return the last error that a run's log has."""
    path = folder / "run.log"
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    errors: Iterable[str] = (line for line in reversed(lines) if "][ERROR]" in line)
    line = next(iter(errors), None)
    return None if line is None else line.partition("][ERROR]")[2].strip(" -")[:REASON]
