"""Measure sweeps: kill them, break their trials, time what a trial costs beside its training, search R8.

    python experiments/benchmarks/sweeps.py kills --kills 10 --trials 30
    python experiments/benchmarks/sweeps.py trouble
    python experiments/benchmarks/sweeps.py overhead --trials 8
    python experiments/benchmarks/sweeps.py search --trials 20 --seeds 3

Each writes its part of experiments/results/sweeps.json, and sweeps.md from all parts.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from sweeps_page import write

ROOT = Path(__file__).resolve().parents[2]
TINY = (
    "backbone=bert_tiny", "data=files", "data.train=my.csv", "data.label=label", "data.max_length=16",
    "trainer.max_epochs=2", "trainer.accelerator=cpu", "trainer.precision=32-true", "num_threads=1",
    "trainer.enable_progress_bar=false", "~logger", "output_dir=out", "name=bench", "sweep.name=sweep",
)  # fmt: skip
R8 = (
    "data=r8", "backbone=minilm", "backbone.trainable=none", "trainer.max_epochs=5", "output_dir=out",
    "name=bench", "sweep=optuna", "sweep.name=sweep", "optimizer.lr=tag(log,interval(1e-4,1e-1))",
    "task/loss=cross_entropy,focal",
)  # fmt: skip
SEARCH = (
    "sweep=optuna", "sweep.seed=7", "sweep.sampler.n_startup_trials=4", "task/loss=cross_entropy,focal",
    "optimizer.lr=tag(log,interval(1e-4,1e-2))",
)  # fmt: skip
TROUBLE = """
import os, signal, time
from torch import nn

class Trouble(nn.Module):
    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind

    def forward(self, logits, targets):
        if self.kind == "crash":
            raise RuntimeError("the loss broke")
        if self.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        while self.kind == "hang":
            time.sleep(60)
        return nn.functional.cross_entropy(logits.float(), targets, reduction="none")
"""


def prepare(folder: Path) -> None:
    """Write a data set of forty rows and a loss that makes trouble into a folder."""
    rows = [f"the {'fox' if i % 2 else 'dog'} jumps {i},{'fox' if i % 2 else 'dog'}\n" for i in range(40)]
    (folder / "my.csv").write_text("text,label\n" + "".join(rows), encoding="utf-8")
    (folder / "trouble.py").write_text(TROUBLE, encoding="utf-8")
    losses = folder / "experiments" / "task" / "loss"
    losses.mkdir(parents=True)
    (losses / "trouble.yaml").write_text("_target_: trouble.Trouble\nkind: none\n", encoding="utf-8")


def start(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """Start `headway train -m` in a folder."""
    command = [sys.executable, "-P", "-m", "headway.cli.main", "train", "-m", *words]
    environment = {**os.environ, "HEADWAY_ALLOW_MODULES": "trouble"}
    out = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out)


def timed(folder: Path, *words: str, status: int = 0) -> float:
    """Run `headway train -m` in a folder and return its wall seconds."""
    begun = time.perf_counter()
    code = start(folder, *words).wait()
    if code != status:
        raise SystemExit(f"{' '.join(words)} ended with {code}, not {status}")
    return time.perf_counter() - begun


def events(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of the index of a folder's sweep."""
    path = folder / "out" / "bench" / "sweep" / "index.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def begun(folder: Path) -> int:
    """Return how many attempts a folder's sweep has noted the beginning of."""
    return sum(event["event"] == "begin" for event in events(folder))


def outputs(folder: Path) -> int:
    """Return how many attempts of a folder's sweep have come to have a process."""
    return sum(1 for _ in (folder / "out" / "bench" / "sweep").glob("*/output.log"))


def kill_often(sweep: tuple[str, ...], *, kills: int, jobs: int, seed: int) -> dict[str, Any]:
    """Kill a sweep at random moments, give the command again until it ends, and count what went wrong.

    In turn up to four seconds after its first trial trains, and after it notes it, which is seconds before.
    """
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        words = (*TINY, *sweep, f"sweep.n_jobs={jobs}")
        lost, stamps, done = [], {}, 0
        while done < kills:
            moment = begun if done % 2 else outputs
            before = moment(folder)
            process = start(folder, *words)
            while moment(folder) == before and process.poll() is None:
                time.sleep(0.05)
            time.sleep(draw.uniform(0.0, 4.0))
            if process.poll() is not None:
                break  # it ended before this kill
            process.kill()
            process.wait()
            done += 1
            kinds = Counter(event["event"] for event in events(folder))
            lost.append(kinds["begin"] - kinds["end"] - sum(lost))
            time.sleep(2.0)  # trials die with the command; what is written now stays as it is
            for path in (folder / "out" / "bench" / "sweep").glob("*/record.json"):
                stamps.setdefault(path, path.stat().st_mtime_ns)
        timed(folder, *words)
        overwritten = sum(path.stat().st_mtime_ns != stamp for path, stamp in stamps.items())
        found = events(folder)
        finished = Counter(e["id"] for e in found if e["event"] == "end" and e["status"] == "finished")
        folders = Counter(e["folder"] for e in found if e["event"] == "begin")
        return {
            "kills": done,
            "trials": len(finished),
            "finished trials redone": sum(finished.values()) - len(finished),
            "points repeated": len({e["point"] for e in found if e["event"] == "begin"}) - len(finished),
            "folders overwritten": overwritten + sum(folders.values()) - len(folders),
            "most lost at a kill": max(lost, default=0),
            "jobs at once": jobs,
        }


