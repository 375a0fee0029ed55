"""Intervals and tests against closed forms and by simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from headway.evaluation.statistics.bootstrap import bootstrap, bootstrap_seeds, difference
from headway.evaluation.statistics.document_metric import mean
from headway.types import DataError


def normal_scores(seed, size, shift=0.0):
    return np.random.default_rng(seed).normal(size=size) + shift


def test_one_run_has_the_spread_of_a_mean():
    values = normal_scores(0, 400)
    (draws,) = bootstrap([[mean(values)]], num_resamples=20_000)
    assert draws.mean == pytest.approx(values.mean())
    assert draws.deviation is None
    assert (draws.seeds == 0).all()
    half = 1.96 * values.std() / math.sqrt(400)
    assert draws.interval(0.95) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.006)


def test_seeds_add_their_spread_with_students_tails():
    # Every document of a run has the same score, so only the seeds matter.
    values = [0.1, 0.2, 0.25, 0.3, 0.45]
    (draws,) = bootstrap([[mean(np.full(50, value)) for value in values]], num_resamples=40_000)
    assert draws.deviation == pytest.approx(np.std(values, ddof=1))
    low, high = draws.interval(0.95)
    expected = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert (low, high) == pytest.approx(expected, abs=0.02)


def test_the_test_of_pairs_is_the_t_test_of_pairs_with_many_documents():
    left, noise = normal_scores(1, 500), normal_scores(2, 500)
    for shift in (0.0, 0.02, 0.05, 0.1):
        right = left + 0.5 * noise - shift
        found = difference(*bootstrap([[mean(left)], [mean(right)]], num_resamples=20_000))
        assert found.p == pytest.approx(stats.ttest_rel(left, right).pvalue, abs=0.02)
        assert found.value == pytest.approx((left - right).mean())
        assert found.low < found.value < found.high


def test_equal_runs_are_not_apart():
    values = normal_scores(0, 100)
    found = difference(*bootstrap([[mean(values)], [mean(values)]], num_resamples=100))
    assert (found.value, found.p) == (0, 1)


def test_the_smallest_p_counts_the_measured_one():
    found = difference(*bootstrap([[mean(np.ones(50))], [mean(np.zeros(50))]], num_resamples=99))
    assert found.p == 1 / 100


def test_a_single_run_borrows_the_spread_of_the_others_seeds():
    several = [mean(np.full(50, value)) for value in (0.4, 0.5, 0.6)]
    alone = [mean(np.full(50, 0.7))]
    draws = bootstrap([several, alone], num_resamples=20_000)
    beside_itself = difference(draws[1], draws[0])
    # The run's own spread is that of one seed, sqrt(3) times that of a mean of three.
    assert np.std(draws[0].seeds) > 0
    spread = np.quantile(np.abs(beside_itself.draws), 0.5) / np.quantile(np.abs(draws[0].seeds), 0.5)
    assert spread > 1.5
    assert beside_itself.p > 0.1


@pytest.mark.parametrize(("runs", "power"), [(1, 0.75), (3, 0.5)])  # few seeds say little
def test_false_alarms_are_rare_and_a_real_difference_is_found(runs, power):
    """The same two configs, trained and tested 200 times."""
    rng = np.random.default_rng(runs)

    def config(shift, documents):
        seeds = rng.normal(0, 0.05 if runs > 1 else 0, size=runs)
        return [mean((documents + shift + seed > rng.random(200)).astype(float)) for seed in seeds]

    alarms = hits = 0
    for trial in range(200):
        documents = rng.uniform(0.4, 1.0, size=200)
        for shift in (0.0, 0.25):
            configs = [config(shift, documents), config(0.0, documents)]
            found = difference(*bootstrap(configs, num_resamples=400, seed=trial))
            alarms += found.p < 0.05 and shift == 0
            hits += found.p < 0.05 and shift > 0
    assert alarms <= 18  # 5 % of 200 is 10; more than 18 have a chance below 1 %
    assert hits >= 200 * power


def test_a_large_number_of_documents_is_resampled_in_parts(monkeypatch):
    monkeypatch.setattr("headway.evaluation.statistics.bootstrap.CELLS", 64)
    values = normal_scores(0, 40)
    (draws,) = bootstrap([[mean(values)]], num_resamples=11)
    assert draws.documents.shape == (11,)


def test_what_a_run_alone_gets_right_counts_once():
    # Nothing is common to the runs: all that their mean is uncertain by shows between them.
    values = [normal_scores(seed, 400) for seed in range(8)]
    (draws,) = bootstrap([[mean(each) for each in values]], num_resamples=20_000)
    means = np.array([each.mean() for each in values])
    low, high = draws.interval(0.95)
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.975, 7) * stats.sem(means), rel=0.15)


def test_what_runs_share_stays():
    # Runs that agree on every document leave the documents' part alone.
    values = normal_scores(0, 400)
    draws = bootstrap([[mean(values)] * 5, [mean(values)]], num_resamples=20_000)
    assert draws[0].interval(0.95) == pytest.approx(draws[1].interval(0.95))


def test_runs_alone_are_students():
    values = np.array([0.1, 0.2, 0.25, 0.3, 0.45])
    (draws,) = bootstrap_seeds([values], num_resamples=40_000)
    expected = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
    assert draws.interval(0.95) == pytest.approx(expected, abs=0.02)
    with pytest.raises(DataError, match="configs must have two runs"):
        bootstrap_seeds([values[:1]])


def test_runs_of_different_documents_are_refused():
    with pytest.raises(DataError, match="must be of the same documents"):
        bootstrap([[mean(np.ones(3))], [mean(np.ones(4))]])
