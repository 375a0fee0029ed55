"""Heads trained side by side take the steps that torch's own optimizer would take with each alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from headway.models.features import to_array
from headway.models.head_plans import HeadPlan, finite
from headway.models.head_training import HeadTrainer
from headway.models.losses.bce import BinaryCrossEntropy
from headway.models.losses.cross_entropy import CrossEntropy
from headway.models.losses.focal import Focal
from headway.models.losses.mse import MeanSquaredError
from headway.types import RowStep, TrainingError

HIDDEN, LABELS, ROWS, STEPS, EPOCHS = 12, 3, 40, 5, 3


@pytest.fixture
def data():
    """(features, labels, weights) of ROWS rows."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(ROWS, HIDDEN)).astype(np.float32)
    return features, rng.integers(0, LABELS, ROWS), rng.uniform(0.5, 2, ROWS).astype(np.float32)


def head(seed=0, *, num_labels=LABELS, **changes):
    generator = torch.Generator().manual_seed(seed)
    plan = HeadPlan(
        weight=torch.randn(num_labels, HIDDEN, generator=generator),
        bias=torch.randn(num_labels, generator=generator),
        dropout=0.0,
        loss=CrossEntropy(),
        loss_key="cross_entropy",
        lr=(0.05, 0.05),
        weight_decay=(0.1, 0.0),
        betas=(0.9, 0.999),
        eps=1e-8,
        clip=1.0,
        rates=np.linspace(1, 0.1, STEPS * EPOCHS),
        seed=seed,
    )
    return replace(plan, **changes)


def steps_of(weights, *, seed, size=7):
    """EPOCHS epochs of STEPS random steps."""
    rng = np.random.default_rng(seed)
    epochs = []
    for _ in range(EPOCHS):
        rows = [rng.choice(ROWS, size, replace=False) for _ in range(STEPS)]
        epochs.append([RowStep(r, float(weights[r].sum())) for r in rows])
    return epochs


def train(plans, data, orders, **arguments):
    features, labels, weights = data
    trainer = HeadTrainer(plans, features=features, labels=labels, weights=weights, **arguments)
    return [trainer.epoch(i, [order[i] for order in orders]) for i in range(EPOCHS)]


def torch_training(plan, data, order):
    """The same steps by torch: a linear layer, AdamW, clip_grad_norm_, a learning rate a step."""
    features, labels, weights = (torch.from_numpy(array) for array in data)
    layer = nn.Linear(HIDDEN, len(plan.bias))
    layer.weight.data, layer.bias.data = plan.weight.clone(), plan.bias.clone()
    groups = [
        {"params": [p], "lr": lr, "weight_decay": decay}
        for p, lr, decay in zip((layer.weight, layer.bias), plan.lr, plan.weight_decay, strict=True)
    ]
    optimizer = torch.optim.AdamW(groups, betas=plan.betas, eps=plan.eps)
    losses = []
    for number, step in enumerate(step for epoch in order for step in epoch):
        for group, lr in zip(optimizer.param_groups, plan.lr, strict=True):
            group["lr"] = lr * plan.rates[number]
        rows = torch.from_numpy(step.rows)
        values = plan.loss(layer(features[rows]), labels[rows]) * weights[rows]
        optimizer.zero_grad()
        (values.sum() / step.normalizer).backward()
        if plan.clip is not None:
            nn.utils.clip_grad_norm_(layer.parameters(), plan.clip)
        optimizer.step()
        losses.append(values.sum().item() / weights[rows].sum().item())
    return layer, losses


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"clip": None},
        {"clip": 0.01},
        {"loss": Focal(gamma=2.0)},
        {"lr": (0.3, 0.01), "weight_decay": (0.5, 0.2), "betas": (0.5, 0.9), "eps": 1e-3},
    ],
)
def test_one_head_takes_torchs_steps(data, changes):
    plan, order = head(**changes), steps_of(data[2], seed=1)
    layer, losses = torch_training(plan, data, order)
    epochs = train([plan], data, [order])
    assert_close(epochs[-1][0].weight, layer.weight.data, atol=1e-6, rtol=1e-5)
    assert_close(epochs[-1][0].bias, layer.bias.data, atol=1e-6, rtol=1e-5)
    assert_close(torch.cat([epoch[0].losses for epoch in epochs]), torch.tensor(losses), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("loss", "labels"),
    [
        (BinaryCrossEntropy(), np.random.default_rng(1).integers(0, 2, (ROWS, LABELS)).astype(np.float32)),
        (MeanSquaredError(), np.random.default_rng(1).normal(size=ROWS).astype(np.float32)),
    ],
)
def test_other_answers_take_torchs_steps(data, loss, labels):
    num_labels = 1 if labels.ndim == 1 else LABELS
    plan, order = head(loss=loss, num_labels=num_labels), steps_of(data[2], seed=1)
    changed = data[0], labels, data[2]
    layer, _ = torch_training(plan, changed, order)
    assert_close(train([plan], changed, [order])[-1][0].weight, layer.weight.data, atol=1e-6, rtol=1e-5)


GRID = [
    {},
    {"lr": (0.01, 0.02)},
    {"weight_decay": (1.0, 0.5), "clip": None},
    {"dropout": 0.5},
    {"dropout": 0.1},
    {"loss": Focal(gamma=2.0), "loss_key": "focal"},
    {"rates": np.linspace(0, 1, STEPS * EPOCHS)},
]


