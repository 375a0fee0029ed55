"""The benchmark of the tests, at a size that says nothing."""

import pytest
from scipy import stats
from significance import SETTINGS, told_apart, wilson


def test_the_interval_is_wilsons():
    assert wilson(50, 1_000) == pytest.approx(
        stats.binomtest(50, 1_000).proportion_ci(method="wilson"), abs=1e-4
    )


@pytest.mark.parametrize("name", SETTINGS)
def test_a_large_difference_is_seen_and_none_is_not_always(name):
    options = {"documents": 300, "resamples": 600}
    assert told_apart(SETTINGS[name], better=6.0, seed=1, **options)[1] or SETTINGS[name].runs > 1
    assert not all(told_apart(SETTINGS[name], better=0.0, seed=seed, **options)[0] for seed in range(3))
