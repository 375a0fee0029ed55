"""Each way to cut an epoch: all windows once, the sizes promised, and what makes each way different."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data.batching import GroupedBatches, RandomBatches, TokenBatches
from headway.types import ConfigError

LENGTHS = st.builds(
    lambda seed, count: np.random.default_rng(seed).integers(1, 60, size=count),
    st.integers(0, 999),
    st.integers(1, 80),
)
PROCESSES = st.integers(1, 4)


def _rng(seed=0):
    return np.random.default_rng(seed)


def _random(size, *, drop_last=False):
    return RandomBatches(batch_size=size, drop_last=drop_last)


def _grouped(size, *, drop_last=False, pool=3):
    return GroupedBatches(batch_size=size, drop_last=drop_last, pool=pool)


@given(LENGTHS, PROCESSES, st.integers(1, 9), st.integers(1, 5))
def test_every_window_stands_in_one_batch(lengths, processes, size, pool):
    for batching in (_random(size), _grouped(size, pool=pool), TokenBatches(max_tokens=size * 10)):
        batches = batching.batches(lengths, rng=_rng(), num_processes=processes)
        assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
        assert all(batch.dtype == np.int64 for batch in batches)


@pytest.mark.parametrize("make", [_random, _grouped])
def test_all_batches_but_the_last_are_full(make):
    sizes = [len(batch) for batch in make(4).batches(np.ones(22, int), rng=_rng(), num_processes=2)]
    assert sizes == [8, 8, 6]


@pytest.mark.parametrize("make", [_random, _grouped])
def test_drop_last_leaves_only_full_batches(make):
    batches = make(4, drop_last=True).batches(np.ones(22, int), rng=_rng(), num_processes=2)
    assert [len(batch) for batch in batches] == [8, 8]
    assert len(set(np.concatenate(batches).tolist())) == 16


@pytest.mark.parametrize("make", [_random, _grouped])
def test_drop_last_keeps_the_only_batch(make):
    batches = make(4, drop_last=True).batches(np.ones(3, int), rng=_rng(), num_processes=2)
    assert [len(batch) for batch in batches] == [3]


@pytest.mark.parametrize("batching", [_random(4), _grouped(4), TokenBatches(max_tokens=40)])
def test_the_generator_alone_decides(batching):
    lengths = _rng(7).integers(1, 30, size=50)

    def order(seed):
        return np.concatenate(batching.batches(lengths, rng=_rng(seed), num_processes=1)).tolist()

    assert order(1) == order(1)
    assert order(1) != order(2)


def test_grouped_batches_of_a_pool_share_no_lengths():
    lengths = _rng(1).permutation(64)
    batches = _grouped(8, pool=8).batches(lengths, rng=_rng(), num_processes=1)
    for batch in batches:
        assert np.ptp(lengths[batch]) == 7  # eight neighbours in length
    firsts = [lengths[batch].min() for batch in batches]
    assert firsts != sorted(firsts), "the batches must come in random order"


def test_grouped_batches_drop_windows_of_any_length():
    lengths = np.arange(33)
    dropped = set()
    for epoch in range(20):
        batches = _grouped(8, drop_last=True, pool=4).batches(lengths, rng=_rng(epoch), num_processes=1)
        dropped |= set(range(33)) - set(np.concatenate(batches).tolist())
    assert len(dropped) > 8
    assert min(dropped) < 16 < max(dropped)


@given(LENGTHS, PROCESSES)
def test_token_batches_are_as_full_as_they_can_be(lengths, processes):
    limit = 50 * processes
    batches = TokenBatches(max_tokens=50).batches(lengths, rng=_rng(), num_processes=processes)
    for batch, following in zip(batches, [*batches[1:], None], strict=True):
        tokens = int(lengths[batch].sum())
        assert tokens <= limit or len(batch) == 1
        assert following is None or tokens + lengths[following[0]] > limit


@pytest.mark.parametrize(
    ("key", "make"),
    [
        ("batching.batch_size", lambda: _random(0)),
        ("batching.batch_size", lambda: _grouped(0)),
        ("batching.pool", lambda: _grouped(1, pool=0)),
        ("batching.max_tokens", lambda: TokenBatches(max_tokens=0)),
    ],
)
def test_values_out_of_range_name_their_key(key, make):
    with pytest.raises(ConfigError, match=rf"{key} must be >= 1.*, got 0"):
        make()
