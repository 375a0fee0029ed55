"""Corrections by hand, and by statsmodels' definition."""

import numpy as np
import pytest

from headway.evaluation.statistics.correction import holm, romano_wolf


def test_holm_by_hand():
    # 0.01 * 4, 0.02 * 3, 0.03 * 2 raised to the one before, 0.5 * 1
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])


def test_holm_never_passes_one():
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]


def test_romano_wolf_of_one_comparison_is_its_p():
    draws = np.random.default_rng(0).normal(size=999)
    expected = (1 + (np.abs(draws) >= 1.5).sum()) / 1000
    assert romano_wolf([1.5], [draws]) == pytest.approx([expected])


def test_romano_wolf_of_equal_comparisons_costs_nothing():
    draws = np.random.default_rng(0).normal(size=999)
    alone = romano_wolf([2.0], [draws])[0]
    assert romano_wolf([2.0, 2.0, 2.0], [draws] * 3) == pytest.approx([alone] * 3)


def test_romano_wolf_of_independent_comparisons_is_about_sidaks():
    draws = list(np.random.default_rng(0).normal(size=(5, 50_000)))
    single = romano_wolf([2.5], draws[:1])[0]
    found = romano_wolf([2.5, 0.1, 0.1, 0.1, 0.1], draws)
    assert found[0] == pytest.approx(1 - (1 - single) ** 5, abs=0.01)
    assert found[1:] == sorted(found[1:])
    assert found[1] > 0.9


def test_romano_wolf_steps_down():
    draws = list(np.random.default_rng(0).normal(size=(2, 20_000)))
    # The second is compared with itself alone once the first is out.
    alone = romano_wolf([2.0], draws[1:])[0]
    assert romano_wolf([9.0, 2.0], draws)[1] == pytest.approx(alone, abs=1e-9)
