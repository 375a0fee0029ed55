"""Seeds are replicates, and configs are called by what they differ in."""

from pathlib import Path

import pytest

from headway.reports.configs import config_id, flatten, group, short, text
from headway.reports.run_folders import Run

BASE = {
    "seed": 1, "data_seed": 1, "name": "x", "output_dir": "o", "num_threads": 1, "optimizer": {"lr": 0.1},
    "task": {"loss": {"_target_": "headway.models.losses.cross_entropy.CrossEntropy", "smooth": 0.0}},
}  # fmt: skip
FOCAL = {"task": {"loss": {"_target_": "headway.models.losses.focal.Focal", "gamma": 2.0}}}


def run(folder, *, status="finished", params=None, **changes):
    return Run(Path(folder), status, {**BASE, **changes}, {}, params=params or {})


def test_seeds_names_and_threads_make_no_config():
    runs = [run("a"), run("b", seed=2), run("c", data_seed=3), run("d", name="y", num_threads=2)]
    (config,) = group(runs)
    assert len(config.runs) == 4
    assert config.name == "x"
    assert len(config.replicates()) == 3  # d repeats a's seeds
    assert config.repeated() == 1
    assert config.replicates()[0].folder == Path("d")


def test_what_differs_is_the_name():
    configs = group([run("a"), run("b", optimizer={"lr": 0.25})])
    assert [config.name for config in configs] == ["lr=0.1", "lr=0.25"]


def test_a_class_that_differs_stands_for_its_arguments():
    configs = group([run("a"), run("b", **FOCAL)])
    assert [config.differences for config in configs] == [
        {"task.loss": BASE["task"]["loss"]["_target_"]}, {"task.loss": FOCAL["task"]["loss"]["_target_"]},
    ]  # fmt: skip
    assert configs[1].name == "loss=Focal"


def test_arguments_that_differ_within_a_class_stand_too():
    other = {"task": {"loss": {**FOCAL["task"]["loss"], "gamma": 3.0}}}
    configs = group([run("a"), run("b", **FOCAL), run("c", **other)])
    assert [config.name for config in configs] == [
        "loss=CrossEntropy",
        "loss=Focal gamma=2",
        "loss=Focal gamma=3",
    ]


def test_a_backbone_of_a_package_is_called_by_the_package():
    packaged = {"backbone": {"name": None, "package": {"name": "minilm", "version": "1"}, "member": "a"}}
    other = {"backbone": {"name": None, "package": {"name": "tiny", "version": "2"}, "member": "b"}}
    assert [config.name for config in group([run("a", **packaged), run("b", **other)])] == [
        "backbone=minilm", "backbone=tiny",
    ]  # fmt: skip


def test_a_trial_that_failed_before_its_config_joins_its_point():
    swept = {"optimizer.lr": 0.1, "seed": 1}
    lost = Run(Path("c"), "failed", {"seed": 2}, {}, "out of memory", {"optimizer.lr": 0.1, "seed": 2})
    alone = Run(Path("d"), "failed", {}, {}, "refused", {"optimizer.lr": 7})
    configs = group([run("a", params=swept), lost, alone])
    assert [len(config.runs) for config in configs] == [2, 1]
    assert configs[0].failed() == [lost]
    assert configs[1].name == "lr=7"


def test_counts():
    (config,) = group([run("a", status="pruned"), run("b", seed=2, status="killed"), run("c", seed=3)])
    assert (config.count("pruned"), len(config.failed()), len(config.replicates())) == (1, 1, 1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.00012345, "0.0001234"), (True, "true"), (None, "null"), ([1, 2], "[1, 2]"), (3, "3"), ("a", "a")],
)
def test_values_as_people_write_them(value, expected):
    assert text(value) == expected


def test_keys():
    assert flatten({"a": {"b": 1}, "c": [2]}) == {"a.b": 1, "c": [2]}
    assert [short(key) for key in ("optimizer.lr", "task/loss", "backbone.name")] == [
        "lr",
        "loss",
        "backbone",
    ]
    assert config_id(run("a")) == config_id(run("b", seed=9)) != config_id(run("c", optimizer={}))
