"""Try what headway promises, case by case, and the same faults on other frameworks where they make sense.

    python experiments/benchmarks/trust.py                       # every row: make trust
    python experiments/benchmarks/trust.py resume save --share 0.1 --no-peers

Each row writes its part of experiments/results/trust.json, and trust.md from all parts. `--share` tries some
of the cases and writes nothing.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import sys
import tempfile
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # before torch: a process with threads can't be forked safely
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

RESULTS = Path(__file__).resolve().parents[1] / "results"
ROWS = (
    "resume",
    "save",
    "corruption",
    "signals",
    "steps",
    "faults",
    "cache",
    "targets",
    "overrides",
    "tables",
    "artifacts",
    "output",
    "advisories",
    "metrics",
    "rerun",
    "fuzz",
    "soak",
)
"""Modules of trust_parts, in the order of the table."""


def run_row(row: Any, *, share: float, peers: bool) -> dict[str, Any]:
    """Try a row's cases in a folder of its own; return headway's counts and those of the peers."""
    from trust_parts.rows import count
    from trust_parts.works import make_bert, make_rows

    found = {}
    for who, cases in {"headway": row.cases, **(row.peers if peers else {})}.items():
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            make_bert(work / "bert")
            make_rows(work / "rows.jsonl")
            with Path(os.devnull).open("w") as nothing, redirect_stdout(nothing), redirect_stderr(nothing):
                result = count(cases(work, share))
        found[who] = asdict(result)
        print(f"{row.name:12} {who:10} {result.held} of {result.tried} held, {result.seconds} s", flush=True)
        for case, why in list(result.failures.items())[: 10 if who == "headway" else 2]:
            print(f"    {case}: {why}", flush=True)
    return {"goal": row.goal, **found}


def as_markdown(rows: dict[str, Any]) -> str:
    """Return the table of all rows."""
    lines = [
        "# Trust",
        "",
        "Written by `make trust` (`experiments/benchmarks/trust.py`). Held of tried; n/a: it has no meaning "
        "there, or isn't tried.",
        "",
        "| goal | headway | seconds | Lightning | HF Trainer |",
        "|---|---|---|---|---|",
    ]
    for row in rows.values():
        cells = [
            f"{row[who]['held']} of {row[who]['tried']}" if who in row else "n/a"
            for who in ("headway", "Lightning", "HF Trainer")
        ]
        lines.append(
            f"| {row['goal']} | {cells[0]} | {row['headway']['seconds']:.0f} | {cells[1]} | {cells[2]} |"
        )
    for who in ("headway", "Lightning", "HF Trainer"):
        failures = [
            f"- {row['goal'].split(':')[0]}: {case}: {why}"
            for row in rows.values()
            for case, why in list(row.get(who, {}).get("failures", {}).items())[:3]
        ]
        if failures:
            lines += ["", f"## What didn't hold: {who} (at most 3 a row)", "", *failures]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Try the rows asked for; return 1 if a case of headway's didn't hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--no-peers", action="store_true")
    arguments = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    warnings.simplefilter("ignore")
    logging.disable(logging.INFO)
    path = RESULTS / "trust.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    good = True
    for name in arguments.rows or ROWS:
        row = importlib.import_module(f"trust_parts.{name}").ROW
        results[name] = run_row(row, share=arguments.share, peers=not arguments.no_peers)
        good &= results[name]["headway"]["held"] == results[name]["headway"]["tried"]
        if arguments.share == 1.0:
            ordered = {each: results[each] for each in ROWS if each in results}
            path.write_text(json.dumps(ordered, indent=2) + "\n")
            (RESULTS / "trust.md").write_text(as_markdown(ordered))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
