"""Train and score with one process and with two (gloo), from the config of a finished run, and compare.

    python experiments/benchmarks/two_processes.py RUN --steps 4 --split test

Dropout is off, since processes draw their own; all else is the run's: windows, weights, batches, schedule,
aggregation, decoding. Both share the same global batches. Prints JSON: the largest differences between the
weights, the document logits and the metrics.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np


def worker(arguments: argparse.Namespace) -> None:
    """Train and score as one process of several; the first writes what came of it."""
    import pytorch_lightning as pl
    import torch

    from headway.assembly import build_backbone, build_data, build_evaluator, build_module, encode_data
    from headway.evaluate_run import run_config
    from headway.models.fast_dropout import FastDropout

    torch.set_num_threads(1)
    world, split = arguments.world, arguments.split
    cfg = run_config(arguments.run)
    batching = {**cfg["batching"], "batch_size": arguments.batch_size // world}
    cfg |= {"batching": batching, "cache_dir": arguments.cache or cfg["cache_dir"]}
    cfg["trainer"] |= {"max_steps": arguments.steps, "accumulate_grad_batches": 1}
    pl.seed_everything(cfg["seed"], verbose=False)
    data, backbone = build_data(cfg), build_backbone(cfg)
    data.read()
    encode_data(data, backbone, backbone.load_tokenizer())
    module, loaders, _ = build_module(cfg, data, backbone, num_processes=world)
    for part in module.modules():
        if isinstance(part, FastDropout | torch.nn.Dropout):
            part.p = 0.0
    module.evaluators["test"] = build_evaluator(cfg, data, split)
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=world,
        strategy="ddp" if world > 1 else "auto",
        max_steps=arguments.steps,
        precision="32-true",
        gradient_clip_val=cfg["trainer"]["gradient_clip_val"],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        limit_val_batches=0,
        use_distributed_sampler=False,
    )
    trainer.fit(module, datamodule=loaders)
    trainer.test(module, dataloaders=loaders.eval_dataloader(split), verbose=False)
    if trainer.global_rank == 0:
        evaluation = module.evaluations["test"]
        weights = {f"weight {name}": value.numpy() for name, value in module.state_dict().items()}
        metrics = {f"metric {name}": np.array(value) for name, value in evaluation.metrics.items()}
        np.savez(arguments.out, logits=evaluation.documents.logits, **weights, **metrics)


def launch(arguments: argparse.Namespace, world: int, out: Path) -> dict[str, np.ndarray]:
    """Start the processes, wait for them, and return what the first wrote."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, __file__, str(arguments.run), "--world", str(world), "--out", str(out)]
    command += ["--steps", str(arguments.steps), "--split", arguments.split]
    command += ["--batch-size", str(arguments.batch_size)]
    command += ["--cache", arguments.cache] if arguments.cache else []
    processes = []
    for rank in range(world):
        variables = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "NODE_RANK": "0"}
        ranked = variables | {"LOCAL_RANK": str(rank), "WORLD_SIZE": str(world), "OMP_NUM_THREADS": "1"}
        processes.append(subprocess.Popen(command, env={**os.environ, **(ranked if world > 1 else {})}))
    if sum(process.wait() for process in processes):  # a sum: all are waited for
        raise SystemExit(f"a process of {world} failed")
    with np.load(out) as found:
        return dict(found)


def compare(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> dict[str, float]:
    """Return the largest absolute differences.

    Biases of attention keys are left out: softmax cancels them, so that their gradient is rounding alone, and
    Adam makes whole steps of it.
    """
    differences = {"weights": 0.0, "logits": 0.0, "metrics": 0.0}
    for name, value in one.items():
        if name.endswith("key.bias"):
            continue
        kind = "logits" if name == "logits" else name.split(" ", 1)[0] + "s"
        found = float(np.max(np.abs(value.astype(np.float64) - two[name]), initial=0.0))
        differences[kind] = max(differences[kind], found)
    return differences


def main() -> None:
    """Run both, and print the comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--split", default="test")
    parser.add_argument("--batch-size", type=int, default=16, help="windows a step, over all processes")
    parser.add_argument("--cache", help="another cache folder than the run's")
    parser.add_argument("--world", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.world:
        worker(arguments)
        return
    with tempfile.TemporaryDirectory() as folder:
        one, two = (launch(arguments, world, Path(folder) / f"{world}.npz") for world in (1, 2))
    metrics = {
        name.split(" ", 1)[1]: float(value) for name, value in one.items() if name.startswith("metric ")
    }
    print(json.dumps({"differences": compare(one, two), "metrics": metrics}))


if __name__ == "__main__":
    main()