def kills(arguments: argparse.Namespace) -> dict[str, Any]:
    """Kill a grid and a seeded search."""
    rates = ",".join(str(1e-4 * (number + 1)) for number in range(arguments.trials))
    grid = (f"optimizer.lr={rates}",)
    search = (*SEARCH, f"sweep.n_trials={arguments.trials}")
    options = {"kills": arguments.kills, "jobs": arguments.jobs}
    return {"grid": kill_often(grid, seed=1, **options), "search": kill_often(search, seed=2, **options)}


def trouble(arguments: argparse.Namespace) -> dict[str, Any]:
    """Break one trial of eight in each way; the others must finish."""
    found = {}
    for kind in ("crash", "kill", "hang"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            prepare(folder)
            rates = [f"{1e-3 * (number + 1):g}" for number in range(7)]
            words = [*TINY, "task/loss=trouble", f"sweep.n_jobs={arguments.jobs}", "sweep.time_limit=60"]
            timed(folder, *words, f"optimizer.lr={','.join(rates)}")
            # The eighth joins the sweep of the same name.
            timed(folder, *words, "optimizer.lr=1", f"task.loss.kind={kind},none", status=1)
            ends = [e["status"] for e in events(folder) if e["event"] == "end"]
            found[kind] = dict(Counter(ends))
    return found


def overhead(arguments: argparse.Namespace) -> dict[str, Any]:
    """Time trials one after the other: by headway, by Hydra's basic launcher, by a bare Optuna study.

    The first trial's overhead, from the command's start, is cold; that of the others, from the record of the
    one before, is warm.
    """
    rates = [f"{1e-3 * (number + 1):g}" for number in range(arguments.trials)]
    found = {}
    for name in ("headway", "hydra basic", "bare optuna"):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            prepare(folder)
            begun = time.time()
            if name == "bare optuna":
                command = [sys.executable, __file__, "bare", *TINY, *rates]
                subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            else:
                more = ("hydra/sweeper=basic",) if name == "hydra basic" else ()
                timed(folder, *TINY, f"optimizer.lr={','.join(rates)}", *more)
            paths = [folder / "out" / "bench" / "sweep" / str(n) / "record.json" for n in range(len(rates))]
            ends = [begun, *(path.stat().st_mtime for path in paths)]
            records = [json.loads(path.read_text())["seconds"] for path in paths]
        training = [sum(record[stage] for stage in ("fit", "score", "write")) for record in records]
        beside = [end - start - own for start, end, own in zip(ends[:-1], ends[1:], training, strict=True)]
        found[name] = {
            "training, scoring, writing: median seconds": round(statistics.median(training), 3),
            "overhead a trial, warm: median seconds": round(statistics.median(beside[1:]), 3),
            "overhead of the first, cold: seconds": round(beside[0], 3),
        }
    return found


def bare(words: list[str]) -> None:
    """Run trials in a study of Optuna's, in this process, with nothing around them."""
    import optuna
    from hydra import compose, initialize_config_module
    from omegaconf import OmegaConf

    from headway.config.search_path import register
    from headway.run import run

    rates = [word for word in words if "=" not in word and not word.startswith("~")]
    register()
    with initialize_config_module("headway.conf", version_base="1.3"):
        cfg: Any = OmegaConf.to_container(compose("train", overrides=words[: -len(rates)]), resolve=True)
    study = optuna.create_study(storage="sqlite:///bare.db", direction="maximize")
    for number, rate in enumerate(rates):
        trial = study.ask()
        own = {**cfg, "optimizer": {**cfg["optimizer"], "lr": float(rate)}}
        study.tell(trial, run(own, Path("out/bench/sweep") / str(number)).best_value)


def search(arguments: argparse.Namespace) -> dict[str, Any]:
    """Search learning rate and loss on R8 with a frozen MiniLM, without and with pruning.

    A search of one point, which isn't counted, leaves the features that both take.
    """
    found = {}
    with tempfile.TemporaryDirectory() as place:
        timed(Path(place), *R8, "sweep.n_trials=1")
    for name, more in (("without pruning", ()), ("median pruner", ("sweep/pruner=median",))):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            words = (
                *R8,
                f"sweep.n_trials={arguments.trials}",
                f"seeds={arguments.seeds}",
                f"sweep.n_jobs={arguments.jobs}",
            )
            wall = timed(folder, *words, *more)
            document = json.loads((folder / "out" / "bench" / "sweep" / "sweep.json").read_text())
            best = next(p for p in document["points"] if p["point"] == document["highest"])
            found[name] = {"wall seconds": round(wall, 1), **document["statuses"], "best": best["params"],
                           "mean": round(best["mean"], 4), "sd": round(best["sd"] or 0.0, 4)}  # fmt: skip
    return found


def main() -> None:
    """Measure one part and write it."""
    if sys.argv[1:2] == ["bare"]:
        bare(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=["kills", "trouble", "overhead", "search"])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    parts = {"kills": kills, "trouble": trouble, "overhead": overhead, "search": search}
    command = f"python experiments/benchmarks/sweeps.py {' '.join(sys.argv[1:])}"
    write(arguments.part, parts[arguments.part](arguments), command)


if __name__ == "__main__":
    main()
