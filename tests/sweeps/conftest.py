"""A sweep's parts on headway's own config, without a process."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from hydra.core.global_hydra import GlobalHydra

from headway.config.search_path import register
from headway.sweeps.composer import Composer
from headway.sweeps.index import Index
from headway.sweeps.loop import SweepLoop
from headway.sweeps.settings import sweep_settings
from headway.sweeps.trials import TrialMaker

SETTINGS = {
    "name": "mine", "params": {}, "n_trials": None, "n_jobs": 1, "time_limit": None, "on_fail": "continue",
    "retries": 1, "seed": 0, "storage": None, "sampler": None, "pruner": None,
}  # fmt: skip


@pytest.fixture
def hydra():
    """Hydra's loader while the test runs, and a function: (*overrides) -> a sweep's config."""
    register()
    with initialize_config_module("headway.conf", version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        yield loader, lambda *words: compose("train", overrides=list(words), return_hydra_config=True)


@pytest.fixture
def composer(hydra):
    loader, composed = hydra

    def composer(*fixed):
        # Hydra's own words come from its config, as they do in a command.
        tasks = [word for word in fixed if not word.lstrip("+").startswith("hydra")]
        return Composer(composed(*fixed), loader, tasks)

    return composer


class FakeRunner:
    """Runs jobs at once, by a function: (trial) -> outcome, which may call loop.epoch."""

    def __init__(self, loop, train, own_machine=True):
        self.loop, self.train, self.own_machine = loop, train, own_machine
        self.running, self.begun, self.most = [], [], 0
        self.jobs = []  # how many trials each had

    def __len__(self):
        return len(self.running)

    def start(self, job):
        self.running.append(job)
        self.begun += job
        self.jobs.append(len(job))
        self.most = max(self.most, len(self.running))
        for trial in job:
            trial.folder.mkdir(parents=True)  # refuses a folder that was used

    def wait(self):
        for trial in self.running.pop(0):
            self.loop.end(trial, self.train(trial))

    def end_all(self):
        self.running = []


@pytest.fixture
def sweep(composer, tmp_path):
    """(points, train, seeds=, make=, **settings) -> the results and the runner, in tmp_path/sweep."""
    plain = composer()
    folder = tmp_path / "sweep"

    def sweep(points, train, *, seeds=(None,), make=plain, **settings):
        folder.mkdir(exist_ok=True)
        index = Index(folder)
        try:
            loop = SweepLoop(
                sweep_settings({**SETTINGS, **settings}),
                points=points,
                index=index,
                maker=TrialMaker(make, Path(folder), seeds, used=index.folders()),
            )
            runner = FakeRunner(loop, lambda trial: train(trial, loop))
            return loop.run(runner), runner
        finally:
            index.close()

    return sweep
