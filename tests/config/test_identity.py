"""The hashes by which runs and sweeps are known again."""

from __future__ import annotations

import pytest
from hydra import compose, initialize_config_module

from headway.config.identity import run_id
from headway.config.search_path import register


def test_folders_and_the_sweep_are_no_part_of_a_run():
    cfg = {
        "seed": 1,
        "optimizer": {"lr": 0.1, "wd": 0},
        "output_dir": "a",
        "sweep": {"n_jobs": 1},
        "seeds": 3,
    }
    same = {"optimizer": {"wd": 0, "lr": 0.1}, "seed": 1, "output_dir": "b", "name": "x", "cache_dir": "c"}
    assert run_id(cfg) == run_id(same)
    assert run_id(cfg) != run_id({**cfg, "seed": 2})
    assert run_id(cfg) != run_id({**cfg, "optimizer": {"lr": 0.1, "wd": 0.1}})


@pytest.fixture
def folder():
    def folder(*words):
        register()
        with initialize_config_module("headway.conf", version_base="1.3"):
            return compose("train", overrides=list(words), return_hydra_config=True).hydra.sweep.dir

    return folder


def test_what_decides_the_numbers_decides_the_sweeps_folder(folder):
    words = ["sweep=optuna", "+sweep.params={optimizer.lr: '1e-3,1e-4'}"]
    # compose() takes no swept words: sweep.params stands for them.
    assert folder(*words) == folder(*words, "sweep.n_trials=50", "sweep.on_fail=retry", "sweep.time_limit=9")
    different = [
        words[:1],
        [*words, "seeds=3"],
        [*words, "sweep.seed=1"],
        [*words, "optimizer.weight_decay=0.1"],
    ]
    assert len({folder(*each) for each in [words, *different]}) == 5


def test_a_sweep_may_be_given_its_folder(folder):
    assert folder("sweep.name=lr_search") == "outputs/r8/lr_search"
    assert folder("hydra.sweep.dir=elsewhere") == "elsewhere"
