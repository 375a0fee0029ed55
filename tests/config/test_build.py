"""Only allowed classes are resolved, nothing foreign is imported, and wrong keys and types are named."""

from __future__ import annotations

import sys
import textwrap

import pytest

from headway.config.build import FOREIGN, bind, build, resolve
from headway.data.batching import RandomBatches
from headway.models.heads.cls import ClsHead
from headway.types import ConfigError, nearest

BATCHES = "headway.data.batching.RandomBatches"
FILES = "headway.data.sources.files.Files"


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """(name, source) -> a module of the user's own, in the current folder and not on sys.path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    written = []

    def write(name, source):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        written.append(name)

    yield write
    for name in written:
        sys.modules.pop(name, None)


# --- What is allowed


@pytest.mark.parametrize("target", [BATCHES, FILES, "headway.evaluation.metrics.entities.Entities"])
def test_own_classes_are_allowed(target):
    assert f"{resolve(target, key='x').__module__}.{resolve(target, key='x').__qualname__}" == target


@pytest.mark.parametrize(
    "target", sorted(FOREIGN - {"pytorch_lightning.loggers.tensorboard.TensorBoardLogger"})
)
def test_named_foreign_classes_are_allowed(target):
    assert resolve(target, key="x").__name__ == target.rpartition(".")[2]


def test_a_foreign_class_is_allowed_by_its_public_alias():
    assert resolve("pytorch_lightning.Trainer", key="trainer").__name__ == "Trainer"


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "builtins.open",
        "torch.load",
        "torch.hub.load",
        "pickle.loads",
        "subprocess.Popen",
        "pathlib.Path",
        "hydra.utils.instantiate",
        "headway.cli.main.main",
        "headway.config.build.build",
        "headway.packages.fetch",
        "headway.run.run",
        "headway.databases.Table",  # begins like an allowed package
        "headwaydata.Table",
        "pytorch_lightningx.Trainer",
        "system",
        "",
        ".data.Table",
    ],
)
def test_foreign_targets_are_refused(target):
    with pytest.raises(ConfigError, match=r"`task\.head\._target_` must be a class of headway\.data"):
        resolve(target, key="task.head")


@pytest.mark.parametrize(
    "target",
    [
        "headway.data.roles.dataclass",  # a function of another module
        "headway.data.splits.cut",  # a function of ours
        "headway.data.batching.ConfigError",  # ours, but of no allowed package
        "headway.data.text_data.Path",  # re-exported by an import
        "headway.data.batching.np",  # a module
        "pytorch_lightning.trainer.trainer.os",
        "pytorch_lightning.LightningModule",
        "pytorch_lightning.seed_everything",
    ],
)
def test_aliases_of_what_is_not_allowed_are_refused(target):
    with pytest.raises(ConfigError, match=r"`optimizer\._target_` must name an allowed class"):
        resolve(target, key="optimizer")


@pytest.mark.parametrize(
    "target", ["headway.data.batching.np.load", "pytorch_lightning.trainer.trainer.os.system"]
)
def test_a_path_through_a_module_is_refused(target):
    with pytest.raises(ConfigError, match=r"`x\._target_` must name a class that can be imported"):
        resolve(target, key="x")


@pytest.mark.parametrize("target", [None, 5, ["os.system"], {"a": 1}, True])
def test_a_target_that_is_no_text_is_refused(target):
    with pytest.raises(ConfigError, match=r"`task\.loss\._target_` must be the dotted path of a class"):
        resolve(target, key="task.loss")


def test_a_wrong_name_lists_the_classes_and_the_nearest():
    with pytest.raises(
        ConfigError, match=r"`batching\._target_`.*RandomBatches.*did you mean 'RandomBatches'"
    ):
        resolve("headway.data.batching.RandomBatch", key="batching")


# --- The user's own modules


def test_own_modules_need_the_environment(own_module, monkeypatch):
    own_module("parts_a", "class Head:\n    pass\n")
    with pytest.raises(ConfigError, match="run with HEADWAY_ALLOW_MODULES=parts_a"):
        resolve("parts_a.Head", key="task.head")
    assert "parts_a" not in sys.modules
    monkeypatch.setenv("HEADWAY_ALLOW_MODULES", " other , parts_a ")
    assert resolve("parts_a.Head", key="task.head").__name__ == "Head"


def test_a_refused_module_is_not_imported(own_module):
    own_module("parts_b", "raise SystemExit('imported')\n")
    sys.path.insert(0, "")
    with pytest.raises(ConfigError, match=r"`task\.head\._target_`"):
        resolve("parts_b.Head", key="task.head")
    assert "parts_b" not in sys.modules


def test_an_allowed_module_vouches_for_nothing_it_imports(own_module, monkeypatch):
    own_module(
        "parts_c",
        """
        import subprocess
        from os import system
        from subprocess import Popen
        from torch import load as Head

        def make():
            return 1

        instance = object()
        """,
    )
    monkeypatch.setenv("HEADWAY_ALLOW_MODULES", "parts_c")
    for name in ("system", "Popen", "Head", "make", "instance", "subprocess"):
        with pytest.raises(ConfigError, match=r"`x\._target_` must name an allowed class"):
            resolve(f"parts_c.{name}", key="x")
    with pytest.raises(ConfigError, match=r"`x\._target_` must name a class that can be imported"):
        resolve("parts_c.subprocess.Popen", key="x")


def test_a_missing_module_is_named(own_module, monkeypatch):
    own_module("parts_d", "import nowhere_to_be_found\n")
    monkeypatch.setenv("HEADWAY_ALLOW_MODULES", "parts_d,parts_e")
    with pytest.raises(ConfigError, match=r"`x\._target_`.*no module 'nowhere_to_be_found'"):
        resolve("parts_d.Head", key="x")
    with pytest.raises(ConfigError, match=r"`x\._target_`.*no module 'parts_e'"):
        resolve("parts_e.Head", key="x")


# --- Keys and values


def test_an_unknown_key_lists_those_there_are():
    node = {"_target_": BATCHES, "batch_sze": 3, "drop_last": False}
    with pytest.raises(
        ConfigError, match=r"`batching\.batch_sze` is not an argument .*did you mean 'batch_size'"
    ):
        bind(node, key="batching")


def test_a_missing_key_is_named():
    with pytest.raises(ConfigError, match=r"`batching\.drop_last` must be given, got nothing"):
        bind({"_target_": BATCHES, "batch_size": 3}, key="batching")


def test_a_node_without_target_is_named():
    with pytest.raises(ConfigError, match=r"`task\.head\._target_` must be given.*task/head=<name>"):
        bind({"pooling": "cls"}, key="task.head")


def test_run_time_arguments_need_no_key():
    node = {"_target_": "headway.models.heads.cls.ClsHead", "pooling": "cls", "dropout": 0.0}
    runtime = {"hidden_size": 4, "num_labels": 2, "initializer_range": 0.02}
    assert bind(node, key="task.head", runtime=tuple(runtime)) is ClsHead
    assert isinstance(build(node, key="task.head", **runtime, class_counts=[1, 2]), ClsHead)


def test_inner_nodes_are_bound_and_refused():
    inner = {"_target_": "os.system", "command": "true"}
    with pytest.raises(ConfigError, match=r"`batching\.batch_size\._target_` must be a class of"):
        bind({"_target_": BATCHES, "batch_size": inner, "drop_last": False}, key="batching")
    with pytest.raises(ConfigError, match=r"`batching\.batch_size\._target_` must be a class of"):
        build({"_target_": BATCHES, "batch_size": inner, "drop_last": False}, key="batching")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"batch_size": "abc"}, r"`batching\.batch_size` must be a whole number, got 'abc'"),
        ({"batch_size": 1.5}, r"`batching\.batch_size` must be a whole number, got 1\.5"),
        ({"batch_size": True}, r"`batching\.batch_size` must be a whole number, got True"),
        ({"batch_size": None}, r"`batching\.batch_size` must be a whole number, got None"),
        ({"drop_last": 1}, r"`batching\.drop_last` must be true or false, got 1"),
        ({"drop_last": "no"}, r"`batching\.drop_last` must be true or false, got 'no'"),
    ],
)
def test_a_wrong_type_is_named(changed, message):
    node = {"_target_": BATCHES, "batch_size": 3, "drop_last": False, **changed}
    with pytest.raises(ConfigError, match=message):
        bind(node, key="batching")


def test_a_number_for_text_says_how_to_quote_it():
    node = {"_target_": "headway.data.sources.hub.Hub", "name": "x", "config": None, "revision": 1234567}
    with pytest.raises(ConfigError, match=r"`data\.source\.revision` must be text or null.*'\"1234567\"'"):
        bind(node, key="data.source")


def test_build_changes_no_config():
    node = {"_target_": BATCHES, "batch_size": 3, "drop_last": False}
    built = build(node, key="batching")
    assert isinstance(built, RandomBatches)
    assert node == {"_target_": BATCHES, "batch_size": 3, "drop_last": False}


def test_nearest_says_nothing_without_a_near_name():
    assert nearest("poling", ["pooling", "dropout"]) == " (did you mean 'pooling'?)"
    assert nearest("zzz", ["pooling", "dropout"]) == ""
