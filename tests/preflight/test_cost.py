"""From measured seconds to those of a run, memory of a block, and room on the disk."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from headway.data.store import Encoded
from headway.preflight.cost import CostFacts, cost_findings, time_facts
from headway.preflight.disk import DiskFacts, disk_facts, disk_findings, existing
from headway.preflight.epochs import EpochPlan
from headway.preflight.measure import TrainMeasure, nearest_to_median
from headway.preflight.memory import Peak

MEASURE = TrainMeasure(
    first_loss=0.7, forward=0.01, backward=0.02, optimizer=0.5, gradients=1, states=2, peak=Peak(), load=0.0
)


def test_seconds_add_up():
    batches = np.array([100, 60, 40])
    plans = [
        EpochPlan(batches, 2 * batches, np.ones(3), steps=2),
        EpochPlan(batches[:1], 2 * batches[:1], np.ones(1), 1),
    ]
    found = time_facts(MEASURE, plans, rate=0.01, validation=300, scored=50)
    # 600 computed tokens at 0.03 s and 3 steps at 0.5 s.
    assert found.epoch == pytest.approx((600 * 0.03 + 3 * 0.5) / 2)
    assert found.step == pytest.approx(19.5 / 3)
    assert (found.validation, found.scoring) == pytest.approx((3.0, 0.5))
    assert found.run == pytest.approx(19.5 + 2 * 3.0 + 0.5)
    assert found.tokens_per_second == pytest.approx(300 / 19.5)
    assert found.forward + found.backward + found.optimizer == pytest.approx(found.step)


def test_kept_features_are_computed_once():
    batches = np.array([100, 60, 40])
    plans = [EpochPlan(batches, batches, np.ones(3), steps=3)] * 4
    found = time_facts(MEASURE, plans, rate=0.01, validation=300, scored=50, kept=200)
    assert found.features == pytest.approx(0.01 * (200 + 300 + 50))
    assert (found.epoch, found.validation, found.scoring) == pytest.approx((3 * 0.5, 0.0, 0.0))
    assert found.run == pytest.approx(5.5 + 4 * 1.5)


def test_batches_nearest_to_the_median():
    assert nearest_to_median(np.array([1, 100, 11, 9, 10]), 3) == [3, 2, 4]
    assert nearest_to_median(np.array([5]), 4) == [0]


BLOCK = """
import torch
from headway.preflight.memory import resident, watched

with watched(torch.device("cpu")) as peak:
    block = torch.ones(40_000_000)
    del block
assert resident() > 0
print(peak.growth, peak.total)
"""


def test_memory_of_a_block_is_seen():
    """In a process of its own: one that trained before keeps what it freed, and takes the block from that."""
    command = [sys.executable, "-c", BLOCK]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    growth, total = map(int, done.stdout.split())
    assert 150e6 < growth < 400e6
    assert total >= growth


def test_trainer_precision_of_a_loss_that_is_no_number():
    facts = CostFacts(time=None, memory=None, first_loss=None)
    (finding,) = cost_findings(facts)
    assert finding.level == "error"
    assert "`trainer.precision`: the loss of the first batch is not a finite number" in finding.message
    assert list(cost_findings(CostFacts(time=None, memory=None, first_loss=0.7))) == []


def facts(*, free=10**10, cache_free=10**10):
    return DiskFacts(
        checkpoints=3 * 10**9,
        artifact=10**9,
        needed=4 * 10**9,
        free=free,
        encoded=10**9,
        cache_free=cache_free,
    )


@pytest.mark.parametrize(("free", "level"), [(8 * 10**9 - 1, "warning"), (4 * 10**9 - 1, "error")])
def test_output_dir_without_room(free, level):
    (finding,) = disk_findings(facts(free=free))
    assert finding.level == level
    assert "`output_dir` must have 4.0 GB free for checkpoints and artifact" in finding.message
    assert "callbacks.checkpoint.save_last=false" in finding.message


def test_cache_dir_without_room():
    (finding,) = disk_findings(facts(cache_free=2 * 10**9 - 1))
    assert finding.level == "warning"
    assert "`cache_dir` should have room for 2 times 1.0 GB, got 2.0 GB free" in finding.message
    assert list(disk_findings(facts(free=8 * 10**9, cache_free=2 * 10**9))) == []


def test_room_is_counted(tmp_path):
    encoded = Encoded(
        input_ids=np.zeros(10, np.int32),
        token_type_ids=None,
        offsets=np.zeros(2, np.int64),
        documents=np.zeros(1, np.int64),
        lengths=np.zeros(1, np.int64),
        lost=np.zeros(1, np.int64),
    )
    where = {"encoded": {"train": encoded}, "folder": tmp_path / "a" / "b", "cache": tmp_path / "c"}
    found = disk_facts(weights=400, trained=60, keep_last=True, **where)
    assert (found.checkpoints, found.artifact, found.needed) == (3 * 880, 400, 3 * 880 + 2 * 400)
    assert found.encoded == 40 + 16 + 3 * 8
    assert found.free > 0
    assert disk_facts(weights=400, trained=60, keep_last=False, **where).checkpoints == 2 * 880
    assert existing(tmp_path / "a" / "b") == tmp_path
    assert list(tmp_path.iterdir()) == []
