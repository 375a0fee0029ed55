"""Spreads of few seeds, alone and beside those of other configs."""

import math

import numpy as np
import pytest
from scipy import special, stats

from headway.evaluation.statistics.seed_spread import digamma, seed_spreads, trigamma


def drawn(deviations, runs, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(0.5, deviation, runs) for deviation in deviations]


@pytest.mark.parametrize("x", [0.05, 0.5, 1.0, 2.5, 9.9, 40.0])
def test_functions_are_scipys(x):
    assert digamma(x) == pytest.approx(special.digamma(x), rel=1e-9)
    assert trigamma(x) == pytest.approx(special.polygamma(1, x), rel=1e-9)


def test_few_configs_keep_their_own():
    values = drawn([0.01, 0.02, 0.05], 3)
    for own, spread in zip(values, seed_spreads(values), strict=True):
        assert spread.deviation == pytest.approx(own.std(ddof=1))
        assert spread.freedom == 2


def test_a_single_run_has_none():
    assert seed_spreads([np.array([0.5]), np.array([0.4, 0.6])])[0] is None


def test_like_spreads_strengthen_each_other():
    values = drawn([0.02] * 30, 3)
    spreads = seed_spreads(values)
    own = np.array([each.std(ddof=1) for each in values])
    moderated = np.array([each.deviation for each in spreads])
    assert own.min() < 0.01 < 0.012 < moderated.min()
    assert (moderated >= own).all()  # a wild one stays wild
    assert all(each.freedom == pytest.approx(6) for each in spreads)  # its own two, and twice as many


def test_unlike_spreads_stay_apart():
    values = drawn([0.0005, 0.005, 0.05, 0.5] * 5, 6)
    for own, spread in zip(values, seed_spreads(values), strict=True):
        assert 1 <= spread.deviation / own.std(ddof=1) < 4  # they differ a thousandfold
        assert spread.freedom < 6  # five of its own


def test_the_prior_is_limmas():
    # 400 variances of a scaled inverse chi-square prior with d0 = 6 and s0^2 = 0.04, two degrees of freedom.
    rng = np.random.default_rng(1)
    variances = 6 * 0.04 / rng.chisquare(6, 400)
    values = [rng.normal(0, math.sqrt(variance), 3) for variance in variances]
    spreads = seed_spreads(values)
    own, spread = next(
        (each.var(ddof=1), spread)
        for each, spread in zip(values, spreads, strict=True)
        if spread.deviation > each.std(ddof=1) * 1.1
    )
    assert 2 * (spread.freedom - 2) == pytest.approx(6, abs=2)  # half of the prior's count
    usual = (spread.deviation**2 * spread.freedom - 2 * own) / (spread.freedom - 2)
    assert usual == pytest.approx(0.04, abs=0.01)


def test_runs_that_agree_to_the_bit_are_among_others():
    values = [np.array([0.5, 0.5, 0.5]), *drawn([0.02] * 6, 3)]
    spread = seed_spreads(values)[0]
    assert math.isfinite(spread.deviation)
    assert spread.deviation >= 0
    equal = seed_spreads([np.array([0.5, 0.5])] * 5)
    assert all(each.deviation == 0 for each in equal)
    assert (equal[0].deviations(2, number=5, generator=np.random.default_rng(0)) == 0).all()


def test_deviations_have_the_spread_and_the_tails_of_student():
    (spread,) = seed_spreads([np.array([0.1, 0.2, 0.25, 0.3, 0.45])])
    found = spread.deviations(5, number=100_000, generator=np.random.default_rng(0))
    expected = stats.t.ppf(0.975, 4) * spread.deviation / math.sqrt(5)
    assert np.quantile(found, 0.975) == pytest.approx(expected, rel=0.1)
    assert found.mean() == pytest.approx(0, abs=0.01)
