"""A training that was interrupted goes on as if it hadn't been: batches, losses, curves, weights, scores."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest
import pytorch_lightning as pl
import torch
from trust_parts.comparison import differences
from trust_parts.forks import end, in_process, start
from trust_parts.interrupted import PowerCutError, Tape, read_tape

from headway.run import run
from headway.types import CheckpointError, ConfigError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a function: (config) -> the folder of its uninterrupted run, made once, and the tape of it."""
    made = {}

    def whole(cfg):
        key = json.dumps(cfg, sort_keys=True)
        if key not in made:
            place = tmp_path_factory.mktemp("whole")
            run(cfg, place / "run", callbacks=[Tape(place / "tape")])
            made[key] = place / "run", place / "tape"
        return made[key]

    return whole


def _interrupt(cfg, folder, tape, *stops):
    for stop in stops:
        with pytest.raises(PowerCutError):
            run(cfg, folder, callbacks=[Tape(tape, stop_after=stop)])
    run(cfg, folder, callbacks=[Tape(tape)])


def _check(cfg, whole, tmp_path):
    folder, tape = whole(cfg)
    assert read_tape(tmp_path / "run.tape") == read_tape(tape)
    assert differences(tmp_path / "run", folder) == []


VARIANTS = {
    "plain": (),
    "accumulated": ("trainer.accumulate_grad_batches=2", "batching.batch_size=4"),
    "validated within epochs": ("+trainer.val_check_interval=2",),
    "validated in every second epoch": ("+trainer.check_val_every_n_epoch=2", "trainer.max_epochs=4"),
    "at most 12 steps": ("trainer.max_steps=12",),
    "stopped early": ("callbacks=early_stopping", "callbacks.early_stopping.patience=1", "optimizer.lr=1e-9"),
    "batches by tokens": ("batching=tokens", "batching.max_tokens=120"),
    "layers frozen below": ("backbone.trainable=last_n", "backbone.last_n=1"),
    "without last.ckpt": ("callbacks.checkpoint.save_last=false",),
}


@pytest.mark.parametrize("stop", [1, 3, 4, 5, 6, 9, 14])
def test_at_many_steps(config, whole, tmp_path, stop):
    cfg = config("single")
    _interrupt(cfg, tmp_path / "run", tmp_path / "run.tape", stop)
    _check(cfg, whole, tmp_path)


@pytest.mark.parametrize("variant", VARIANTS)
def test_in_every_variant(config, whole, tmp_path, variant):
    cfg = config("single", *VARIANTS[variant])
    stops = (
        (7, 4) if variant == "without last.ckpt" else (2, 5)
    )  # where only best.ckpt is there to go on from
    _interrupt(cfg, tmp_path / "run", tmp_path / "run.tape", *stops)
    _check(cfg, whole, tmp_path)


@pytest.mark.parametrize(("kind", "workers"), [("pair", 0), ("words", 2), ("windows", 0)])
def test_after_kill_9_in_a_process(config, whole, tmp_path, kind, workers):
    cfg = config(kind, f"data.num_workers={workers}")
    run_folder, tape = tmp_path / "run", tmp_path / "run.tape"
    kill = Tape(tape, stop_after=8, kill=True)
    assert in_process(lambda: run(cfg, run_folder, callbacks=[kill]), tmp_path / "log") == -signal.SIGKILL
    assert json.loads((run_folder / "record.json").read_text())["status"] == "running"
    assert in_process(lambda: run(cfg, run_folder, callbacks=[Tape(tape)]), tmp_path / "log") == 0
    _check(cfg, whole, tmp_path)
    assert json.loads((run_folder / "record.json").read_text())["resumed_from_step"] > 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("moment", ["step", "validation"])
