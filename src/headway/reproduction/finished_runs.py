"""Finds the finished run of a config, whichever command made it."""

from __future__ import annotations

import json
from pathlib import Path

from headway.tracking.run_record import FILE, FINISHED


def finished_run(outputs: Path, run_id: str, *, split: str) -> Path | None:
    """Return the folder of a finished run of a config.

    Args:
        outputs: The folder of all runs of one name, those of its sweeps among them.
        run_id: `headway.config.identity.run_id` of the config.
        split: Whose predictions it must hold.

    Returns:
        The newest one; None where there is none.
    """
    records = [*outputs.glob(f"*/{FILE}"), *outputs.glob(f"*/*/{FILE}")]
    for path in sorted(records, reverse=True):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # of a run that is being removed, or is damaged
            continue
        same = record.get("run_id") == run_id and record.get("status") == FINISHED
        if same and (path.parent / "predictions" / f"{split}.parquet").is_file():
            return path.parent
    return None
