"""Configs composed in parts are those that Hydra composes whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import OmegaConf, open_dict

from headway.types import ConfigError

POINTS = [
    ("optimizer.lr=3e-4",),
    ("task/loss=focal", "task.loss.gamma=3"),
    ("task=multilabel", "task/loss=bce"),
    ("data=r52", "data.max_length=33"),
    ("~logger", "callbacks=early_stopping"),
    ("+trainer.fast_dev_run=false", "++seed=4"),
    ("task.head={dropout: 0.3}",),
    ("backbone=bert_tiny", "seed=3", "data_seed=9"),
]


@pytest.mark.parametrize("point", POINTS, ids=" ".join)
def test_as_hydra_composes_it(point, composer, hydra):
    fixed = ("data=r8", "trainer.max_epochs=7", "optimizer.lr=1e-3")
    _, composed = hydra
    whole = composed(*fixed, *point)
    with open_dict(whole):
        del whole["hydra"]
        whole["sweep"] = None
    made = composer(*fixed)(point, number=0, folder_of=Path)
    assert made.cfg == OmegaConf.to_container(whole, resolve=True)
    assert made.overrides == (*fixed, "seeds=null", *point)


def test_one_config_does_not_change_the_next(composer):
    make = composer()
    first = make(("optimizer.lr=1",), number=0, folder_of=Path).cfg
    make(("optimizer.lr=2", "+optimizer.x=1"), number=1, folder_of=Path)
    assert make(("optimizer.lr=1",), number=2, folder_of=Path).cfg == first


def test_hydras_own_values(composer, tmp_path):
    made = composer("hydra.sweep.subdir=n${hydra.job.num}-${hydra.job.override_dirname}")(
        ("seed=5",), number=3, folder_of=lambda subdir: tmp_path / subdir
    )
    assert made.folder.name == "n3-seed=5,seeds=null"
    assert made.job_logging["handlers"]["file"]["filename"] == str(made.folder / "run.log")


def test_what_hydra_sets_for_a_job(composer):
    made = composer("+hydra.job.env_set.A=b-${seed}", "hydra.job.chdir=true")(
        ("seed=5",), number=0, folder_of=Path
    )
    assert (made.environment, made.chdir) == ({"A": "b-5"}, True)
    plain = composer()((), number=0, folder_of=Path)
    assert (plain.environment, plain.chdir) == ({}, False)


def test_a_value_may_mean_hydras(composer):
    make = composer("name=run-${hydra:job.num}")
    assert make((), number=4, folder_of=Path).cfg["name"] == "run-4"


def test_what_must_be_given(composer):
    with pytest.raises(ConfigError, match="`data.name` must be given|`data.source"):
        composer("data=default")((), number=0, folder_of=Path)
