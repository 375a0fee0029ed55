"""Who shares a rank with whom."""

import numpy as np
import pytest

from headway.evaluation.statistics.bootstrap import bootstrap
from headway.evaluation.statistics.document_metric import mean
from headway.evaluation.statistics.ranks import comparisons, shared_ranks, told_best

BASE = np.random.default_rng(0).normal(size=400)


def noisy(shift, seed):
    return mean(BASE + np.random.default_rng(seed).normal(0, 0.3, size=400) + shift)


def ranked(shifts, *, mode="max", runs=1, correction="holm"):
    configs = [[noisy(shift, 100 * place + run) for run in range(runs)] for place, shift in enumerate(shifts)]
    found = comparisons(bootstrap(configs, num_resamples=2_000), mode=mode, correction=correction)
    return shared_ranks(len(shifts), found), told_best(len(shifts), found), found


@pytest.mark.parametrize("correction", ["holm", "romano_wolf"])
def test_what_is_alike_shares_a_rank(correction):
    ranks, best, _ = ranked([0.0, 0.0, 0.5], correction=correction)
    assert (ranks, best) == ([2, 2, 1], 2)
    ranks, best, _ = ranked([0.5, 0.5, 0.0], correction=correction)
    assert (ranks, best) == ([1, 1, 3], None)


def test_lower_is_better_where_the_mode_says_so():
    ranks, best, found = ranked([0.0, 0.5], mode="min")
    assert (ranks, best) == ([1, 2], 0)
    assert (found[0].left, found[0].right) == (0, 1)
    assert found[0].difference.value < 0


def test_almost_stochastic_order_decides_with_five_runs():
    *_, (found,) = ranked([0.5, 0.0], runs=5)
    assert (found.decided, found.apart) == (True, True)
    assert found.epsilon < 0.2
    *_, (found,) = ranked([0.5, 0.0], runs=2)
    assert (found.decided, found.epsilon is None) == (False, False)
    *_, (found,) = ranked([0.5, 0.0])
    assert (found.decided, found.epsilon) == (False, None)


def test_scores_that_cross_are_not_apart_by_almost_stochastic_order():
    # A little better at most seeds, far worse at one: the documents' test sees a mean, the order sees both.
    left = [mean(BASE + shift) for shift in (0.4, 0.4, 0.4, 0.4, -1.4)]
    right = [mean(BASE + shift) for shift in (0.0, 0.0, 0.0, 0.0, 0.0)]
    (found,) = comparisons(bootstrap([left, right], num_resamples=500), mode="max")
    assert found.epsilon > 0.2
    assert not found.apart


def test_one_config_is_first_and_not_the_best_of_any():
    ranks, best, found = ranked([0.0])
    assert (ranks, best, found) == ([1], None, [])
