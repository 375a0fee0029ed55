"""`headway reproduce NAME`: run a manifest's experiment over its seeds, and say pass or fail."""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from headway.cli.composed import RunPlan, compose
from headway.config.build import build
from headway.config.check import check_config
from headway.config.identity import run_id
from headway.config.search_path import experiments_dir
from headway.reproduction.finished_runs import finished_run
from headway.reproduction.manifest import Manifest, manifests, read_manifest
from headway.types import ConfigError, DataError, TrainingError, nearest

if TYPE_CHECKING:
    from headway.evaluation.metrics.metrics import Metrics

PROGRAM = "headway reproduce"
LEVEL = 0.95
MAY_CHANGE = ("output_dir", "cache_dir", "num_threads", "data.num_workers", "trainer.accelerator",
              "trainer.devices", "trainer.enable_progress_bar", "logger")  # fmt: skip
"""Keys that say how and where, not what; anything else would be another experiment."""


class Replicate(NamedTuple):
    """One seed of a reproduction.

    Attributes:
        words: What `headway train` gets.
        plan: Its config.
        folder: Of its finished run; None where there is none.
    """

    words: list[str]
    plan: RunPlan
    folder: Path | None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        allow_abbrev=False,
        description="Run the experiment of experiments/reproduce/NAME.yaml over its seeds, and compare the "
        "mean with the published value. Finished runs of the same config are used again. Ends with 0 where "
        "the mean is within the tolerance or better, with 1 where it isn't.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="a manifest; without one all are listed")
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help=f"how it runs, not what: {', '.join(MAY_CHANGE)}"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="check the configs, say what it costs, and stop"
    )
    return parser


def main(words: Sequence[str]) -> int:
    """Reproduce a published value.

    Args:
        words: A manifest's name, overrides and options.

    Returns:
        0 where it is reached (or nothing was run), 1 where it isn't.

    Raises:
        HeadwayError: The name, the manifest or an override is wrong, or a run failed.
    """
    arguments = _parser().parse_intermixed_args(list(words))
    known = manifests(experiments_dir())
    if arguments.name is None:
        _list(known)
        return 0
    if arguments.name not in known:
        raise ConfigError(
            f"NAME must be a manifest of {list(known)}, got {arguments.name!r}"
            f"{nearest(arguments.name, known)}; name one of these"
        )
    manifest = read_manifest(known[arguments.name])
    _check_overrides(arguments.overrides)
    replicates = [_replicate(manifest, seed, arguments.overrides) for seed in manifest.seeds]
    _announce(manifest, replicates)
    if arguments.dry_run:
        return 0
    return _verdict(manifest, [_run(each, manifest.split) for each in replicates], replicates[0].plan.cfg)


def _list(known: dict[str, Path]) -> None:
    for name, path in known.items():
        each = read_manifest(path)
        print(
            f"{name:16} {each.metric} {each.value:g} - {each.tolerance:g}  {each.model}, {each.table} of "
            f"{each.paper.partition(',')[0]}; {len(each.seeds)} seeds of {each.minutes:g} minutes"
        )


def _check_overrides(words: Sequence[str]) -> None:
    for word in words:
        key = word.partition("=")[0].lstrip("+~")
        if not any(key == name or key.startswith(f"{name}.") for name in MAY_CHANGE):
            raise ConfigError(
                f"`{key}` must be left to the manifest, got {word!r}; {PROGRAM} takes only "
                f"{', '.join(MAY_CHANGE)}, and headway train all keys"
            )


def _replicate(manifest: Manifest, seed: int, overrides: Sequence[str]) -> Replicate:
    words = [*manifest.overrides, *overrides, f"seed={seed}"]
    plan = compose(words, program=PROGRAM)
    if isinstance(plan, int):
        raise ConfigError(f"{manifest.name}: `overrides` must make a config, got {manifest.overrides}")
    check_config(plan.cfg)
    if manifest.split not in plan.cfg["score_splits"]:
        raise ConfigError(
            f"{manifest.name}: `split` must be one of score_splits, {plan.cfg['score_splits']}, got "
            f"{manifest.split!r}; correct it"
        )
    outputs = Path(plan.cfg["output_dir"]) / plan.cfg["name"]
    return Replicate(words, plan, finished_run(outputs, run_id(plan.cfg), split=manifest.split))


