"""Each stage of a step takes a known time here, and is found to have taken it."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from headway.tracking.training_clock import FetchClock, TrainingClock, training_times

STEPS, UNIT = 4, 0.01
SLACK = 0.12  # seconds, of all steps: hooks, Lightning, and other work on the machine
BATCH = SimpleNamespace(lengths=(2, 3), values=torch.ones(5, 2))


class Slow(torch.autograd.Function):
    """Nothing but time: so many units forward, and so many backward."""

    @staticmethod
    def forward(ctx, values, forward, backward):
        ctx.backward = backward
        time.sleep(forward * UNIT)
        return values.clone()

    @staticmethod
    def backward(ctx, gradient):
        time.sleep(ctx.backward * UNIT)
        return gradient, None, None


class SlowEncoder(nn.Linear):
    def __init__(self, *, frozen):
        super().__init__(2, 2)
        self.requires_grad_(not frozen)

    def computed_tokens(self, batch):
        return 8

    def forward(self, batch):
        return Slow.apply(super().forward(batch.values), 3, 5)


class SlowSteps(torch.optim.SGD):
    def step(self, closure=None):
        with torch.enable_grad():
            loss = closure()
        time.sleep(2 * UNIT)
        return loss


class SlowTuner(pl.LightningModule):
    def __init__(self, *, frozen=False):
        super().__init__()
        self.encoder = SlowEncoder(frozen=frozen)
        self.head = nn.Linear(2, 1)

    def training_step(self, batch, batch_idx):
        return Slow.apply(self.head(self.encoder(batch)).sum(), 4, 6)

    def validation_step(self, batch, batch_idx):
        self.encoder(batch)  # 3 units, none of them training's
        time.sleep(5 * UNIT)

    def configure_optimizers(self):
        return SlowSteps(self.parameters(), lr=0.0)


class SlowBatches(Dataset):
    def __len__(self):
        return STEPS

    def __getitem__(self, index):
        time.sleep(UNIT)
        return BATCH


def fit(**options):
    clock = TrainingClock()
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False, num_sanity_val_steps=0,
        enable_progress_bar=False, enable_model_summary=False, callbacks=[clock],
        profiler=FetchClock(clock), **options.pop("trainer", {}),
    )  # fmt: skip
    loader = DataLoader(SlowBatches(), batch_size=None)
    trainer.fit(SlowTuner(**options), loader, DataLoader(SlowBatches(), batch_size=None))
    return training_times(trainer)


pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec"),
]


def assert_took(seconds, units, times=STEPS):
    assert units * times * UNIT <= seconds <= units * times * UNIT + SLACK


def test_every_stage_gets_its_time():
    times = fit()
    assert (times.tokens, times.computed_tokens) == (STEPS * 5, STEPS * 8)
    assert_took(times.data, 1)
    assert_took(times.encoder, 3 + 5)
    assert_took(times.head, 4 + 6)
    assert_took(times.optimizer, 2)
    assert_took(times.evaluation, 1 + 3 + 5)
    assert_took(times.training, 1 + 3 + 5 + 4 + 6 + 2)


def test_a_frozen_encoder_has_a_forward_only():
    times = fit(frozen=True)
    assert_took(times.encoder, 3)
    assert_took(times.head, 4 + 6)


def test_an_optimizer_step_of_several_batches():
    times = fit(trainer={"accumulate_grad_batches": 2})
    assert_took(times.encoder, 3 + 5)
    assert_took(times.optimizer, 2, times=STEPS // 2)
