"""Twenty heads of ten epochs on frozen features of R8: headway's sweep against two scripts."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from speed_parts.options import ROOT, Options, verdict
from speed_parts.real_scores import split_files
from speed_parts.rounds import Found, environment, interleaved, middle, ratio
from speed_parts.works import Work

RATES, DECAYS, DROPOUTS = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1), (0.0, 0.01), (0.0, 0.1)
HEADWAY, CACHING = "headway", "script that caches"
AGAIN = {
    "script that re-encodes, dynamic fp32": {"best": False},
    "script that re-encodes, grouped bf16": {"bf16": True, "grouped": True},
}
"""Both are transformers.Trainer with a frozen encoder."""
AIM_AGAIN, AIM_CACHING = 200.0, 5.0


def grid(*, tiny: bool) -> list[dict[str, float]]:
    """Return the trials: learning rate, weight decay and dropout of each."""
    rates = RATES[:2] if tiny else RATES
    decays, dropouts = (DECAYS[:1], DROPOUTS[:1]) if tiny else (DECAYS, DROPOUTS)
    return [
        {"lr": rate, "weight_decay": decay, "dropout": dropout}
        for rate, decay, dropout in itertools.product(rates, decays, dropouts)
    ]


def contend(contender: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Measure one contender once; runs in a process of its own.

    Args:
        contender: "headway", "script that caches" or of AGAIN.
        settings: work, trials, threads, and way.

    Returns:
        seconds of all trials; whether they are extrapolated; the best score on validation.
    """
    work = Work(**settings["work"])
    if contender == HEADWAY:
        return _headway(work, settings["trials"], threads=settings["threads"])
    if contender == CACHING:
        return _script(work, settings["trials"], threads=settings["threads"])
    from speed_parts.frozen_trainer import epoch_seconds

    each = epoch_seconds(work, settings["way"], threads=settings["threads"])
    return {
        "seconds": each * len(settings["trials"]) * work.epochs,
        "epoch_seconds": each,
        "extrapolated": True,
    }


def sweep_words(work: Work, trials: list[dict[str, float]]) -> list[str]:
    """Return the overrides of `headway train -m` that give exactly these trials."""

    def listed(key: str) -> str:
        """Return the values of a key, each once, as Hydra's sweeps are written."""
        return ",".join(str(value) for value in dict.fromkeys(trial[key] for trial in trials))

    words = [word for word in work.overrides() if not word.startswith("optimizer.lr=")]
    return [
        *words,
        "backbone.trainable=none",
        f"optimizer.lr={listed('lr')}",
        f"optimizer.weight_decay={listed('weight_decay')}",
        f"task.head.dropout={listed('dropout')}",
    ]


def _headway(work: Work, trials: list[dict[str, float]], *, threads: int) -> dict[str, Any]:
    """Time the whole command with empty caches, so that encoding is counted, and again with full ones."""
    with tempfile.TemporaryDirectory() as name:
        cold, best = _sweep(work, trials, threads=threads, runs=Path(name) / "cold", cache=f"{name}/cache")
        warm, _ = _sweep(work, trials, threads=threads, runs=Path(name) / "warm", cache=f"{name}/cache")
    return {"seconds": cold, "warm_seconds": warm, "extrapolated": False, "best_accuracy": best}


def _sweep(
    work: Work, trials: list[dict[str, float]], *, threads: int, runs: Path, cache: str
) -> tuple[float, float]:
    """Return a sweep's seconds from the command to its end, and its best accuracy on validation."""
    command = [sys.executable, "-m", "headway.cli.main", "train", "-m", *sweep_words(work, trials)]
    command += [f"hydra.sweep.dir={runs}", f"cache_dir={cache}", f"num_threads={threads}"]
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, env=environment(threads), capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(
            f"the sweep ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        )
    records = [json.loads(path.read_text(encoding="utf-8")) for path in runs.rglob("record.json")]
    if len(records) != len(trials):
        raise SystemExit(f"the sweep must leave {len(trials)} runs, got {len(records)}")
    return seconds, max(record["metrics"]["validation"]["accuracy"] for record in records)


def _script(work: Work, trials: list[dict[str, float]], *, threads: int) -> dict[str, Any]:
    """Time the script that caches, as a process from start to end."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "found.json"
        from speed_parts.headway_side import model_folder

        told = {"work": work.to_dict(), "trials": trials, "threads": threads, "model": model_folder()}
        words = ["speed_parts.caching_script", json.dumps(told), str(out)]
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", *words], env=environment(threads), check=True)
        seconds = time.perf_counter() - start
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    found["warm_seconds"] = seconds - found.pop("encode_seconds")
    return {"seconds": seconds, "extrapolated": False, **found}


def measure(options: Options) -> Found:
    """Run all contenders in turn.

    Args:
        options: Of the command line.
    """
    trials = grid(tiny=options.quick)
    files = split_files(options.outputs / "rows", "r8", tiny=options.quick)
    work = Work("r8", "text", **files, pooling="cls", epochs=options.size(10, 1))
    told: dict[str, dict[str, Any]] = {HEADWAY: {"work": work.to_dict()}, CACHING: {"work": work.to_dict()}}
    for name, way in AGAIN.items():
        told[name] = {"work": work.to_dict(), "way": way}
    common = {"trials": trials}
    found = interleaved(
        "heads", told, options=options, rounds=options.times(3), shown="seconds", common=common
    )
    return {**found, "trials": len(trials), "epochs": work.epochs}


def lines(found: Found) -> list[str]:
    """Return the page's section."""
    text = [
        f"{found['trials']} trials (learning rate, weight decay, dropout) of {found['epochs']} epochs on "
        "MiniLM's first-token states of R8, at most 128 tokens, batches of 32, scored on validation after "
        "every epoch. headway: `headway train -m backbone.trainable=none …`, from the command to its end, "
        "with empty caches: imports, encoding, training, checkpoints, validation, test and run folders are "
        "counted. The script that caches is counted whole, too: it encodes once in bf16 with like lengths "
        "together, and trains each head with a DataLoader. Of those that re-encode, one epoch with its "
        f"validation is measured, and multiplied by the {found['trials'] * found['epochs']} epochs of all "
        f"trials; their start isn't counted. Medians of {found['rounds']} rounds.",
        "",
        "| contender | seconds | headway is so many times as fast | aim |",
        "|---|---|---|---|",
        f"| {HEADWAY} | {middle(found, HEADWAY, key='seconds'):.1f} | | |",
    ]
    for name in (CACHING, *AGAIN):
        times = ratio(found, (name, HEADWAY), key="seconds")
        aim = AIM_CACHING if name == CACHING else AIM_AGAIN
        seconds = f"{middle(found, name, key='seconds'):.1f}"
        if name in AGAIN:
            seconds += f" (extrapolated from {middle(found, name, key='epoch_seconds'):.1f} an epoch)"
        text.append(f"| {name} | {seconds} | {times:.1f} | {verdict(times, aim)} |")
    warm = ratio(found, (CACHING, HEADWAY), key="warm_seconds")
    both = [f"{name} {middle(found, name, key='warm_seconds'):.1f}" for name in (HEADWAY, CACHING)]
    text += [
        "",
        f"With the features there already: {', '.join(both)} seconds (the script's without its encoding), "
        f"{warm:.1f} times (aim {verdict(warm, AIM_CACHING)}).",
    ]
    scores = [f"{name} {100 * middle(found, name, key='best_accuracy'):.2f}" for name in (HEADWAY, CACHING)]
    return [*text, "", f"Best accuracy on validation: {', '.join(scores)}."]
