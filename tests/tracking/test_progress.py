"""One line an epoch, with the mean of the epoch's losses and the first of equals as the best."""

from __future__ import annotations

import logging
import sys
from types import SimpleNamespace

import pytest
import torch

from headway.tracking.progress import EpochLines, progress_bar


def _lines(values, mode, caplog):
    lines = EpochLines(monitor="val/f1", mode=mode)
    with caplog.at_level(logging.INFO, logger="headway.tracking.progress"):
        for epoch, value in enumerate(values):
            metrics = {"train/loss": torch.tensor(9.0), "val/loss": torch.tensor(0.25), "val/f1": value}
            trainer = SimpleNamespace(
                current_epoch=epoch, max_epochs=3, global_step=10 * (epoch + 1), callback_metrics=metrics
            )
            module = SimpleNamespace(epoch_loss=0.5)
            lines.on_train_epoch_start(trainer, module)
            lines.on_train_epoch_end(trainer, module)
    return [record.getMessage() for record in caplog.records]


def test_a_line_says_what_the_epoch_came_to(caplog):
    (line,) = _lines([torch.tensor(0.75)], "max", caplog)
    assert line == "epoch 1/3  step 10  train/loss 0.5000  val/loss 0.2500  val/f1 0.7500  best  0 s"


@pytest.mark.parametrize(
    ("mode", "best"), [("max", [True, False, True, False]), ("min", [True, True, False, True])]
)
def test_the_best_so_far_is_marked(caplog, mode, best):
    values = map(torch.tensor, [0.5, 0.4, 0.6, 0.3])
    assert ["  best" in line for line in _lines(values, mode, caplog)] == best


def test_of_equals_the_first_is_the_best(caplog):
    assert ["  best" in line for line in _lines([torch.tensor(0.5)] * 2, "max", caplog)] == [True, False]


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_is_drawn_on_a_terminal_alone(monkeypatch, terminal):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    assert (progress_bar() is not None) == terminal
