"""Schedules equal transformers' step for step, and never leave [0, 1]."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import (
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_linear_schedule_with_warmup,
)

from headway.models.schedules import Constant, Cosine, Linear
from headway.types import ConfigError


def rates(scheduler, steps):
    found = []
    for _ in range(steps + 1):
        found.append(scheduler.get_last_lr()[0])
        scheduler.optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.33])
@pytest.mark.parametrize("total", [2, 7, 30])
def test_equals_transformers(warmup, total):
    steps = math.ceil(total * warmup)
    for schedule, reference in (
        (Constant(warmup_ratio=warmup), lambda o: get_constant_schedule_with_warmup(o, steps)),
        (Linear(warmup_ratio=warmup), lambda o: get_linear_schedule_with_warmup(o, steps, total)),
        (Cosine(warmup_ratio=warmup), lambda o: get_cosine_schedule_with_warmup(o, steps, total)),
    ):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        expected = rates(reference(optimizer), total)
        assert [schedule(step, total) for step in range(total + 1)] == pytest.approx(expected, abs=1e-12)


def test_a_warmup_leaves_a_step_to_learn_in():
    for kind in (Constant, Linear, Cosine):
        assert kind(warmup_ratio=0.1)(0, 1) == 1
        assert kind(warmup_ratio=0.99)(1, 2) == 1


@given(
    ratio=st.floats(0, 0.99),
    final=st.floats(0, 1),
    total=st.integers(1, 1000),
    step=st.integers(0, 2000),
)
def test_stays_in_the_unit_range(ratio, final, total, step):
    for schedule in (
        Constant(warmup_ratio=ratio),
        Linear(warmup_ratio=ratio, final_ratio=final),
        Cosine(warmup_ratio=ratio, final_ratio=final),
    ):
        assert 0 <= schedule(step, total) <= 1


@pytest.mark.parametrize("kind", [Linear, Cosine])
def test_ends_at_the_final_ratio_and_stays_there(kind):
    schedule = kind(warmup_ratio=0.1, final_ratio=0.25)
    assert schedule(10, 100) == 1
    assert schedule(55, 100) == pytest.approx(0.625)
    assert schedule(100, 100) == schedule(150, 100) == pytest.approx(0.25)


@pytest.mark.parametrize("value", [-0.1, 1.0, math.nan, "0.1", None])
def test_warmup_out_of_range_is_refused(value):
    for kind in (Constant, Linear, Cosine):
        with pytest.raises(ConfigError, match=r"`schedule.warmup_ratio` must be a number in \[0, 1\)"):
            kind(warmup_ratio=value)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_final_ratio_out_of_range_is_refused(value):
    with pytest.raises(ConfigError, match=r"`schedule.final_ratio` must be a number in \[0, 1\]"):
        Linear(warmup_ratio=0.1, final_ratio=value)
