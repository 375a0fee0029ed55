"""Almost stochastic order by hand, and beside the grid that deep-significance integrates on."""

import math

import numpy as np
import pytest
from scipy import stats

from headway.evaluation.statistics.stochastic_order import almost_stochastic_order, violation_ratio


def ratio_on_a_grid(left, right, dt=0.0005):
    def quantile(scores, p):
        place = np.clip(np.ceil(len(scores) * p).astype(int) - 1, 0, len(scores) - 1)
        return np.sort(scores)[place]

    points = np.arange(0, 1, dt)
    gaps = quantile(right, points) - quantile(left, points)
    return (np.maximum(gaps, 0) ** 2).sum() / (gaps**2).sum()


def test_by_hand():
    assert violation_ratio([2, 3], [0, 1]) == 0  # larger at every quantile
    assert violation_ratio([0, 1], [2, 3]) == 1
    assert violation_ratio([1, 1], [1, 1]) == 0.5
    # Quantiles 0 | 4 beside 1 | 2: gaps 1 and -2, of squares 1 and 4, half of the way each.
    assert violation_ratio([0, 4], [1, 2]) == pytest.approx(1 / 5)
    # Quantiles 0 | 0 | 3 beside 1 | 1: gaps 1 over two thirds, -2 over one.
    assert violation_ratio([3, 0, 0], [1, 1]) == pytest.approx((2 / 3) / (2 / 3 + 4 / 3))


@pytest.mark.parametrize("sizes", [(5, 5), (3, 7), (40, 25)])
def test_the_integral_is_that_of_a_fine_grid(sizes):
    rng = np.random.default_rng(0)
    for _ in range(5):
        left, right = rng.normal(0.5, 1, sizes[0]), rng.normal(0, 1, sizes[1])
        assert violation_ratio(left, right) == pytest.approx(ratio_on_a_grid(left, right), abs=0.01)


def test_the_bound_is_the_papers():
    rng = np.random.default_rng(0)
    left, right = rng.normal(0.5, 1, 12), rng.normal(0, 1, 9)
    ratios = [ratio_on_a_grid(rng.choice(left, 12), rng.choice(right, 9), dt=0.005) for _ in range(2_000)]
    root = math.sqrt(12 * 9 / 21)
    sigma = np.std(root * (np.array(ratios) - violation_ratio(left, right)))
    expected = violation_ratio(left, right) - sigma / root * stats.norm.ppf(0.05)
    assert almost_stochastic_order(left, right, num_resamples=4_000) == pytest.approx(expected, abs=0.02)


def test_the_bound_is_a_share():
    assert almost_stochastic_order([9, 10, 11], [0, 1, 2]) == 0
    assert almost_stochastic_order([0, 1, 2], [9, 10, 11]) == 1


def test_one_score_is_refused():
    with pytest.raises(ValueError, match="two scores a side"):
        almost_stochastic_order([1.0], [1.0, 2.0])
