"""Time what the command line says before it computes, against the same command with its libraries imported.

    python experiments/benchmarks/startup.py --repeats 5

Each command runs as a process of its own, lazily and eagerly in turn; medians of the seconds by the clock,
and by the processor, which other work on the machine changes less. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

FILES = ["data=files", "data.train=x.csv", "data.text=body", "data.label=topic"]
COMMANDS = {
    "headway --help": ["--help"],
    "headway train --help": ["train", "--help"],
    "headway train --cfg job": ["train", "--cfg", "job"],
    "an unknown key": ["train", "optimizer.lrr=1"],
    "an unknown option": ["train", "data=r88"],
    "a value that is out of range": ["train", *FILES, "optimizer.lr=-1"],
    "an argument that the head doesn't take": ["train", *FILES, "+task.head.poling=mean"],
    "a value of the trainer": ["train", *FILES, "trainer.max_epochs=0"],
}
LAZY = "import sys; from headway.cli.main import main; sys.exit(main(sys.argv[1:]))"
EAGER = "import torch, transformers.models.bert.modeling_bert, pytorch_lightning, datasets; " + LAZY


def timed(code: str, words: list[str], folder: str) -> tuple[float, float]:
    """Return the seconds of one process by the clock and by the processor."""
    before, start = os.times(), time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *words], cwd=folder, capture_output=True, check=False)
    seconds, after = time.perf_counter() - start, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, used


def main() -> None:
    """Run all commands and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    table = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, words in COMMANDS.items():
            runs = {"lazy": LAZY, "eager": EAGER}
            found = {kind: [] for kind in runs}
            for number in range(arguments.repeats + 1):
                for kind, code in runs.items():
                    measured = timed(code, words, folder)
                    if number:  # the first fills the disk's cache
                        found[kind].append(measured)
            clock = {kind: median(each[0] for each in values) for kind, values in found.items()}
            cpu = {kind: median(each[1] for each in values) for kind, values in found.items()}
            table[name] = {
                "seconds": {kind: round(value, 3) for kind, value in clock.items()},
                "cpu_seconds": {kind: round(value, 3) for kind, value in cpu.items()},
                "times_faster": round(clock["eager"] / clock["lazy"], 1),
            }
    text = json.dumps({"repeats": arguments.repeats, "commands": table}, indent=2)
    print(text)
    if arguments.output:
        arguments.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
