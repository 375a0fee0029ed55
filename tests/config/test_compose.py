"""Every option of every group and every experiment on disk composes, and binds to its constructors."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from headway.assembly import build_backbone, build_data
from headway.config.build import OWN_PACKAGES, build, resolve
from headway.config.check import RUNTIME, bind_all, check_config
from headway.config.search_path import register

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf"
EXPERIMENTS = ROOT / "experiments" / "experiment"

OPTIONS = sorted(
    path.relative_to(CONF).with_suffix("").as_posix()
    for path in CONF.rglob("*.yaml")
    if path.parent != CONF and path.relative_to(CONF).parts[0] != "hydra"
)
EMPTY = ("data/default", "data/files", "data/hub")
DATA = [option for option in OPTIONS if option.startswith("data/") and option.count("/") == 1]
BACKBONES = [option for option in OPTIONS if option.startswith("backbone/")]
NAMES = sorted(
    path.relative_to(EXPERIMENTS).with_suffix("").as_posix() for path in EXPERIMENTS.rglob("*.yaml")
)
TASKS = {"label": "classification", "labels": "multilabel", "score": "regression"}


@pytest.fixture
def composed(monkeypatch):
    """Return a function: (*overrides) -> the config, not resolved; experiments are the repository's."""
    monkeypatch.setenv("HEADWAY_EXPERIMENTS", str(ROOT / "experiments"))
    register()

    def composed(*overrides):
        with initialize_config_module("headway.conf", version_base="1.3"):
            return compose("train", overrides=list(overrides))

    return composed


def _overrides(option):
    group, _, name = option.rpartition("/")
    # A source alone says nothing of the columns: `files` is the data set that doesn't either.
    return (*(["data=files"] if group == "data/source" else []), f"{group}={name}")


def _plain(cfg):
    """The config with every ??? filled in, resolved."""
    for key in _missing_marks(OmegaConf.to_container(cfg)):
        OmegaConf.update(cfg, key, {"_target_": "headway.data.sources.hub.Hub", "name": "x", "config": None,
                                    "revision": None} if key == "data.source" else "x")  # fmt: skip
    return OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)


def _nodes(value, key=""):
    if isinstance(value, Mapping):
        if "_target_" in value:
            yield key, value
        for name, inner in value.items():
            yield from _nodes(inner, f"{key}.{name}".lstrip("."))


def test_the_lists_are_not_empty():
    assert len(OPTIONS) > 60
    assert len(NAMES) >= 9
    assert "data/source/files" in OPTIONS


@pytest.mark.parametrize("option", OPTIONS)
def test_option_binds(option, composed):
    cfg = _plain(composed(*_overrides(option)))
    bind_all(cfg)
    for key, node in _nodes(cfg):
        _check_every_argument(key, node)


def _check_every_argument(key, node):
    """Ours: every argument stands in yaml, unless the program passes it."""
    found = resolve(node["_target_"], key=key)
    if not found.__module__.startswith(OWN_PACKAGES):
        return
    passed = RUNTIME.get(key) or RUNTIME.get(key.split(".")[0]) or ()
    missing = [name for name in inspect.signature(found).parameters if name not in (*node, *passed)]
    assert not missing, f"{key}: {found.__qualname__} has arguments that no yaml sets"


def _missing_marks(value, prefix=""):
    for name, inner in value.items():
        if inner == "???":
            yield f"{prefix}.{name}".lstrip(".")
        elif isinstance(inner, dict) and name != "defaults":
            yield from _missing_marks(inner, f"{prefix}.{name}")


@pytest.mark.parametrize("option", OPTIONS)
def test_what_must_be_given_is_missing(option, composed):
    # OmegaConf drops a ??? that is merged onto a value: `name: ???` over `name: null` would stay null.
    group = option.rpartition("/")[0].replace("/", ".")
    raw = yaml.safe_load((CONF / f"{option}.yaml").read_text(encoding="utf-8"))
    marks = set(_missing_marks(raw, group))
    if marks:
        assert marks <= set(_missing_marks(OmegaConf.to_container(composed(*_overrides(option)))))


@pytest.mark.parametrize("option", [option for option in DATA if option not in EMPTY])
def test_data_set_builds(option, composed):
    name = option.removeprefix("data/")
    node = _plain(composed(f"data={name}"))["data"]
    role = next(role for role in ("label", "labels", "score", "tags") if node[role] is not None)
    task = TASKS.get(role) or ("words" if node["scheme"] is None else "entities")
    data = build_data(_plain(composed(f"data={name}", f"task={task}")))
    assert data.name == name
    assert data.roles.target == role


@pytest.mark.parametrize("option", BACKBONES)
def test_backbone_builds(option, composed):
    backbone = build_backbone(_plain(composed(f"backbone={option.removeprefix('backbone/')}")))
    assert (backbone.name is None) != (backbone.package is None)


@pytest.mark.parametrize("name", NAMES)
def test_experiment_binds(name, composed):
    cfg = _plain(composed(f"experiment={name}"))
    check_config(cfg)
    data, backbone = build_data(cfg), build_backbone(cfg)
    assert data.name == cfg["data"]["name"]
    assert backbone.name or backbone.package
    for key in ("batching", "optimizer", "schedule"):
        build(cfg[key], key=key)


@pytest.mark.parametrize("name", NAMES)
def test_experiment_holds_differences(name):
    lines = (EXPERIMENTS / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# @package _global_"
    assert lines[1].startswith("# ")


def test_defaults_bind(composed):
    check_config(_plain(composed()))


def test_logger_can_be_left_out(composed):
    cfg = _plain(composed("~logger"))
    assert cfg["logger"] is None
    check_config(cfg)
