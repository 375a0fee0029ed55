"""Whole trainings of headway and Trainer on the same splits, and what their test scores came to.

Their seconds aren't compared: the trainings may run beside other work, and the steps are timed apart.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from speed_parts.machine import machine
from speed_parts.options import ROOT, Options
from speed_parts.rounds import Found, environment, in_process
from speed_parts.works import Work, split_rows, write_rows

WHOLE: dict[str, dict[str, Any]] = {
    "r8": {"kind": "text", "max_length": 128, "pooling": "cls", "epochs": 2, "lr": 1e-4},
    "boolq": {"kind": "pair", "max_length": 256, "pooling": "cls", "epochs": 2, "lr": 1e-4},
    "conll2003_ner": {"kind": "words", "max_length": 128, "pooling": "cls", "epochs": 2, "lr": 3e-4},
}
FEWER_SEEDS = {"boolq": 1}
"""Data set -> how many of the seeds are trained: twenty minutes of two cores a training are many."""
METRICS = {"r8": ("accuracy", "f1_macro"), "boolq": ("accuracy", "f1_macro"), "conll2003_ner": ("entity_f1",)}


def split_files(folder: Path, name: str, *, tiny: bool) -> dict[str, str]:
    """Write a data set's splits as headway makes them, and return the files.

    Args:
        folder: Where they are written, unless they are there.
        name: The data set.
        tiny: Whether 64 rows of train and 32 of each other are enough, all of them from train, whose first
            rows hold too few labels for the others'.
    """
    paths = {
        split: folder / f"{name}-{'tiny-' if tiny else ''}{split}.jsonl"
        for split in ("train", "validation", "test")
    }
    if not all(path.is_file() for path in paths.values()):
        splits = split_rows(name, kind=WHOLE[name]["kind"])
        if tiny:
            rows = splits["train"][:64]
            splits = {"train": rows, "validation": rows[:32], "test": rows[:32]}
        for split, path in paths.items():
            write_rows(path, splits[split])
    return {split: str(path) for split, path in paths.items()}


def trained(name: str, words: list[str], *, options: Options, threads: int | None = None) -> dict[str, Any]:
    """Return the record of a finished `headway train`, training first if there is none.

    Args:
        name: Of the run, below outputs/runs; other overrides make another.
        words: Overrides.
        options: Outputs and threads.
        threads: CPU threads; None: those of the options.
    """
    threads = threads or options.threads
    name = f"{name}_{_digest(words)}"
    folder = options.outputs / "runs"

    def finished() -> list[Path]:
        """Return the records of finished runs of the name, oldest first."""
        return sorted((folder / name).glob("*/record.json"))

    if not finished():
        shared = [f"name={name}", f"output_dir={folder}", f"num_threads={threads}"]
        command = [sys.executable, "-m", "headway.cli.main", "train", *shared, *words]
        subprocess.run(command, cwd=ROOT, env=environment(threads), check=True)
    record: dict[str, Any] = json.loads(finished()[-1].read_text(encoding="utf-8"))
    return record


def _digest(settings: Any) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


def peer_trained(name: str, work: Work, *, options: Options) -> dict[str, Any]:
    """Return what a finished training with Trainer came to, training first if there is none."""
    settings = {"work": work.to_dict(), "way": {"bf16": True, "grouped": True}}
    path = options.outputs / "runs" / f"{name}_{_digest(settings)}" / "trainer.json"
    if not path.is_file():
        found = in_process("real_scores", "trainer", settings=settings, threads=options.threads)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found), encoding="utf-8")
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def contend(contender: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Train with Trainer; runs in a process of its own.

    Args:
        contender: "trainer"; headway is its own command.
        settings: work, way, threads.
    """
    if contender != "trainer":
        raise ValueError(f"contender must be 'trainer', got {contender!r}")
    from speed_parts import trainer_peer, trainer_whole

    way = trainer_peer.Way(**settings["way"])
    return trainer_whole.train(Work(**settings["work"]), way, threads=settings["threads"])


def measure(options: Options) -> Found:
    """Train both on every data set with every seed; what is trained already isn't again.

    Args:
        options: Data sets, seeds, outputs, threads.

    Returns:
        machine, and under scores: data set -> side -> one entry a seed, with test metrics.
    """
    unknown = [name for name in options.data or () if name not in WHOLE]
    if unknown:
        raise SystemExit(f"--data must be of {', '.join(WHOLE)}, got {unknown[0]}")
    found: dict[str, Any] = {}
    for name, form in WHOLE.items():
        if options.data and name not in options.data:
            continue
        files = split_files(options.outputs / "rows", name, tiny=options.quick)
        sides: dict[str, list[dict[str, Any]]] = {"headway": [], "trainer": []}
        count = FEWER_SEEDS.get(name, len(options.seeds))
        for seed in options.seeds[: options.size(count, 1)]:
            work = Work(name, **form, **files, seed=seed)
            own = trained(f"real_{name}_{seed}", work.overrides(), options=options)
            peer = peer_trained(f"real_{name}_{seed}_trainer", work, options=options)
            sides["headway"].append({"seed": seed, "test": own["metrics"]["test"]})
            sides["trainer"].append({"seed": seed, "test": peer["test"]})
            for side, rows in sides.items():
                shown = {metric: round(rows[-1]["test"][metric], 4) for metric in METRICS[name]}
                print(f"{name} seed {seed} {side}: test {shown}", flush=True)
        found[name] = sides
    return {"machine": machine(options.threads), "scores": found}


def lines(found: Found) -> list[str]:
    """Return the page's section."""
    text = [
        "Whole trainings on the same splits, epochs, learning rates and batch size; the best epoch on "
        "validation is scored on test. Trainer groups by length and computes in bf16, its fastest way. "
        "seqeval and scikit-learn score Trainer's; headway decodes entities as the likeliest tags that obey "
        "IOB2. Sentences over 128 pieces are cut for Trainer, which leaves what is cut unscored; headway "
        "reads them in windows.",
        "",
        "| data | metric | headway | trainer | difference | seeds |",
        "|---|---|---|---|---|---|",
    ]
    for name, sides in found["scores"].items():
        for metric in METRICS[name]:
            values = {side: [100 * row["test"][metric] for row in rows] for side, rows in sides.items()}
            cells = [f"{mean(each):.2f}{_spread(each)}" for each in values.values()]
            gap = mean(values["headway"]) - mean(values["trainer"])
            count = len(values["headway"])
            text.append(f"| {name} | {metric} | {' | '.join(cells)} | {gap:+.2f} | {count} |")
    return text


def _spread(values: list[float]) -> str:
    return f" ± {stdev(values):.2f}" if len(values) > 1 else ""
