"""The keys of `sweep` and `seeds`: what is refused, by name."""

from __future__ import annotations

import pytest

from headway.sweeps.settings import replicate_seeds, sweep_settings
from headway.types import ConfigError

TPE = {"_target_": "optuna.samplers.TPESampler"}
NODE = {
    "name": "mine", "params": {}, "n_trials": None, "n_jobs": 1, "time_limit": None, "on_fail": "continue",
    "retries": 1, "seed": 0, "storage": None, "sampler": None, "pruner": None,
}  # fmt: skip


def test_a_plain_grid_needs_no_optuna():
    assert not sweep_settings(NODE).needs_optuna
    assert sweep_settings({**NODE, "sampler": TPE, "n_trials": 3}).needs_optuna


def test_attempts():
    assert sweep_settings({**NODE, "retries": 2}).attempts == 1
    assert sweep_settings({**NODE, "retries": 2, "on_fail": "retry"}).attempts == 3


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("name", "", "`sweep.name` must name a folder"),
        ("name", "../x", "`sweep.name` must name a folder"),
        ("params", [1], "`sweep.params` must be a mapping"),
        ("n_trials", 0, "`sweep.n_trials` must be a whole number >= 1 or null, got 0"),
        ("n_jobs", 0, "`sweep.n_jobs` must be a whole number >= 1, got 0"),
        ("n_jobs", True, "`sweep.n_jobs` must be a whole number >= 1, got True"),
        ("time_limit", 0, "`sweep.time_limit` must be seconds > 0 or null, got 0"),
        ("time_limit", "1h", "`sweep.time_limit` must be seconds > 0 or null, got '1h'"),
        ("on_fail", "retrry", r"`sweep.on_fail` must be one of .*\(did you mean 'retry'\?\)"),
        ("retries", -1, "`sweep.retries` must be a whole number >= 0, got -1"),
        ("seed", -1, "`sweep.seed` must be a whole number in"),
        ("storage", 3, "`sweep.storage` must be a URL or null, got 3"),
        ("storage", "sqlite:///x.db", "`sweep.storage` must be null for a plain grid"),
        ("sampler", TPE, "`sweep.n_trials` must be a whole number >= 1 where a sampler draws points"),
        ("sampler", {"_target_": "os.system"}, "`sweep."),
        (
            "pruner",
            {"_target_": "optuna.pruners.MedianPruner", "x": 1},
            "`sweep.pruner.x` is not an argument",
        ),
        ("n_job", 1, r"`sweep.n_job` is not a key of a sweep \(did you mean 'n_jobs'\?\)"),
    ],
)
def test_refused(key, value, message):
    with pytest.raises(ConfigError, match=message):
        sweep_settings({**NODE, key: value})


def test_a_missing_key_and_no_sweep_at_all():
    with pytest.raises(ConfigError, match="`sweep.retries` must be given"):
        sweep_settings({name: value for name, value in NODE.items() if name != "retries"})
    with pytest.raises(ConfigError, match="`sweep` must be an option"):
        sweep_settings(None)


def test_seeds():
    assert replicate_seeds(None, seed=42) is None
    assert replicate_seeds(3, seed=42) == [42, 43, 44]
    assert replicate_seeds([7, 1], seed=42) == [7, 1]


@pytest.mark.parametrize("seeds", [0, -1, True, [], [1, 1], ["a"], "5", 1.5])
def test_seeds_refused(seeds):
    with pytest.raises(ConfigError, match="`seeds` must be a number of replicates"):
        replicate_seeds(seeds, seed=0)
