"""A few steps are recorded, after the first ones, and written in two forms."""

from __future__ import annotations

import gzip
import json
from types import SimpleNamespace

import pytest
import torch

from headway.tracking.step_profile import RECORDED, SKIPPED, StepProfile, recorded_steps


@pytest.mark.parametrize(
    ("count", "steps"),
    [(0, []), (1, [0]), (5, [0, 1, 2, 3, 4]), (7, [2, 3, 4, 5, 6]), (15, [10, 11, 12, 13, 14]),
     (1000, [10, 11, 12, 13, 14])],
)  # fmt: skip
def test_steps_after_the_first_ones(count, steps):
    assert list(recorded_steps(count)) == steps
    assert (SKIPPED, RECORDED) == (10, 5)


def train(folder, *, batches, ends="on_train_end"):
    trainer = SimpleNamespace(num_training_batches=batches)
    module = SimpleNamespace(device=torch.device("cpu"))
    callback = StepProfile(folder)
    callback.on_train_start(trainer, module)
    for number in range(batches):
        callback.on_train_batch_start(trainer, module, None, number)
        torch.ones(3, 3) @ torch.ones(3, 3)
        if ends == "on_exception" and number == batches - 1:
            break
        callback.on_train_batch_end(trainer, module, None, None, number)
    getattr(callback, ends)(trainer, module, *([ValueError()] if ends == "on_exception" else []))


def counts(folder):
    trace = json.loads(gzip.decompress((folder / "trace.json.gz").read_bytes()))
    names = [event.get("name") for event in trace["traceEvents"] if event.get("ph") == "X"]
    return names.count("aten::matmul")


@pytest.mark.slow
def test_a_trace_and_a_table(tmp_path):
    train(tmp_path / "profile", batches=30)
    assert counts(tmp_path / "profile") == 5
    text = (tmp_path / "profile" / "operators.txt").read_text()
    assert text.startswith("5 micro-batches after 10 others, by self_cpu_time_total\n")
    assert "aten::mm" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ends", "steps"), [("on_validation_start", 3), ("on_train_end", 3), ("on_exception", 3)]
)
def test_what_was_recorded_is_written_wherever_training_ends(tmp_path, ends, steps):
    train(tmp_path / "profile", batches=steps, ends=ends)
    assert counts(tmp_path / "profile") == steps


def test_nothing_is_written_of_nothing(tmp_path):
    train(tmp_path / "profile", batches=0)
    assert not (tmp_path / "profile").exists()


@pytest.mark.slow
def test_the_key_of_the_trainer_makes_it(compose_config, tmp_path):
    from headway.trainer_assembly import build_trainer

    words = ("data=files", "data.train=x.csv", "data.label=a", "~logger", "trainer.accelerator=cpu")
    for value in (True, False):
        cfg = compose_config(*words, f"trainer.profile={str(value).lower()}")
        trainer, _ = build_trainer({**cfg, "logger": None}, tmp_path)
        assert any(isinstance(c, StepProfile) for c in trainer.callbacks) == value