def test_after_a_signal(config, whole, tmp_path, number, status, moment):
    cfg = config(
        "single", "callbacks.checkpoint.every_n_steps=null", "data.num_workers=2", "data.eval_batch_size=8"
    )
    run_folder, tape = tmp_path / "run", tmp_path / "run.tape"
    noted = Tape(tape, stop_after=8, signal_at=moment, number=number)
    pid = start(lambda: run(cfg, run_folder, callbacks=[noted]), tmp_path / "log")
    assert end(pid) == status
    saved = torch.load(run_folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["global_step"] == (8 if moment == "step" else 10)
    assert saved["headway"]["moment"] == ("between steps" if moment == "step" else "validation due")
    assert f"go on with: headway train --resume {run_folder}" in (tmp_path / "log").read_text()
    run(cfg, run_folder, callbacks=[Tape(tape)])
    _check(cfg, whole, tmp_path)


class AtStart(pl.Callback):
    """Sends this process SIGTERM where a micro-batch of the first epoch is about to begin."""

    def __init__(self, batch):
        self.batch = batch

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if (trainer.current_epoch, batch_idx) == (0, self.batch):
            os.kill(os.getpid(), signal.SIGTERM)


def test_the_best_checkpoint_is_the_same_after_a_validation_that_was_begun_twice(config, whole, tmp_path):
    # Nothing is learned, so that the first validation, which is interrupted, stays the best.
    cfg = config("single", "optimizer.lr=1e-9", "data.eval_batch_size=8", "trainer.max_epochs=2")
    run_folder, tape = tmp_path / "run", tmp_path / "run.tape"
    noted = Tape(tape, stop_after=5, signal_at="validation")
    assert in_process(lambda: run(cfg, run_folder, callbacks=[noted]), tmp_path / "log") == 143
    run(cfg, run_folder, callbacks=[Tape(tape)])
    _check(cfg, whole, tmp_path)
    best = torch.load(run_folder / "checkpoints" / "best.ckpt", weights_only=True)
    assert best["epoch"] == 0


def test_a_validation_that_is_made_is_not_made_again_after_a_second_signal(config, whole, tmp_path):
    cfg = config("single", "+trainer.val_check_interval=2", "data.eval_batch_size=8")
    run_folder, tape = tmp_path / "run", tmp_path / "run.tape"
    for stop in (Tape(tape, stop_after=2, signal_at="validation"), AtStart(2)):
        noted = [stop] if isinstance(stop, Tape) else [Tape(tape), stop]
        assert in_process(lambda noted=noted: run(cfg, run_folder, callbacks=noted), tmp_path / "log") == 143
    run(cfg, run_folder, callbacks=[Tape(tape)])
    _check(cfg, whole, tmp_path)


def test_a_second_signal_ends_the_process_at_once(config, tmp_path):
    cfg = config("single")
    slow = Tape(tmp_path / "tape", stop_after=4, signal_at="step", number=signal.SIGTERM, linger=30)
    pid = start(lambda: run(cfg, tmp_path / "run", callbacks=[slow]), tmp_path / "log")
    while not (tmp_path / "tape.signal").exists():
        time.sleep(0.05)
    begun = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    assert end(pid) == -signal.SIGTERM
    assert time.monotonic() - begun < 5


def test_heads_on_kept_features(config, tmp_path):
    cfg = config("single", "backbone.trainable=none", "trainer.max_epochs=4", "optimizer.lr=1e-2")
    run(cfg, tmp_path / "whole")
    pause = Tape(tmp_path / "tape", stop_after=2, plain=True)
    with pytest.raises(PowerCutError):
        run(cfg, tmp_path / "run", callbacks=[pause])
    result = run(cfg, tmp_path / "run")
    assert differences(tmp_path / "run", tmp_path / "whole") == []
    assert json.loads((result.folder / "record.json").read_text())["resumed_from_step"] == 5


def _begun(cfg, folder):
    with pytest.raises(PowerCutError):
        run(cfg, folder, callbacks=[Tape(folder.with_suffix(".tape"), stop_after=7)])


def test_another_config_is_refused_with_the_keys_that_differ(config, tmp_path):
    _begun(config("single"), tmp_path / "run")
    other = config("single", "optimizer.lr=2e-3", "trainer.max_epochs=4", "score_splits=[validation,test]")
    with pytest.raises(ConfigError, match=r"hydra\.run\.dir.*optimizer\.lr: 0\.001 -> 0\.002; trainer\.max_"):
        run(other, tmp_path / "run")


def test_other_data_under_the_same_name_are_refused(config, work, tmp_path):
    rows = (work / "rows.jsonl").read_text()
    own = tmp_path / "own.jsonl"
    own.write_text(rows)
    cfg = config("single", f"data.train={own}")
    _begun(cfg, tmp_path / "run")
    own.write_text(rows.replace('"topic": "a"', '"topic": "b"', 1))
    with pytest.raises(ConfigError, match=r"hydra\.run\.dir.*computed with data"):
        run(cfg, tmp_path / "run")


def test_a_finished_run_is_refused(config, whole):
    cfg = config("single")
    folder, _ = whole(cfg)
    with pytest.raises(ConfigError, match=r"hydra\.run\.dir.*finished"):
        run(cfg, folder)


def test_a_damaged_checkpoint_is_refused_by_its_name(config, tmp_path):
    cfg = config("single")
    _begun(cfg, tmp_path / "run")
    path = tmp_path / "run" / "checkpoints" / "last.ckpt"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"last\.ckpt is damaged"):
        run(cfg, tmp_path / "run")
    path.unlink()
    path.with_name("last.ckpt.sha256").unlink()
    run(cfg, tmp_path / "run")  # from the best one


def test_two_processes_do_not_train_in_one_folder(config, tmp_path):
    cfg = config("single")
    slow = Tape(tmp_path / "tape", stop_after=1, signal_at="step", number=signal.SIGCONT, linger=30)
    pid = start(lambda: run(cfg, tmp_path / "run", callbacks=[slow]), tmp_path / "log")
    while not (tmp_path / "tape.signal").exists():
        time.sleep(0.05)
    try:
        with pytest.raises(ConfigError, match=r"hydra\.run\.dir.*a process trains in"):
            run(cfg, tmp_path / "run")
    finally:
        os.kill(pid, signal.SIGKILL)
        end(pid)
