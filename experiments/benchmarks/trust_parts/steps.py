"""Row: the schedule's steps are those that are taken, and every labelled item of a step weighs the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from headway.assembly import build_backbone, build_data, build_loaders, encode_data
from headway.data.collator import WindowBatches
from trust_parts.rows import Case, Row, check, some
from trust_parts.works import KINDS, compose, words_of

CONFIGS, TRAINED = 200, 12


def _drawn(draw: random.Random) -> tuple[str, list[str]]:
    """Return a kind and overrides that decide how many steps there are."""
    kind = draw.choice(list(KINDS))
    batching = draw.choice(["random", "grouped", "tokens"])
    words = [f"batching={batching}"]
    if batching == "tokens":
        words.append(f"batching.max_tokens={draw.randint(10, 300)}")
    else:
        drop = str(draw.random() < 0.3).lower()
        words += [f"batching.batch_size={draw.randint(1, 20)}", f"batching.drop_last={drop}"]
    words.append(f"trainer.accumulate_grad_batches={draw.randint(1, 6)}")
    words.append(f"trainer.max_epochs={draw.randint(1, 4)}")
    if draw.random() < 0.4:
        words.append(f"trainer.max_steps={draw.randint(1, 25)}")
    if draw.random() < 0.4:
        limit = draw.choice([draw.randint(1, 6), round(draw.uniform(0.1, 1.0), 2)])
        words.append(f"trainer.limit_train_batches={limit}")
    if kind == "windows" and draw.random() < 0.5:
        words.append("data.train_windows=1")
    return kind, words


def _cases(work: Path, share: float) -> Iterator[Case]:
    draw = random.Random(13)
    data = {}
    for number in range(some(CONFIGS, share)):
        kind, words = _drawn(draw)
        cfg = compose(*(each for each in words_of(kind, work, "batching=tokens")[:-1]), *words)
        key = kind, "data.train_windows=1" in words
        if key not in data:
            data[key] = build_data(cfg)
            data[key].read()
            backbone = build_backbone(cfg)
            encode_data(data[key], backbone, backbone.load_tokenizer())
        yield f"{kind} {' '.join(words)}", _planned(cfg, data[key])
        if number < some(TRAINED, share):
            yield f"trained: {kind} {' '.join(words)}", _trained(cfg, work / f"steps-{number}")


def _planned(cfg: dict[str, Any], data: Any) -> Callable[[], None]:
    def case() -> None:
        """Count the steps of all epochs by another way, and the weights of each."""
        loaders = build_loaders(cfg, data)
        accumulate, steps = cfg["trainer"]["accumulate_grad_batches"], 0
        encoded, batches = data.encoded["train"], loaders._train
        for epoch in range(cfg["trainer"]["max_epochs"]):
            plans = loaders.train_plan(epoch)
            for start in range(0, len(plans), accumulate):
                step = plans[start : start + accumulate]
                weight = sum(float(batches[plan].weights.double().sum()) for plan in step if not _empty(plan))
                labelled = _labelled_weight(batches, step, data)
                check(abs(step[0].normalizer - labelled) < 1e-4 * max(1, labelled), f"{weight} of {labelled}")
            steps += ceil(len(plans) / accumulate)
        check(loaders.steps_before(cfg["trainer"]["max_epochs"]) == steps, "the schedule has other steps")
        bound = cfg["trainer"]["max_steps"]
        check(bound < 0 or steps <= bound, f"{steps} steps where {bound} are allowed")
        check(encoded.num_windows > 0, "no windows")

    return case


def _empty(plan: Any) -> bool:
    return len(plan.windows) == 0


def _labelled_weight(batches: WindowBatches, step: list[Any], data: Any) -> float:
    """Return what the loss divides by: the sum of the weights of all that is labelled in the step."""
    total = 0.0
    for plan in step:
        batch = batches[plan]
        weights = batch.weights.double()
        if data.target.token_level:
            weights = weights * (batch.labels != -100)
        total += float(np.asarray(weights).sum())
    return total


def _trained(cfg: dict[str, Any], folder: Path) -> Callable[[], None]:
    def case() -> None:
        """Train, and compare the steps taken with the schedule's."""
        import json

        import torch

        from headway.run import run

        run(cfg, folder)
        record = json.loads((folder / "record.json").read_text())
        state = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
        taken = state["global_step"]
        check(taken == record["total_steps"], f"{taken} steps taken, {record['total_steps']} in the schedule")
        (schedule,) = state["lr_schedulers"]
        check(schedule["last_epoch"] == taken, f"the schedule stands at {schedule['last_epoch']}")

    return case


ROW = Row(
    "steps",
    "Steps: those of the schedule are taken; partial accumulation windows are weighted rightly",
    _cases,
)
