"""Where configs of the user's own are found, and the names that are made for a run."""

from __future__ import annotations

import pytest
from hydra import compose, initialize_config_module

from headway.config.search_path import cache_home, experiments_dir, new_run_id, register
from headway.types import ConfigError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("HEADWAY_EXPERIMENTS", "HEADWAY_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_no_folder(here):
    assert experiments_dir() is None


def test_the_current_folders_experiments(here):
    (here / "experiments").mkdir()
    assert experiments_dir() == (here / "experiments").resolve()


def test_the_variable_comes_first(here, monkeypatch):
    (here / "experiments").mkdir()
    (here / "mine").mkdir()
    monkeypatch.setenv("HEADWAY_EXPERIMENTS", "mine")
    assert experiments_dir() == (here / "mine").resolve()


def test_a_variable_that_names_no_folder(here, monkeypatch):
    monkeypatch.setenv("HEADWAY_EXPERIMENTS", "nowhere")
    with pytest.raises(ConfigError, match=r"\$HEADWAY_EXPERIMENTS must be a folder, got 'nowhere'"):
        experiments_dir()


def test_options_and_experiments_of_the_users_own(here):
    (here / "experiments" / "data").mkdir(parents=True)
    (here / "experiments" / "experiment").mkdir()
    (here / "experiments" / "data" / "mine.yaml").write_text(
        "defaults: [files, _self_]\nname: mine\ntrain: my.csv\nlabel: topic\n", encoding="utf-8"
    )
    (here / "experiments" / "experiment" / "try.yaml").write_text(
        "# @package _global_\ndefaults: [override /data: mine]\nseed: 7\n", encoding="utf-8"
    )
    register()
    with initialize_config_module("headway.conf", version_base="1.3"):
        config = compose("train", overrides=["experiment=try"])
    assert (config.seed, config.name, config.data.label) == (7, "mine", "topic")
    assert config.data.source._target_ == "headway.data.sources.files.Files"


def test_run_ids_differ_and_sort_by_time():
    first, second = new_run_id(), new_run_id()
    assert first != second
    assert first[:15] <= second[:15]


def test_a_run_has_one_id(here):
    register()
    with initialize_config_module("headway.conf", version_base="1.3"):
        config = compose("train", return_hydra_config=True)
    assert config.hydra.run.dir == config.hydra.run.dir


def test_a_sweep_has_a_folder_of_its_own_that_stays(here):
    register()
    with initialize_config_module("headway.conf", version_base="1.3"):
        first, second, other = (
            compose("train", overrides=words, return_hydra_config=True).hydra.sweep.dir
            for words in (["sweep.n_jobs=2"], ["sweep.n_trials=9", "output_dir=outputs"], ["seed=2"])
        )
    assert first == second
    assert first.startswith("outputs/r8/sweep-")
    assert other != first


def test_cache_home(here, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache_home() == "/xdg/headway"
    monkeypatch.setenv("HEADWAY_CACHE", "/mine")
    assert cache_home() == "/mine"
