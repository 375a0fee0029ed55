"""The page of all that is measured of sweeps, written anew with each part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "results"
ABOUT = {
    "kills": "Trials of two seconds (a tiny BERT), two at once. The sweep's process is killed with SIGKILL"
    " at random moments, and the same command given again. What two workers have under way may be"
    " lost: two.",
    "trouble": "Nine trials, of which one crashes, kills itself or hangs beyond its time limit.",
    "overhead": "Trials one after the other, beyond their training, scoring and writing: reading, encoding, "
    "building, the record, and what stands between two trials. headway forks a process a trial "
    "from a warm one; the others run all in one process. Cold: from the command's start, imports "
    "included.",
    "search": "Learning rate and loss (cross-entropy, focal) on R8 with a frozen MiniLM whose features are "
    "there, 5 epochs; mean and deviation of macro-F1 on validation over the best point's seeds.",
    "report": "From the command to the page, a table and a CSV file, imports included.",
    "significance": "Share of draws without a difference in which one was found (aim: at most 5 %), and of "
    "draws with one in which it was.",
}
"""What the page says of each part."""


def write(part: str, found: dict[str, Any], command: str) -> None:
    """Add a part to sweeps.json, and write sweeps.md."""
    path = RESULTS / "sweeps.json"
    whole: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    whole[part] = {"command": command, "found": found}
    path.write_text(json.dumps(whole, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    lines = ["# Sweeps", ""]
    for name, each in sorted(whole.items()):
        lines += [f"## {name}", "", ABOUT[name], "", f"`{each['command']}`", ""]
        columns = list(dict.fromkeys(key for row in each["found"].values() for key in row))
        lines += ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
        for row, values in each["found"].items():
            lines.append("| " + " | ".join([row, *(str(values.get(key, "")) for key in columns)]) + " |")
        lines.append("")
    (RESULTS / "sweeps.md").write_text("\n".join(lines), encoding="utf-8")
    print(json.dumps(found, indent=2))