@pytest.mark.parametrize("chunk_bytes", [1, 1 << 26])
@pytest.mark.parametrize("sizes", ["equal", "ragged"])
def test_each_of_many_equals_its_own_single_training(data, chunk_bytes, sizes):
    plans = [head(number, **changes) for number, changes in enumerate(GRID)]
    orders = [
        steps_of(data[2], seed=seed, size=7 if sizes == "equal" else 5 + seed) for seed in range(len(plans))
    ]
    together = train(plans, data, orders, chunk_bytes=chunk_bytes)
    for number, (plan, order) in enumerate(zip(plans, orders, strict=True)):
        alone = train([plan], data, [order])
        for epoch in range(EPOCHS):
            assert_close(together[epoch][number].weight, alone[epoch][0].weight, atol=1e-6, rtol=1e-5)
            assert_close(together[epoch][number].bias, alone[epoch][0].bias, atol=1e-6, rtol=1e-5)
            assert_close(together[epoch][number].losses, alone[epoch][0].losses, atol=1e-6, rtol=1e-5)


def test_dropout_drops_its_share_and_not_the_bias():
    rows = 4000
    features, labels = np.ones((rows, HIDDEN), np.float32), np.zeros(rows, np.float32)
    plan = head(
        num_labels=1,
        loss=MeanSquaredError(),
        dropout=0.25,
        weight=torch.zeros(1, HIDDEN),
        bias=torch.ones(1),
        clip=None,
        weight_decay=(0.0, 0.0),
        lr=(0.0, 0.0),
    )
    trainer = HeadTrainer([plan], features=features, labels=labels, weights=np.ones(rows, np.float32))
    epoch = trainer.epoch(0, [[RowStep(np.arange(rows), float(rows))]])[0]
    assert_close(epoch.losses, torch.ones(1))  # weights are zero: the bias alone answers
    state = trainer.state_dict()["first"][0, :, 0] / 0.1  # after one step: the gradient
    # Of the loss (1 - 0)²: 2 for the bias; 2 a feature on average, kept with 0.75 and scaled by 1 / 0.75.
    assert state[-1] == pytest.approx(2, abs=1e-4)
    kept = state[:-1] / 2 * 0.75
    assert kept == pytest.approx(0.75, abs=4 * (0.75 * 0.25 / rows) ** 0.5)


def test_epochs_have_dropout_of_their_own_and_the_same_again(data):
    plan, order = head(dropout=0.5), steps_of(data[2], seed=1)
    first, again = train([plan], data, [order])[-1][0], train([plan], data, [order])[-1][0]
    assert torch.equal(first.weight, again.weight)
    same_rows = [order[0]] * EPOCHS
    losses = [epoch[0].losses for epoch in train([replace(plan, lr=(0.0, 0.0))], data, [same_rows])]
    assert not torch.allclose(losses[0], losses[1])


def test_goes_on_from_a_state_as_if_never_stopped(data):
    features, labels, weights = data
    plans, order = [head(1, dropout=0.3), head(2)], steps_of(weights, seed=3)
    whole = train(plans, data, [order, order])[-1]
    arguments = {"features": features, "labels": labels, "weights": weights}
    stopped = HeadTrainer(plans, **arguments)
    stopped.epoch(0, [order[0], order[0]])
    resumed = HeadTrainer(plans, **arguments)
    resumed.load_state_dict(stopped.state_dict())
    for number in (1, 2):
        last = resumed.epoch(number, [order[number], order[number]])
    for mine, expected in zip(last, whole, strict=True):
        assert torch.equal(mine.weight, expected.weight)


def test_bfloat16_features_are_read_as_they_were(data):
    features, labels, weights = data
    rounded = torch.from_numpy(features).bfloat16()
    plan, order = head(), steps_of(weights, seed=1)
    expected = train([plan], (rounded.float().numpy(), labels, weights), [order])[-1][0]
    found = train([plan], (to_array(rounded), labels, weights), [order])[-1][0]
    assert torch.equal(found.weight, expected.weight)


def test_a_step_without_labelled_rows_only_decays(data):
    features, labels, weights = data
    plan = head(weight_decay=(0.0, 0.0))
    trainer = HeadTrainer([plan], features=features, labels=labels, weights=weights)
    epoch = trainer.epoch(0, [[RowStep(np.zeros(0, np.int64), 0.0)]])[0]
    assert torch.equal(epoch.weight, plan.weight)
    assert epoch.weights.tolist() == [0]


def test_a_loss_that_is_no_number_ends_the_training(data):
    features, labels, weights = data
    features = features.copy()
    features[3, 2] = np.nan
    order = [[RowStep(np.array([1, 2]), 2.0), RowStep(np.array([3]), 1.0)]]
    trainer = HeadTrainer([head(), head(1)], features=features, labels=labels, weights=weights)
    with pytest.raises(
        TrainingError, match=r"loss is nan in epoch 0 \(optimizer step 1\); lower optimizer\.lr"
    ):
        finite(trainer.epoch(0, [order[0], order[0]])[0], 0)


def test_a_head_that_diverges_leaves_the_others_as_they_were(data):
    order = steps_of(data[2], seed=1)
    plans = [head(), head(1, lr=(1e38, 1e38), weight_decay=(1.0, 1.0), clip=None), head(2)]
    together = train(plans, data, [order] * 3)[-1]
    with pytest.raises(TrainingError, match="the training loss is"):
        finite(together[1], 2)
    for place in (0, 2):
        alone = finite(train([plans[place]], data, [order])[-1][0], 2)
        assert_close(together[place].weight, alone.weight, atol=1e-6, rtol=1e-5)
