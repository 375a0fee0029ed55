"""Points of a study: never one twice, the same after a kill, and told what they came to."""

from __future__ import annotations

import optuna
import pytest
from optuna.trial import TrialState

from headway.sweeps.jobs import Outcome
from headway.sweeps.optuna_points import OptunaPoints
from headway.sweeps.settings import sweep_settings
from headway.sweeps.space import Dimension
from headway.types import ConfigError

from .conftest import SETTINGS

LR = Dimension("lr", None, 1e-5, 1e-1, log=True)
LOSS = Dimension("loss", ("focal", "bce"))
SAMPLERS = ["RandomSampler", "TPESampler", "GPSampler"]


@pytest.fixture
def points(tmp_path):
    """(*dimensions, sampler=, pruner=, signature=, **settings) -> points of the test's one storage."""

    def points(*dimensions, sampler="RandomSampler", pruner=None, signature="s", direction="max", **settings):
        node = sampler and {"_target_": f"optuna.samplers.{sampler}"}
        if sampler in SAMPLERS[1:]:
            node["n_startup_trials"] = 3
        chosen = {**SETTINGS, "n_trials": 99, "sampler": node, "pruner": pruner, **settings}
        return OptunaPoints(
            dimensions,
            settings=sweep_settings(chosen),
            storage=f"sqlite:///{tmp_path / 'study.db'}",
            study_name="files/mine",
            direction=direction,
            signature=signature,
        )

    return points


def _finish(points, params, value):
    points.settle(params, Outcome("finished", value=value))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_search_goes_on_where_it_stopped(points, sampler):
    def draw(source, count):
        drawn = []
        for _ in range(count):
            params = source.next()
            _finish(source, params, -abs(params["lr"] - 1e-3))
            drawn.append(params)
        return drawn

    first = draw(points(LR, LOSS, sampler=sampler, seed=7), 4)
    resumed = points(LR, LOSS, sampler=sampler, seed=7)
    assert list(resumed.known()) == first
    second = draw(resumed, 3)
    assert len({str(each) for each in first + second}) == 7


def test_a_seed_gives_the_same_points_killed_or_not(points, tmp_path):
    def draw(source):
        params = source.next()
        _finish(source, params, 0.0)
        return params

    killed = [draw(points(LR)) for _ in range(3)]  # a new command for each
    (tmp_path / "study.db").unlink()
    source = points(LR)
    assert [draw(source) for _ in range(3)] == killed
    (tmp_path / "study.db").unlink()
    assert draw(points(LR, seed=1)) != killed[0]


def _states(tmp_path):
    study = optuna.load_study(study_name="files/mine", storage=f"sqlite:///{tmp_path / 'study.db'}")
    return [(each.state, each.value) for each in study.trials]


def test_the_study_is_told(points, tmp_path):
    source = points(LR)
    outcomes = [
        Outcome("finished", value=0.25),
        Outcome("failed"),
        Outcome("pruned", value=0.1),
        Outcome("killed"),
    ]
    for outcome in outcomes:
        source.settle(source.next(), outcome)
    assert _states(tmp_path) == [
        (TrialState.COMPLETE, 0.25), (TrialState.FAIL, None),
        (TrialState.PRUNED, None), (TrialState.FAIL, None),
    ]  # fmt: skip


def test_what_a_killed_command_left_running_is_settled_or_opened_again(points, tmp_path):
    source = points(LR)
    done, lost = source.next(), source.next()
    resumed = points(LR)
    assert list(resumed.known()) == [done, lost]
    _finish(resumed, done, 0.5)  # the index knew its value, the study didn't
    resumed.open(lost)
    _finish(resumed, lost, 0.75)
    assert _states(tmp_path) == [
        (TrialState.COMPLETE, 0.5), (TrialState.FAIL, None), (TrialState.COMPLETE, 0.75),
    ]  # fmt: skip
    again = points(LR)
    assert list(again.known()) == [done, lost]
    _finish(again, done, 0.5)
    assert [state for state, _ in _states(tmp_path)].count(TrialState.COMPLETE) == 2


def test_a_space_is_used_up_in_the_end(points):
    source = points(LOSS, sampler="TPESampler")
    seen = []
    while True:
        params = source.next()
        if params not in seen:
            seen.append(params)
            _finish(source, params, 1.0 if params["loss"] == "bce" else 0.0)
        elif not source.repeated(params):
            break
    assert len(seen) == 2


def test_a_point_that_runs_and_is_drawn_again_stays_running(points, tmp_path):
    source = points(Dimension("loss", ("focal",)))
    first = source.next()
    assert source.repeated(source.next())
    _finish(source, first, 0.5)
    assert _states(tmp_path) == [(TrialState.COMPLETE, 0.5), (TrialState.FAIL, None)]


def test_a_pruner_stops_what_is_worse_than_the_median(points):
    pruner = {"_target_": "optuna.pruners.MedianPruner", "n_startup_trials": 2, "n_warmup_steps": 0}
    source = points(LR, pruner=pruner)
    for value in (0.8, 0.9):
        params = source.next()
        assert not source.report(params, 1, value)
        _finish(source, params, value)
    params = source.next()
    assert source.report(params, 1, 0.1)
    source.settle(params, Outcome("pruned", value=0.1))
    assert not source.report(source.next(), 1, 0.95)


@pytest.mark.parametrize(
    "pruner",
    [
        {"_target_": "optuna.pruners.SuccessiveHalvingPruner", "min_resource": 1, "reduction_factor": 2},
        {
            "_target_": "optuna.pruners.HyperbandPruner",
            "min_resource": 1,
            "max_resource": 4,
            "reduction_factor": 2,
        },
    ],
)
def test_halving_stops_some(points, pruner):
    source = points(LR, pruner=pruner)
    stopped = 0
    for number in range(12):
        params = source.next()
        pruned = any(source.report(params, epoch, 1.0 - number / 20) for epoch in (1, 2, 3))
        stopped += pruned
        source.settle(params, Outcome("pruned" if pruned else "finished", value=0.5))
    assert 0 < stopped < 12


def test_a_grid_may_be_pruned(points):
    source = points(LOSS, Dimension("n", ("1", "2"), 1, 2, 1, is_int=True), sampler=None,
                    pruner={"_target_": "optuna.pruners.MedianPruner"})  # fmt: skip
    drawn = []
    while (params := source.next()) is not None:
        drawn.append(params)
        _finish(source, params, 0.5)
    assert drawn == [{"loss": loss, "n": n} for loss in ("focal", "bce") for n in ("1", "2")]


def test_another_sweep_of_the_same_name_is_refused(points):
    points(LR)
    with pytest.raises(ConfigError, match="`sweep.name` must name a sweep of the same config and values"):
        points(LR, signature="other")


def test_a_storage_that_is_none_is_refused():
    settings = {**SETTINGS, "n_trials": 1, "sampler": {"_target_": "optuna.samplers.RandomSampler"}}
    with pytest.raises(ConfigError, match="`sweep.storage` must be a URL that Optuna can open"):
        OptunaPoints([LR], settings=sweep_settings(settings), storage="nonsense://x", study_name="n",
                     direction="max", signature="s")  # fmt: skip
