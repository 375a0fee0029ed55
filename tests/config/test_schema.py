"""The schema holds the keys of conf/train.yaml, no more and no fewer, and no values of its own."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import yaml

from headway.config.schema import MISSING, RunConfig

CONF = Path(__file__).parents[2] / "conf"


def test_keys_are_those_of_the_primary_config():
    raw = yaml.safe_load((CONF / "train.yaml").read_text(encoding="utf-8"))
    groups = {next(iter(entry)) for entry in raw["defaults"] if isinstance(entry, dict)}
    named = {group for group in groups if not group.startswith("override ")} - {"experiment"}
    assert {field.name for field in fields(RunConfig)} == named | (set(raw) - {"defaults", "hydra"})


def test_values_stand_in_yaml():
    config = RunConfig()
    given = {field.name for field in fields(RunConfig) if getattr(config, field.name) != MISSING}
    assert given == {"score_splits", "compare_aggregations", "num_threads", "logger", "seeds", "sweep"}
    assert (config.score_splits, config.num_threads, config.logger) == ([], None, None)


def test_missing_is_omegaconfs():
    import omegaconf

    assert MISSING == omegaconf.MISSING


def test_every_key_is_documented():
    assert all(f"        {field.name}: " in RunConfig.__doc__ for field in fields(RunConfig))
