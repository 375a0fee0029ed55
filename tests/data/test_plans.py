"""Plans of an epoch: pure, the same number for every process, and with the weight of the whole step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data.batching import GroupedBatches, RandomBatches, TokenBatches
from headway.data.plans import PlanSampler, plan_epoch, plan_evaluation

LENGTHS = st.builds(
    lambda seed, count: np.random.default_rng(seed).integers(1, 60, size=count),
    st.integers(0, 999),
    st.integers(1, 60),
)


def _plan(lengths=None, *, batching=None, size=4, weights=None, **changes):
    lengths = np.arange(1, 41) if lengths is None else lengths
    weights = np.ones(len(lengths)) if weights is None else weights
    batching = batching or RandomBatches(batch_size=size, drop_last=False)
    arguments = {"seed": 3, "epoch": 0, "accumulate": 1, **changes}
    return plan_epoch(batching, lengths=lengths, weights=weights, **arguments)


def _windows(plans):
    return [window for plan in plans if not plan.padding for window in plan.windows.tolist()]


@given(LENGTHS, st.integers(1, 4), st.integers(1, 5), st.sampled_from(["random", "grouped", "tokens"]))
def test_every_window_once_an_epoch_over_all_processes(lengths, processes, accumulate, kind):
    batching = {
        "random": RandomBatches(batch_size=3, drop_last=False),
        "grouped": GroupedBatches(batch_size=3, drop_last=False, pool=2),
        "tokens": TokenBatches(max_tokens=70),
    }[kind]
    ranks = [
        _plan(lengths, batching=batching, accumulate=accumulate, rank=rank, num_processes=processes)
        for rank in range(processes)
    ]
    assert len({len(plans) for plans in ranks}) == 1
    together = [window for plans in ranks for window in _windows(plans)]
    assert sorted(together) == list(range(len(lengths)))
    for shares in zip(*ranks, strict=True):
        assert len({share.normalizer for share in shares}) == 1
        tokens = [0 if share.padding else int(lengths[share.windows].sum()) for share in shares]
        assert max(tokens) - min(tokens) <= lengths.max()


@given(LENGTHS, st.integers(1, 4))
def test_processes_share_the_steps_that_one_would_take_alone(lengths, processes):
    alone = _plan(lengths, size=3 * processes)
    ranks = [_plan(lengths, size=3, rank=rank, num_processes=processes) for rank in range(processes)]
    for whole, shares in zip(alone, zip(*ranks, strict=True), strict=True):
        assert sorted(whole.windows.tolist()) == sorted(_windows(shares))


def test_windows_of_a_plan_are_sorted_by_length():
    lengths = np.random.default_rng(0).integers(1, 50, size=40)
    for plan in _plan(lengths):
        assert (np.diff(lengths[plan.windows]) >= 0).all()


def test_a_plan_is_a_pure_function_of_seed_and_epoch():
    def order(**changes):
        return _windows(_plan(**changes))

    np.random.seed(1)
    first = order()
    np.random.seed(2)
    assert order() == first
    others = [order(epoch=1), order(epoch=2), order(seed=4), order(seed=4, epoch=1)]
    assert first not in others
    assert len({tuple(other) for other in others}) == 4


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(1.0, 10), (0.5, 5), (0.25, 3), (0.01, 1), (1, 1), (3, 3), (99, 10)],
)
def test_limit_is_a_ratio_or_a_count(limit, expected):
    limited, whole = _plan(limit=limit), _plan()
    assert [plan.windows.tolist() for plan in limited] == [plan.windows.tolist() for plan in whole[:expected]]


def test_a_ratio_is_not_rounded_up_by_an_error_of_floats():
    assert 100 * 0.07 > 7
    assert len(_plan(np.ones(100, int), size=1, limit=0.07)) == 7


def test_max_steps_counts_optimizer_steps():
    assert len(_plan(accumulate=3, max_steps=2)) == 6
    assert len(_plan(accumulate=3, max_steps=4)) == 10  # three whole steps and one of a single batch
    assert _plan(max_steps=0) == []
    assert len(_plan(max_steps=-1)) == 10


def test_the_normalizer_is_the_weight_of_the_whole_step_also_of_the_last():
    weights = np.random.default_rng(0).random(40)
    plans = _plan(accumulate=4, weights=weights)
    assert len(plans) == 10
    for start, end in ((0, 4), (4, 8), (8, 10)):
        step = plans[start:end]
        by_hand = sum(weights[window] for window in _windows(step))
        assert [plan.normalizer for plan in step] == pytest.approx([by_hand] * len(step))


def test_a_cut_by_limit_leaves_its_last_step_the_weight_of_what_is_left():
    plans = _plan(accumulate=4, limit=6)
    assert [plan.normalizer for plan in plans] == [16.0] * 4 + [8.0] * 2


def test_a_process_without_a_share_gets_a_window_that_weighs_nothing():
    ranks = [_plan(np.array([5, 3, 9]), size=2, rank=rank, num_processes=4) for rank in range(4)]
    assert [[plan.padding for plan in plans] for plans in ranks] == [[False]] * 3 + [[True]]
    assert [len(plan.windows) for plan in ranks[3]] == [1]
    assert ranks[3][0].normalizer == 3.0


@given(LENGTHS, st.integers(1, 9), st.integers(1, 5))
def test_evaluation_sees_every_window_once_whatever_the_batches_and_processes(lengths, size, processes):
    ranks = [
        plan_evaluation(lengths, batch_size=size, rank=rank, num_processes=processes)
        for rank in range(processes)
    ]
    together = [window for plans in ranks for window in _windows(plans)]
    assert sorted(together) == list(range(len(lengths)))
    assert len({len(plans) for plans in ranks}) == 1
    assert sum(plan.padding for plans in ranks for plan in plans) < processes


def test_evaluation_begins_with_the_longest_and_pads_two_processes_to_one_number():
    lengths = np.array([4, 9, 2, 7, 5])
    first, second = (plan_evaluation(lengths, batch_size=2, rank=rank, num_processes=2) for rank in (0, 1))
    assert [plan.windows.tolist() for plan in first] == [[3, 1], [2]]
    assert [plan.windows.tolist() for plan in second] == [[0, 4], [2]]
    assert [plan.padding for plan in second] == [False, True]


def test_the_sampler_draws_an_epoch_when_it_is_set_and_only_once():
    drawn = []

    def plan(epoch):
        drawn.append(epoch)
        return _plan(epoch=epoch)

    sampler = PlanSampler(plan, epoch=2)
    sampler.set_epoch(2)
    assert drawn == [2]
    assert len(sampler) == 10
    assert _windows(sampler) == _windows(_plan(epoch=2))
    sampler.set_epoch(3)
    assert _windows(sampler) == _windows(_plan(epoch=3))


def test_an_epoch_draws_its_windows_anew_and_the_same_ones_on_every_process():
    documents = np.repeat(np.arange(10), 4)
    lengths = np.random.default_rng(0).integers(5, 60, size=40)

    def windows(epoch, **changes):
        return _windows(_plan(lengths, documents=documents, windows_each=2, epoch=epoch, **changes))

    first, second = windows(0), windows(1)
    assert np.bincount(documents[first]).tolist() == np.bincount(documents[second]).tolist() == [2] * 10
    assert sorted(first) != sorted(second)
    ranks = [windows(0, size=2, rank=rank, num_processes=2) for rank in (0, 1)]
    assert sorted(ranks[0] + ranks[1]) == sorted(first)
