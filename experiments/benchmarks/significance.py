"""Measure how often the tests of reports cry wolf, and how often they see a difference that is there.

    python experiments/benchmarks/significance.py --draws 1000

A draw is a set of configs, each trained with some seeds and tested on the same documents. Every document has
its own difficulty, every config its own strengths, every seed its own luck; without a difference all configs
are equally good on the whole. A false alarm is any two configs told apart that are not; power is the share of
draws in which the one better config is told from all the others. How much others' spreads count for
(evaluation/statistics/seed_spread.py) was chosen on draws 0 to 399 of settings with six configs of three
seeds, so figures to quote come from draws that begin elsewhere, as they do by default.

Writes the part `significance` of experiments/results/sweeps.json, and sweeps.md from all parts.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from sweeps_page import write

from headway.evaluation.metrics import Classification
from headway.evaluation.statistics.bootstrap import bootstrap
from headway.evaluation.statistics.ranks import Correction, comparisons
from headway.types import Gold, Prediction

CLASSES = np.array([0.5, 0.25, 0.15, 0.07, 0.03])
"""How frequent each class is."""
BETTER = 0.6
"""How much likelier the better config is right, in log odds: about 5 points of accuracy at 0.8."""


@dataclass(frozen=True)
class Setting:
    """What is drawn.

    Attributes:
        configs: How many.
        runs: Seeds of each.
        metric: What decides.
        luck: Standard deviation of a seed in log odds; of each config where there are several.
        correction: Of the p-values.
    """

    configs: int
    runs: int
    metric: str
    luck: tuple[float, ...] = (0.15,)
    correction: Correction = "holm"


UNLIKE = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
SETTINGS = {
    "2 runs, accuracy": Setting(2, 1, "accuracy", luck=(0.0,)),
    "2 runs, macro-F1": Setting(2, 1, "f1_macro", luck=(0.0,)),
    "2 configs of 3 seeds, macro-F1": Setting(2, 3, "f1_macro"),
    "2 configs of 5 seeds, macro-F1": Setting(2, 5, "f1_macro"),
    "6 configs of 3 seeds, macro-F1, Holm": Setting(6, 3, "f1_macro"),
    "6 configs of 3 seeds, macro-F1, Romano-Wolf": Setting(6, 3, "f1_macro", correction="romano_wolf"),
    "6 configs of 5 seeds, macro-F1, Holm": Setting(6, 5, "f1_macro"),
    "6 configs of 3 seeds of unlike luck, macro-F1, Holm": Setting(6, 3, "f1_macro", luck=UNLIKE),
    "6 configs of 3 seeds of unlike luck, macro-F1, Romano-Wolf":
        Setting(6, 3, "f1_macro", luck=UNLIKE, correction="romano_wolf"),
}  # fmt: skip


def told_apart(
    setting: Setting, *, better: float, documents: int, resamples: int, seed: int
) -> tuple[bool, bool]:
    """Draw once; return whether any two equal configs, and whether the better one, were told apart.

    Args:
        setting: What to draw.
        better: How much better the first config is, in log odds.
        documents: Of the test set.
        resamples: Of the bootstrap.
        seed: Of the draw.
    """
    rng = np.random.default_rng(seed)
    gold = rng.choice(len(CLASSES), size=documents, p=CLASSES)
    difficulty = rng.normal(1.6, 1.5, size=documents)
    metrics = []
    for place in range(setting.configs):
        strengths = rng.normal(0, 0.7, size=documents)
        luck = setting.luck[place % len(setting.luck)]
        runs = []
        for _ in range(setting.runs):
            odds = difficulty + strengths + rng.normal(0, luck) + better * (place == 0)
            right = rng.random(documents) < 1 / (1 + np.exp(-odds))
            wrong = (gold + rng.integers(1, len(CLASSES), size=documents)) % len(CLASSES)
            prediction = Prediction(np.where(right, gold, wrong), None)
            names = [str(number) for number in range(len(CLASSES))]
            metric = Classification().by_document(setting.metric, prediction, Gold(gold), names)
            if metric is None:
                raise SystemExit(f"{setting.metric} must be a metric of documents; see SETTINGS")
            runs.append(metric)
        metrics.append(runs)
    draws = bootstrap(metrics, num_resamples=resamples, seed=seed)
    found = comparisons(draws, mode="max", correction=setting.correction, seed=seed)
    alarms = [each.apart for each in found if better == 0 or 0 not in (each.left, each.right)]
    seen = [each.apart and each.left == 0 for each in found if 0 in (each.left, each.right)]
    return any(alarms), all(seen)


def wilson(hits: int, draws: int) -> tuple[float, float]:
    """Return the 95 % interval of a share.

    Args:
        hits: Of the draws.
        draws: How many.

    Source: Wilson 1927.
    """
    z = 1.96
    centre = (hits + z * z / 2) / (draws + z * z)
    half = z / (draws + z * z) * np.sqrt(hits * (draws - hits) / draws + z * z / 4)
    return float(centre - half), float(centre + half)


def measure(setting: Setting, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what one setting came to.

    Args:
        setting: What to draw.
        arguments: Of the command line.
    """
    options = {"documents": arguments.documents, "resamples": arguments.resamples}
    powerful = max(1, arguments.draws // 5)
    null = range(arguments.first, arguments.first + arguments.draws)
    other = range(arguments.first + 10**6, arguments.first + 10**6 + powerful)
    alarms = sum(told_apart(setting, better=0.0, seed=seed, **options)[0] for seed in null)
    seen = sum(told_apart(setting, better=BETTER, seed=seed, **options)[1] for seed in other)
    low, high = wilson(alarms, arguments.draws)
    return {
        "null draws": arguments.draws,
        "false alarms": alarms,
        "%": round(100 * alarms / arguments.draws, 1),
        "95 % interval": f"{100 * low:.1f} to {100 * high:.1f}",
        "power, %": round(100 * seen / powerful, 1),
        "draws of power": powerful,
    }


def main() -> None:
    """Measure all settings and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=5_000_000, help="seed of the first draw")
    parser.add_argument("--documents", type=int, default=500)
    parser.add_argument("--resamples", type=int, default=2_000)
    arguments = parser.parse_args()
    found = {}
    for name, setting in SETTINGS.items():
        found[name] = measure(setting, arguments)
        print(name, found[name], flush=True)
    write("significance", found, f"python experiments/benchmarks/significance.py {' '.join(sys.argv[1:])}")


if __name__ == "__main__":
    main()
