"""Measure the report of a sweep of 30 runs: seconds to make, and size of the page.

    python experiments/benchmarks/report.py
    python experiments/benchmarks/report.py --sweep outputs/r8/<sweep>    # one that is there

The sweep is R8 with a frozen MiniLM, five learning rates, two losses, three seeds. Writes the part `report`
of experiments/results/sweeps.json, and sweeps.md from all parts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sweeps_page import write

SWEEP = (
    "data=r8", "backbone=minilm", "backbone.trainable=none", "trainer.max_epochs=6", "seeds=3",
    "optimizer.lr=3e-4,1e-3,3e-3,1e-2,1e-1", "task/loss=cross_entropy,focal", "sweep.name=sweep",
    "trainer.enable_progress_bar=false",
)  # fmt: skip


def headway(*words: str) -> float:
    """Run a verb and return its wall seconds."""
    begun = time.perf_counter()
    command = [sys.executable, "-P", "-m", "headway.cli.main", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def measure(sweep: Path, folder: Path, *, rounds: int) -> dict[str, Any]:
    """Make the report some times.

    Args:
        sweep: Folder of the runs.
        folder: Where pages go.
        rounds: How often.
    """
    page, table = folder / "report.html", folder / "table.csv"
    seconds = [headway("report", str(sweep), "--html", str(page), "--csv", str(table)) for _ in range(rounds)]
    text = page.read_text(encoding="utf-8")
    return {
        "runs": sum(1 for _ in sweep.rglob("record.json")),
        "best seconds": round(min(seconds), 2),
        "median seconds": round(sorted(seconds)[len(seconds) // 2], 2),
        "page, KB": round(len(text.encode()) / 1000),
        "rounds": rounds,
        "cores": os.cpu_count(),
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sweep", type=Path, help="a sweep's folder; by default one is trained")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        sweep = arguments.sweep
        if sweep is None:
            headway("train", "-m", *SWEEP, f"output_dir={name}/out", "name=bench")
            sweep = Path(name) / "out" / "bench" / "sweep"
        found = {"30-run sweep": measure(sweep, Path(name), rounds=arguments.rounds)}
    write("report", found, f"python experiments/benchmarks/report.py --rounds {arguments.rounds}")


if __name__ == "__main__":
    main()
