"""The corners of a schedule and the groups of parameters."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from headway.models.schedules import Constant, Cosine, Linear
from headway.preflight.rates import Group, parameter_groups, peak_rates, schedule_points


@pytest.mark.parametrize(
    "schedule", [Constant(warmup_ratio=0.1), Linear(warmup_ratio=0.1), Cosine(warmup_ratio=0.0)]
)
@pytest.mark.parametrize("total", [1, 7, 200])
def test_points_are_the_schedules_values(schedule, total):
    points = schedule_points(schedule, total, encoder_lr=1e-4, head_lr=1e-3)
    assert [point.name for point in points] == ["first step", "end of warm-up", "middle", "last step"]
    for point in points:
        assert point.multiplier == schedule(point.step, total)
        assert point.encoder_lr == pytest.approx(1e-4 * schedule(point.step, total))
        assert point.head_lr == pytest.approx(1e-3 * schedule(point.step, total))
    assert [points[0].step, points[2].step, points[3].step] == [0, total // 2, total - 1]


def test_the_warm_up_ends_at_the_greatest_rate():
    points = schedule_points(Linear(warmup_ratio=0.1), 200, encoder_lr=None, head_lr=1e-3)
    assert (points[1].step, points[1].multiplier, points[1].encoder_lr) == (20, 1.0, None)


def test_groups_count_what_trains_and_what_is_frozen():
    encoder, head = nn.Linear(3, 4), nn.Linear(4, 2)
    encoder.weight.requires_grad_(False)
    groups = [
        {
            "name": "encoder/no_decay",
            "params": [encoder.bias],
            "lr": 0.0,
            "initial_lr": 1e-4,
            "weight_decay": 0.0,
        },
        {
            "name": "head/decay",
            "params": list(head.parameters()),
            "lr": 0.0,
            "initial_lr": 1e-3,
            "weight_decay": 0.1,
        },
    ]
    found = parameter_groups(groups, (encoder, head))
    assert found == (
        Group("encoder/no_decay", 4, 1e-4, 0.0),
        Group("head/decay", 10, 1e-3, 0.1),
        Group("frozen", 12, 0.0, 0.0),
    )
    assert peak_rates(found) == (1e-4, 1e-3)


def test_the_last_layer_has_the_greatest_rate_of_the_encoder():
    groups = [Group("encoder/0/decay", 1, 1e-5, 0.0), Group("encoder/2/decay", 1, 4e-5, 0.0)]
    assert peak_rates([*groups, Group("head/decay", 1, 1e-3, 0.0)]) == (4e-5, 1e-3)
    assert peak_rates([Group("head/decay", 1, 1e-3, 0.0)]) == (None, 1e-3)


def test_an_optimizer_of_the_users_own_may_name_no_groups():
    layer = nn.Linear(2, 2)
    found = parameter_groups(torch.optim.SGD(layer.parameters(), lr=0.1).param_groups, (layer,))
    assert [(group.name, group.lr) for group in found] == [("group 0", 0.1)]
    assert peak_rates(found) == (None, 0.1)
