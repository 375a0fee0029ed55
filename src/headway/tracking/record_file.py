"""Reads record.json, also of a run that someone else made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from headway.tracking.run_record import FILE, SCHEMA
from headway.types import HeadwayError

NEEDED = ("config", "inputs", "numerics", "environment", "process")


def read_record(run: str | Path) -> dict[str, Any]:
    """Return a run's record.

    Args:
        run: The run's folder, or the file itself.

    Raises:
        HeadwayError: There is none, it is damaged, or of a headway that wrote another kind of record.
    """
    given = Path(run).expanduser()
    path = given / FILE if given.is_dir() else given
    if not path.is_file():
        raise HeadwayError(
            f"RUN must be a run's folder with a {FILE}, or that file, got {run}, "
            f"which {'holds none' if given.is_dir() else 'is not there'}; name the folder that headway train "
            "printed"
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HeadwayError(
            f"{path} must be JSON as headway wrote it, got {error}; restore the file"
        ) from error
    schema = record.get("schema") if isinstance(record, dict) else None
    if schema != SCHEMA:
        raise HeadwayError(
            f"{path} must be a record of schema {SCHEMA}, got {schema!r}: it is of "
            f"{'an older' if schema is None else 'another'} headway, and doesn't hold what a rerun takes; "
            "train once more"
        )
    for name in NEEDED:
        if not isinstance(record.get(name), dict):
            raise HeadwayError(f"{path} must hold the mapping `{name}`, got none; restore the file")
    return dict(record)
