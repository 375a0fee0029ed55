"""Milliseconds from text to answer at batch 1, every engine in one process, each text to all in turn.

    python experiments/benchmarks/delivery_latency.py MODEL RUN WORK --threads 1 [--lengths 16 128]

MODEL is `run`, `distilbert` or `bert_base`. Prints JSON; delivery.py calls it for each number of threads,
since torch and ONNX Runtime keep theirs for as long as a process lives.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import torch
from delivery_models import long_artifact, onnx_exports, run_split

import headway
from headway.delivery.latency import timings
from headway.delivery.loading import read_artifact
from headway.delivery.torch_predictor import torch_predictor


def main() -> None:
    """Time one model with one number of threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("run", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--lengths", type=int, nargs="+", default=[16, 64, 128, 256, 512])
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=90.0)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    folder = long_artifact(arguments.model, arguments.run, arguments.work)
    artifact = read_artifact(folder)
    predictors = {
        "torch fp32": torch_predictor(artifact, device="cpu", precision="32-true"),
        "torch bf16": torch_predictor(artifact, device="cpu", precision="bf16-mixed"),
    }
    for name, export in onnx_exports(folder, folder.parent).items():
        predictors[name] = headway.load(export, threads=arguments.threads)
    _, data = run_split(arguments.run, "test")
    found = timings(
        predictors,
        {"text": list(data.tables["test"].column("text"))},
        lengths=arguments.lengths,
        batch_sizes=[1],
        repeats=arguments.repeats,
        seconds=arguments.seconds,
    )
    print(json.dumps([asdict(each) for each in found]))


if __name__ == "__main__":
    main()
