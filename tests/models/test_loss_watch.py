"""A loss that isn't a number ends training: at once on a CPU, and when it has arrived from a GPU."""

from __future__ import annotations

import pytest
import torch

from headway.models.loss_watch import LossWatch, Step
from headway.types import TrainingError

NAN, FINE = torch.tensor(float("nan")), torch.tensor(1.0)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_on_a_cpu_at_once(value):
    watch = LossWatch()
    watch.see(FINE, Step(0, 0, 0))
    with pytest.raises(TrainingError, match=rf"loss is {value} in epoch 2, batch 3 \(optimizer step 7\)"):
        watch.see(torch.tensor(float(value)), Step(2, 3, 7))


class Late:
    """Stands for a GPU: a loss arrives when the test says so, and waiting for one is noted."""

    def __init__(self):
        self.copies, self.there, self.waited = [], 0, 0

    def __call__(self, loss):
        self.copies.append(loss)
        return LateCopy(self, len(self.copies))


class LateCopy:
    def __init__(self, device, number):
        self.device, self.number = device, number

    def arrived(self):
        return self.number <= self.device.there

    def value(self):
        self.device.waited += not self.arrived()
        return float(self.device.copies[self.number - 1])


def test_from_a_gpu_later_with_the_step_that_it_was():
    device = Late()
    watch = LossWatch(device)
    for batch, loss in enumerate((FINE, NAN, FINE)):
        watch.see(loss, Step(0, batch, batch))
    assert device.waited == 0
    device.there = 2
    with pytest.raises(TrainingError, match=r"epoch 0, batch 1 \(optimizer step 1\)"):
        watch.see(FINE, Step(0, 3, 3))
    assert device.waited == 0


def test_what_is_on_its_way_is_waited_for_at_the_end():
    device = Late()
    watch = LossWatch(device)
    watch.see(FINE, Step(0, 0, 0))
    watch.see(NAN, Step(0, 1, 1))
    with pytest.raises(TrainingError, match="epoch 0, batch 1"):
        watch.finish()
    watch.finish()  # the error is told once
    assert device.waited == 2
