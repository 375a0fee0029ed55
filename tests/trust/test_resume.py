"""A training that was interrupted goes on as if it hadn't been: batches, losses, curves, weights, scores."""

from __future__ import annotations

import csv
import json

import pytest
import torch
from trust_parts.interrupted import PowerCutError, Tape, read_tape

from headway.run import run

pytestmark = pytest.mark.slow
PARTS = ("state_dict", "optimizer_states", "lr_schedulers", "loops", "callbacks", "epoch", "headway")
"""Of a checkpoint: all but the version."""


def _all_of(folder):
    """Return what came of a run: weights of both checkpoints, curves and metrics."""
    states = {
        name: torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)
        for name in ("best", "last")
    }
    with (folder / "metrics.csv").open() as stream:
        curves = list(csv.DictReader(stream))
    record = json.loads((folder / "record.json").read_text())
    told = {name: record[name] for name in ("metrics", "monitor", "collapsed", "decoding")}
    return states, curves, told


def _same(first, second):
    """Say whether two values are the same to the bit, with all that is in them."""
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(_same(first[name], second[name]) for name in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(_same, first, second))
    return first == second


def _check_same(resumed, whole):
    (states, curves, told), (states_whole, curves_whole, told_whole) = map(_all_of, (resumed, whole))
    for name in ("best", "last"):
        for part in (
            "state_dict",
            "optimizer_states",
            "lr_schedulers",
            "loops",
            "callbacks",
            "epoch",
            "headway",
        ):
            assert _same(states[name][part], states_whole[name][part]), (name, part)
    assert curves == curves_whole
    assert told == told_whole


def _interrupt(cfg, folder, tape, *stops, **arguments):
    for stop in stops:
        with pytest.raises(PowerCutError):
            run(cfg, folder, callbacks=[Tape(tape, stop_after=stop)], **arguments)
    return run(cfg, folder, callbacks=[Tape(tape)], **arguments)


VARIANTS = {
    "plain": (),
    "accumulated": ("trainer.accumulate_grad_batches=2", "batching.batch_size=4"),
    "validated within epochs": ("+trainer.val_check_interval=2",),
    "validated in every second epoch": ("+trainer.check_val_every_n_epoch=2", "trainer.max_epochs=4"),
    "at most 12 steps": ("trainer.max_steps=12",),
    "stopped early": ("callbacks=early_stopping", "callbacks.early_stopping.patience=1", "optimizer.lr=1e-9"),
    "batches by tokens": ("batching=tokens", "batching.max_tokens=120"),
    "layers frozen below": ("backbone.trainable=last_n", "backbone.last_n=1"),
}


@pytest.mark.parametrize("stop", range(1, 15))
def test_at_every_step(config, tmp_path, stop):
    cfg = config("single")
    run(cfg, tmp_path / "whole", callbacks=[Tape(tmp_path / "whole.tape")])
    _interrupt(cfg, tmp_path / "run", tmp_path / "run.tape", stop)
    assert read_tape(tmp_path / "run.tape") == read_tape(tmp_path / "whole.tape")
    _check_same(tmp_path / "run", tmp_path / "whole")


@pytest.mark.parametrize("stops", [(2, 5), (7, 4)])
@pytest.mark.parametrize("variant", VARIANTS)
def test_in_every_variant(config, tmp_path, variant, stops):
    cfg = config("single", *VARIANTS[variant])
    run(cfg, tmp_path / "whole", callbacks=[Tape(tmp_path / "whole.tape")])
    _interrupt(cfg, tmp_path / "run", tmp_path / "run.tape", *stops)
    assert read_tape(tmp_path / "run.tape") == read_tape(tmp_path / "whole.tape")
    _check_same(tmp_path / "run", tmp_path / "whole")
