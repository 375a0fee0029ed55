"""Generators go on where they were."""

from __future__ import annotations

import random

import numpy as np
import torch

from headway.tracking.checkpoint_io import load, save
from headway.tracking.random_state import random_state, restore_random_state


def _draw():
    return [torch.rand(3).tolist(), torch.randn(1).item(), np.random.rand(2).tolist(), np.random.randn(),
            random.random(), random.gauss(0, 1)]  # fmt: skip


def test_every_generator_goes_on_from_a_checkpoint(tmp_path):
    _draw()  # leaves a cached half of a pair of normal numbers in numpy's and Python's
    save({"random": random_state()}, tmp_path / "last.ckpt")
    expected = [_draw() for _ in range(3)]
    torch.manual_seed(1)
    random.seed(1)
    np.random.seed(1)
    restore_random_state(load(tmp_path / "last.ckpt")["random"])
    assert [_draw() for _ in range(3)] == expected
