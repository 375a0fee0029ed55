"""Peak memory with one document of 230,000 word pieces among ordinary ones, and without it.

    python experiments/benchmarks/long_memory.py [--pieces 230000] [--backbone minilm]

Trains (data.train_windows=2) and predicts, each in a process of its own, on texts made here. Prints JSON:
peak resident memory in MiB, and the ratio, which is to stay below 1.5.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

WORDS = (
    *("the", "film", "is", "a", "story", "of", "people", "who", "have", "time", "and", "no", "money", "but"),
    *("find", "their", "way", "home", "in", "the", "end"),
)


def write(path: Path, lengths: list[int], seed: int) -> None:
    """Write documents of so many words, each of one piece; the label is whether the length is odd."""
    draw = random.Random(seed)
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(["text", "label"])
        for number, length in enumerate(lengths):
            rows.writerow([" ".join(draw.choices(WORDS, k=length)), ("even", "odd")[number % 2]])


def peak(words: list[str], folder: Path) -> tuple[float, str]:
    """Run `headway words` and return its peak resident memory in MiB, and what it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "headway.cli.main", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    printed = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"headway {' '.join(words)} failed:\n{printed}")
    return usage.ru_maxrss / 1024, printed


def measure(folder: Path, *, pieces: int, backbone: list[str]) -> dict[str, float]:
    """Return the peaks of training and prediction with one document of `pieces`; 0: none."""
    folder.mkdir()
    draw = random.Random(0)
    ordinary = [draw.randint(20, 700) for _ in range(200)]
    write(folder / "train.csv", [*ordinary, *([pieces] if pieces else [])], 0)
    write(folder / "test.csv", [*ordinary[:40], *([pieces] if pieces else [])], 1)
    training, _ = peak(
        [
            *("train", *backbone, "data=files", "data.train=train.csv", "data.test=test.csv"),
            *("data.label=label", "data.max_length=256", "data.truncation=windows", "data.overlap=32"),
            *(
                "data.train_windows=2",
                "batching.batch_size=16",
                "trainer.max_epochs=1",
                "trainer.accelerator=cpu",
            ),
            *("trainer.enable_progress_bar=false", "hydra.run.dir=run", f"cache_dir={folder / 'cache'}"),
        ],
        folder,
    )
    predicting, _ = peak(["predict", "run", "test.csv", "--output", "answers.jsonl"], folder)
    return {"train": training, "predict": predicting}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pieces", type=int, default=230_000)
    parser.add_argument(
        "--backbone", nargs="+", default=["backbone=minilm"], help="overrides of the backbone"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        without = measure(folder / "without", pieces=0, backbone=arguments.backbone)
        with_it = measure(folder / "with", pieces=arguments.pieces, backbone=arguments.backbone)
    print(
        json.dumps(
            {
                "pieces": arguments.pieces,
                "mib_without": {verb: round(value) for verb, value in without.items()},
                "mib_with": {verb: round(value) for verb, value in with_it.items()},
                "ratio": {verb: round(with_it[verb] / without[verb], 3) for verb in without},
            }
        )
    )


if __name__ == "__main__":
    main()
