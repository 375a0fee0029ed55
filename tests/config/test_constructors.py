"""What is read of a constructor's source is what the class itself says, for every class that configs name."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import headway.conf as conf
import pytest

from headway.config.build import FOREIGN, SLOW, bind, bind_early, is_slow, resolve
from headway.config.constructors import Constructor, constructor_in_source
from headway.types import ConfigError

TARGETS = sorted(
    {
        target
        for file in Path(conf.__file__).parent.rglob("*.yaml")
        for target in re.findall(r"_target_: (headway\.(?!cli)\S+)", file.read_text())
    }
    | FOREIGN
)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_source_and_class_agree(target):
    found = constructor_in_source(target)
    if found is None:
        assert not is_slow(target)  # no constructor of its own, or @dataclass's
        return
    real = Constructor.of(resolve(target, key="x"))
    known = [name for name in real.arguments if name not in ("args", "kwargs")]
    assert list(found.arguments) == [name for name in known if name in found.arguments]
    assert found.takes_any == real.takes_any
    if not real.takes_any:
        assert list(found.arguments) == known
    assert found.needed == real.needed
    for name, annotation in found.annotations.items():
        assert annotation == real.annotations[name], name
    for name, value in found.constants.items():
        assert getattr(resolve(target, key="x"), name) == value


def test_every_slow_class_is_told_by_its_source():
    slow = [target for target in TARGETS if is_slow(target)]
    assert {target.rpartition(".")[2] for target in slow} >= {"ClsHead", "Focal", "BestCheckpoint", "Trainer"}
    assert [target for target in slow if constructor_in_source(target) is None] == []


WRONG = [
    {"_target_": "headway.models.heads.cls.ClsHead", "poling": "mean"},
    {"_target_": "headway.models.heads.cls.ClsHead", "dropout": "much"},
    {"_target_": "headway.tracking.checkpoints.BestCheckpoint", "save_lastt": True},
    {"_target_": "pytorch_lightning.Trainer", "max_epoch": 3},
    {"_target_": "pytorch_lightning.loggers.CSVLogger"},
    {"_target_": "os.system"},
    {},
]


@pytest.mark.parametrize("node", WRONG)
def test_the_early_message_is_the_message(node):
    runtime = ("hidden_size", "num_labels", "monitor", "mode", "dirpath")
    with pytest.raises(ConfigError) as late:
        bind(node, key="k", runtime=runtime)
    with pytest.raises(ConfigError) as early:
        bind_early(node, key="k", runtime=runtime)
    assert str(early.value) == str(late.value)


@pytest.fixture
def users_package(tmp_path, monkeypatch):
    """A user's package that must not be imported early."""
    package = tmp_path / "users_package"
    package.mkdir()
    (package / "__init__.py").write_text("raise ZeroDivisionError\n")
    (package / "parts.py").write_text(
        "import functools\n"
        "class Plain:\n    def __init__(self, rate: float, *more, name: str = 'a', **others: int): ...\n"
        "class Inherited(Plain): ...\n"
        "@functools.total_ordering\nclass Decorated:\n    def __init__(self, rate: float): ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("HEADWAY_ALLOW_MODULES", "users_package")
    return "users_package.parts"


def test_a_users_class_is_read_and_not_imported(users_package):
    found = constructor_in_source(f"{users_package}.Plain")
    assert (found.arguments, found.needed, found.takes_any) == (("rate", "name"), ("rate",), True)
    assert found.annotations == {"rate": float, "name": str}
    with pytest.raises(ConfigError, match=r"`k.rate` must be a number, got 'x'"):
        bind_early({"_target_": f"{users_package}.Plain", "rate": "x"}, key="k")
    assert "users_package" not in sys.modules


@pytest.mark.parametrize("name", ["Inherited", "Decorated", "Missing"])
def test_what_the_source_does_not_tell_is_left_to_the_import(users_package, name):
    assert constructor_in_source(f"{users_package}.{name}") is None
    bind_early({"_target_": f"{users_package}.{name}", "rate": "x"}, key="k")


def test_no_source_tells_nothing():
    assert constructor_in_source("no_such_package.parts.Thing") is None
    assert constructor_in_source("headway.models.heads.nothing.Thing") is None
    assert all(not target.startswith("headway.data") for target in SLOW)