def _announce(manifest: Manifest, replicates: Sequence[Replicate]) -> None:
    left = [each for each in replicates if each.folder is None]
    print(f"{manifest.name}: {manifest.metric} of {manifest.split}, published {manifest.value:g} by")
    print(f"  {manifest.model}, {manifest.table} of {manifest.paper}")
    if manifest.ours:
        print(f"  ours: {manifest.ours}")
    print(
        f"{len(manifest.seeds)} seeds, {len(replicates) - len(left)} finished already; expected cost: "
        f"{manifest.minutes * len(left):g} minutes ({manifest.machine})",
        flush=True,
    )


def _run(replicate: Replicate, split: str) -> Path:
    """Return the folder of a finished run, made in a process of its own unless there is one."""
    if replicate.folder is not None:
        return replicate.folder
    command = [sys.executable, "-m", "headway.cli.main", "train", *replicate.words]
    status = subprocess.run(command, check=False).returncode  # noqa: S603
    cfg = replicate.plan.cfg
    found = finished_run(Path(cfg["output_dir"]) / cfg["name"], run_id(cfg), split=split)
    if status or found is None:
        raise TrainingError(
            f"the run with seed={cfg['seed']} ended with status {status}, so there is no mean; look at its "
            f"output above, and run {PROGRAM} again: finished seeds are kept"
        )
    return found


def _verdict(manifest: Manifest, folders: Sequence[Path], cfg: dict[str, Any]) -> int:
    metrics = build(cfg["task"]["metrics"], key="task.metrics")
    scores = []
    for folder in folders:
        found = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))[manifest.split]
        if manifest.metric not in found:
            raise ConfigError(
                f"{manifest.name}: `metric` must be one of {list(found)}, got {manifest.metric!r}"
                f"{nearest(manifest.metric, found)}; correct it"
            )
        scores.append(float(found[manifest.metric]))
        print(f"  seed {manifest.seeds[len(scores) - 1]}: {scores[-1]:.4f}  {folder}")

    low, high = mean_interval(metrics, manifest, folders, scores=scores)
    mean = sum(scores) / len(scores)
    passed = manifest.reached_by(mean)
    print(
        f"{'PASS' if passed else 'FAIL'}  {manifest.metric} {mean:.4f} over {len(scores)} seeds, {LEVEL:.0%} "
        f"interval {low:.4f} to {high:.4f} (seeds and documents); must be "
        f"{'at least' if manifest.higher_is_better else 'at most'} {manifest.bound:.4f} (published "
        f"{manifest.value:g}, tolerance {manifest.tolerance:g})"
    )
    return 0 if passed else 1


def mean_interval(
    metrics: Metrics, manifest: Manifest, folders: Sequence[Path], *, scores: Sequence[float]
) -> tuple[float, float]:
    """Return the confidence interval of a metric's mean, over seeds and documents as `headway report` has it.

    Args:
        metrics: Of the task.
        manifest: Its metric and split.
        folders: Of the runs, one a seed.
        scores: Theirs, which alone are resampled where the metric isn't known by document.

    Returns:
        The lower and the upper end; NaN for one run of such a metric.

    Raises:
        HeadwayError: Predictions can't be read, or are of other documents.
    """
    import numpy as np

    from headway.evaluation.statistics.bootstrap import bootstrap, bootstrap_seeds
    from headway.reports.answers import read_answers

    answers = [read_answers(folder, manifest.split) for folder in folders]
    if len({each.fingerprint() for each in answers}) > 1:
        raise DataError(
            "the runs of a reproduction must have answered the same documents, got different ids or right "
            "answers; remove the runs that are of other data"
        )
    known = [
        metrics.by_document(manifest.metric, each.prediction, each.gold, each.label_names) for each in answers
    ]
    by_document = [each for each in known if each is not None]
    if len(by_document) == len(known):
        return bootstrap([by_document])[0].interval(LEVEL)
    if len(scores) < 2:
        return math.nan, math.nan
    return bootstrap_seeds([np.array(scores)])[0].interval(LEVEL)
