"""How far an output file has come, kept beside it, so that what was interrupted can go on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from headway.delivery.file_sums import identity_of, sha256_of
from headway.types import ConfigError

ANEW = "give --overwrite in place of --resume to begin anew"
BLOCK = 1 << 20


@dataclass(frozen=True)
class Origin:
    """What decides every byte of an output file.

    Attributes:
        input: sha256 of FILE.
        model: sha256 of the artifact: of its headway.json, which holds those of the other files.
        options: Of the command line, as far as they decide what is written.
    """

    input: str
    model: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Progress:
    """How far a file has come.

    Attributes:
        origin: What decides it.
        rows: Answered.
        size: Bytes that are whole; what lies behind them was being written.
        sha256: Of these bytes.
    """

    origin: Origin
    rows: int = 0
    size: int = 0
    sha256: str = field(default_factory=lambda: hashlib.sha256().hexdigest())


def progress_file(output: Path) -> Path:
    """Return where an output file's progress stands.

    Args:
        output: Of `headway predict --output`.
    """
    return output.with_name(output.name + ".progress")


def origin_of(source: Path, artifact: Path, options: Mapping[str, Any]) -> Origin:
    """Return what decides an output file.

    Args:
        source: FILE.
        artifact: The folder that answers.
        options: Plain values.
    """
    # Through JSON, since that is how it comes back.
    return Origin(sha256_of(source), identity_of(artifact), json.loads(json.dumps(dict(options))))


def write_progress(output: Path, progress: Progress) -> None:
    """Note how far a file has come; the note is there as a whole or not at all.

    Args:
        output: The output file.
        progress: Its state.
    """
    path = progress_file(output)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(asdict(progress)), encoding="utf-8")
    partial.replace(path)


def read_progress(output: Path, data: Path, origin: Origin) -> Progress | None:
    """Return how far an interrupted file has come.

    Args:
        output: The output file.
        data: Where its rows are; the file itself, or what becomes it.
        origin: What decides it now.

    Returns:
        None if nothing was begun.

    Raises:
        ConfigError: The file was finished or made by something else, what decides it has changed, or its
            bytes have.
    """
    path = progress_file(output)
    if not path.exists():
        if output.exists():
            raise ConfigError(
                f"--resume must be of a file that was interrupted, got --output {str(output)!r} without "
                f"{path.name}: it is finished, or something else wrote it; {ANEW}"
            )
        return None
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        found = Progress(**{**values, "origin": Origin(**values["origin"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(
            f"--resume must find {str(path)!r} as predict wrote it, got {type(error).__name__}; {ANEW}"
        ) from error
    _check_origin(found.origin, origin)
    _check_bytes(data, found)
    return found


def _check_origin(found: Origin, wanted: Origin) -> None:
    for name, called in (("input", "FILE"), ("model", "RUN")):
        if getattr(found, name) != getattr(wanted, name):
            raise ConfigError(
                f"--resume must have the same {called} as when --output was begun, got one that has changed "
                f"(sha256 {getattr(wanted, name)[:12]}…, was {getattr(found, name)[:12]}…); {ANEW}"
            )
    for name in sorted(found.options.keys() | wanted.options.keys()):
        now, then = wanted.options.get(name), found.options.get(name)
        if now != then:
            raise ConfigError(
                f"--resume must have the same options as when --output was begun, got {name}={now!r}, was "
                f"{then!r}; give the same, or {ANEW}"
            )


def _check_bytes(data: Path, progress: Progress) -> None:
    digest, left = hashlib.sha256(), progress.size
    if data.exists():
        with data.open("rb") as stream:
            while left and (block := stream.read(min(left, BLOCK))):
                digest.update(block)
                left -= len(block)
    if left or digest.hexdigest() != progress.sha256:
        raise ConfigError(
            f"--resume must find the first {progress.size} bytes of {str(data)!r} as they were written, got "
            f"others or fewer; {ANEW}"
        )
