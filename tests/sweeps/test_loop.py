"""What a sweep runs, again or never again: trials are run by a fake, all else is the real thing."""

from __future__ import annotations

import pytest

from headway.sweeps.jobs import Outcome
from headway.sweeps.points import GridPoints
from headway.sweeps.space import Dimension


def _grid(*words):
    return GridPoints([Dimension("optimizer.lr", words or ("0.1", "0.2", "0.3"))])


def _ok(trial, loop):
    return Outcome("finished", value=trial.cfg["optimizer"]["lr"], seconds=1.0)


def _failing(*numbers, mistake=False, status="failed"):
    def train(trial, loop):
        failed = Outcome(status, error="broken", mistake=mistake)
        return failed if trial.point in numbers else _ok(trial, loop)

    return train


def _folders(runner):
    return [trial.folder.name for trial in runner.begun]


def test_every_point_is_run_once(sweep):
    results, runner = sweep(_grid(), _ok)
    assert [(each.number, each.status, each.mean) for each in results] == [
        (0, "finished", 0.1), (1, "finished", 0.2), (2, "finished", 0.3),
    ]  # fmt: skip
    assert _folders(runner) == ["0", "1", "2"]
    assert runner.most == 1


def test_what_is_finished_is_not_run_again_and_what_is_new_is(sweep):
    sweep(_grid("0.1", "0.2"), _ok)
    results, runner = sweep(_grid("0.3", "0.1", "0.2"), _ok)
    assert _folders(runner) == ["2"]
    assert [(each.number, each.mean) for each in results] == [(2, 0.3), (0, 0.1), (1, 0.2)]


@pytest.mark.parametrize("status", ["failed", "killed", "timeout", "interrupted"])
def test_what_failed_is_run_again_in_a_new_folder(sweep, status):
    results, _ = sweep(_grid(), _failing(1, status=status))
    assert [each.status for each in results] == ["finished", status, "finished"]
    results, runner = sweep(_grid(), _ok)
    assert _folders(runner) == ["1-retry-1"]
    assert [each.status for each in results] == ["finished"] * 3
    assert sweep(_grid(), _ok)[1].begun == []


def test_an_attempt_that_was_killed_before_it_made_its_folder_keeps_its_name(sweep, tmp_path):
    sweep(_grid("0.1"), _failing(0, status="killed"))
    (tmp_path / "sweep" / "0").rmdir()  # as if it had not come so far
    _, runner = sweep(_grid("0.1"), _ok)
    assert _folders(runner) == ["0-retry-1"]


def test_a_value_that_stands_twice_is_one_point(sweep):
    results, runner = sweep(_grid("0.1", "1e-1", "0.2"), _ok)
    assert len(results) == len(runner.begun) == 2


def test_n_trials_is_the_total(sweep):
    assert len(sweep(_grid(), _ok, n_trials=2)[0]) == 2
    results, runner = sweep(_grid(), _ok, n_trials=2)
    assert (len(results), runner.begun) == (2, [])
    results, runner = sweep(_grid(), _ok, n_trials=3)
    assert (len(results), len(runner.begun)) == (3, 1)


def test_on_fail_stop_starts_no_more(sweep):
    results, runner = sweep(_grid(), _failing(1), on_fail="stop")
    assert _folders(runner) == ["0", "1"]
    assert [each.status for each in results] == ["finished", "failed", "not run"]


def test_on_fail_retry_tries_again_at_once(sweep):
    results, runner = sweep(_grid(), _failing(1), on_fail="retry", retries=2)
    assert _folders(runner) == ["0", "1", "1-retry-1", "1-retry-2", "2"]
    assert [each.status for each in results] == ["finished", "failed", "finished"]


def test_a_retry_may_succeed(sweep):
    tried = []

    def train(trial, loop):
        tried.append(trial)
        return _ok(trial, loop) if len(tried) > 1 else Outcome("killed")

    results, runner = sweep(_grid("0.1"), train, on_fail="retry")
    assert [each.status for each in results] == ["finished"]
    assert len(runner.begun) == 2


def test_a_mistake_is_not_tried_again_by_the_same_command(sweep):
    _, runner = sweep(_grid(), _failing(1, mistake=True), on_fail="retry", retries=5)
    assert _folders(runner) == ["0", "1", "2"]


def test_replicates_are_a_mean(sweep):
    def train(trial, loop):
        assert trial.cfg["data_seed"] == trial.cfg["seed"] == trial.seed
        return Outcome("finished", value=float(trial.seed), collapsed="flat" if trial.seed == 4 else None)

    results, runner = sweep(_grid("0.1"), train, seeds=(1, 2, 3, 4))
    (point,) = results
    # (1 + 2 + 3 + 4) / 4; squares of the deviations 2.25 + 0.25 + 0.25 + 2.25 = 5, by 3.
    assert point.mean == 2.5
    assert point.deviation == pytest.approx((5 / 3) ** 0.5)
    assert point.collapsed == 1
    assert [str(trial.folder.relative_to(trial.folder.parents[1])) for trial in runner.begun] == [
        "0/seed-1", "0/seed-2", "0/seed-3", "0/seed-4",
    ]  # fmt: skip


def test_a_replicate_that_failed_is_run_again_alone(sweep):
    def train(trial, loop):
        return Outcome("killed") if trial.seed == 2 else Outcome("finished", value=1.0)

    (point,), _ = sweep(_grid("0.1"), train, seeds=(1, 2, 3))
    assert (point.status, point.values) == ("killed", [1.0, 1.0])
    (point,), runner = sweep(_grid("0.1"), _ok, seeds=(1, 2, 3))
    assert [trial.folder.name for trial in runner.begun] == ["seed-2-retry-1"]
    assert point.status == "finished"


def test_threads_are_divided_among_jobs(sweep, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    seen = []

    def train(trial, loop):
        seen.append(trial.cfg["num_threads"])
        return _ok(trial, loop)

    _, runner = sweep(_grid("0.1", "0.2"), train, n_jobs=3)
    assert seen == [2, 2]
    assert runner.most == 2
    sweep(_grid("0.4"), train)
    assert seen[-1] is None


class _Counting(GridPoints):
    def __init__(self, dimensions):
        super().__init__(dimensions)
        self.settled, self.reported = [], []

    def report(self, params, epoch, value):
        self.reported.append((epoch, value))
        return epoch == 2 and params["optimizer.lr"] == "0.2"

    def settle(self, params, outcome):
        self.settled.append((params["optimizer.lr"], outcome.status))


def test_the_first_replicate_decides_whether_the_others_are_begun(sweep):
    def train(trial, loop):
        for epoch in (1, 2, 3):
            if loop.epoch(trial, epoch, 0.5):
                return Outcome("pruned", value=0.5)
        return _ok(trial, loop)

    pruner = {"_target_": "optuna.pruners.MedianPruner"}
    points = _Counting([Dimension("optimizer.lr", ("0.1", "0.2"))])
    results, runner = sweep(points, train, seeds=(1, 2), pruner=pruner)
    assert [(trial.point, trial.seed) for trial in runner.begun] == [(0, 1), (0, 2), (1, 1)]
    assert [each.status for each in results] == ["finished", "pruned"]
    assert points.settled == [("0.1", "finished"), ("0.2", "pruned")]
    assert points.reported == [(1, 0.5), (2, 0.5), (3, 0.5), (1, 0.5), (2, 0.5)]
    assert sweep(_Counting([Dimension("optimizer.lr", ("0.1", "0.2"))]), train, seeds=(1, 2), pruner=pruner)[
        1
    ].begun == []  # fmt: skip
