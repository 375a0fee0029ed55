"""Test scores of R8 in the packed and in the padded layout, seed by seed, and a paired test."""

from __future__ import annotations

from statistics import mean
from typing import Any

import numpy as np
from scipy import stats

from speed_parts.machine import machine
from speed_parts.options import Options
from speed_parts.real_scores import split_files, trained
from speed_parts.rounds import Found
from speed_parts.works import Work

LAYOUTS = ("packed", "padded")
METRICS = ("f1_macro", "accuracy")
LEVEL = 0.05


def measure(options: Options) -> Found:
    """Train both layouts with every seed, one thread each; finished runs are kept and not trained again.

    Args:
        options: Seeds and outputs; threads don't count.
    """
    state = machine(1)
    files = split_files(options.outputs / "rows", "r8", tiny=options.quick)
    work = Work("r8", "text", **files, max_length=64, pooling="mean", epochs=1, lr=2e-4)
    runs: list[dict[str, Any]] = []
    for seed in options.seeds[: options.size(len(options.seeds), 2)]:
        for layout in LAYOUTS:
            words = [*work.with_seed(seed).overrides(), f"backbone.layout={layout}"]
            record = trained(f"paired_{layout}_{seed}", words, options=options, threads=1)
            if record["layout"] != layout:
                raise SystemExit(f"the run must be {layout}, got {record['layout']}")
            scores = {name: record["metrics"]["test"][name] for name in METRICS}
            runs.append({"seed": seed, "layout": layout, "seconds": record["seconds"]["fit"], **scores})
            print(f"paired_f1 seed {seed} {layout}: {scores}, {runs[-1]['seconds']:.0f} s", flush=True)
    return {"machine": state, "runs": runs, "tests": {name: compare(runs, name) for name in METRICS}}


def compare(runs: list[dict[str, Any]], metric: str) -> dict[str, float]:
    """Return a paired t-test of packed less padded.

    Args:
        runs: With seed, layout and the metric.
        metric: Its name.

    Returns:
        The mean difference, its 95 % interval, and p (1 where every pair is equal).
    """
    pairs = {
        layout: {run["seed"]: run[metric] for run in runs if run["layout"] == layout} for layout in LAYOUTS
    }
    seeds = sorted(pairs["packed"])
    packed, padded = (np.array([pairs[layout][seed] for seed in seeds]) for layout in LAYOUTS)
    difference = packed - padded
    if np.all(difference == difference[0]):
        value = float(difference[0])
        return {"difference": value, "low": value, "high": value, "p": 1.0 if value == 0 else 0.0}
    test = stats.ttest_rel(packed, padded)
    interval = test.confidence_interval(0.95)
    return {
        "difference": float(difference.mean()),
        "low": float(interval.low),
        "high": float(interval.high),
        "p": float(test.pvalue),
    }


def lines(found: Found) -> list[str]:
    """Return the page's section."""
    runs = found["runs"]
    text = [
        "MiniLM on R8, one epoch, at most 64 tokens, bf16 where the processor has it, one thread; both "
        "layouts have the same seeds, so the same head at the start and the same batches; dropout draws its "
        "own.",
        "",
        "| seed | packed macro-F1 | padded macro-F1 | packed accuracy | padded accuracy | seconds, packed "
        "and padded |",
        "|---|---|---|---|---|---|",
    ]
    by_key = {(run["seed"], run["layout"]): run for run in runs}
    for seed in sorted({run["seed"] for run in runs}):
        pair = [by_key[(seed, layout)] for layout in LAYOUTS]
        cells = [f"{100 * run[name]:.2f}" for name in METRICS for run in pair]
        seconds = " and ".join(f"{run['seconds']:.0f}" for run in pair)
        text.append(f"| {seed} | {' | '.join(cells)} | {seconds} |")
    text.append("")
    for name, test in found["tests"].items():
        verdict = "no difference found" if test["p"] >= LEVEL else "a difference"
        text.append(
            f"{name}: packed less padded {100 * test['difference']:+.2f} points (95 % interval "
            f"{100 * test['low']:+.2f} to {100 * test['high']:+.2f}), paired t-test p = {test['p']:.2f}: "
            f"{verdict} at {LEVEL:g}. "
        )
    means = {layout: mean(run["seconds"] for run in runs if run["layout"] == layout) for layout in LAYOUTS}
    return [*text, f"Training took {means['padded'] / means['packed']:.2f} times as long padded."]
