"""Row: a config can't run code, wherever it comes from."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from headway.run import run
from trust_parts.commands import headway, refused
from trust_parts.rows import Case, Row, check, some
from trust_parts.works import compose, words_of

TARGETS = (
    "os.system", "os.popen", "os.execv", "os.posix_spawn", "os.rename", "os.putenv", "posix.system",
    "subprocess.run", "subprocess.Popen", "subprocess.check_output", "builtins.eval", "builtins.exec",
    "builtins.open", "builtins.__import__", "builtins.getattr", "builtins.compile", "io.open",
    "pathlib.Path.write_text", "pathlib.Path.touch", "pathlib.Path", "shutil.copyfile", "shutil.rmtree",
    "importlib.import_module", "runpy.run_path", "runpy.run_module", "pickle.load", "pickle.loads",
    "torch.load", "torch.serialization.load", "torch.hub.load", "torch.jit.load",
    "torch.distributed.run.main", "torch.utils.cpp_extension.load_inline", "numpy.load",
    "numpy.lib.npyio.load",
    "pandas.read_pickle", "joblib.load", "transformers.AutoModel.from_pretrained", "transformers.pipeline",
    "logging.FileHandler", "logging.config.dictConfig", "hydra.utils.instantiate", "hydra.utils.call",
    "hydra.utils.get_method", "functools.partial", "operator.methodcaller", "types.FunctionType",
    "ctypes.CDLL", "pty.spawn", "code.interact", "webbrowser.open", "urllib.request.urlretrieve", "sys.exit",
    # By way of modules whose classes may be built:
    "headway.packages.os.system", "headway.archives.shutil.rmtree", "headway.tracking.record.subprocess.run",
    "headway.tracking.record.write_text", "headway.cli.main.main", "headway.run.run",
    "headway.tracking.checkpoint_io.torch.load", "headway.data.sources.package.packages",
    "pytorch_lightning.callbacks.callback.Any", "torch.optim.adamw.torch.load",
)  # fmt: skip
NODES = (
    "task.head",
    "optimizer",
    "schedule",
    "batching",
    "logger",
    "task.loss",
    "data.source",
    "task.metrics",
)


def _cases(work: Path, share: float) -> Iterator[Case]:
    marker = work / "it-ran"
    cfg = compose(*words_of("single", work))
    run(cfg, work / "run")
    places = itertools.cycle((_on_the_command_line, _in_an_argument, _in_a_file, _in_a_run))
    nodes = itertools.cycle(NODES)
    targets = TARGETS[: some(len(TARGETS), share)]
    for target, node, place in zip(targets, nodes, places, strict=False):
        yield f"{target} as {node}, {place.__name__[1:]}", _case(work, marker, target, node, place)


def _case(
    work: Path, marker: Path, target: str, node: str, place: Callable[[Path, str, dict], None]
) -> Callable[[], None]:
    def case() -> None:
        """Refuse the target, and have nothing happen."""
        found = {"_target_": target, "_args_": [f"touch {marker}"]}
        place(work, node, found)
        check(not marker.exists(), "the code ran")

    return case


def _on_the_command_line(work: Path, node: str, found: dict) -> None:
    words = [f"~{node}", f"+{node}={_words(found)}"]
    refused(["train", *words_of("single", work), *words], work, "_target_")


def _in_an_argument(work: Path, node: str, found: dict) -> None:
    refused(["train", *words_of("single", work), f"+{node}.inner={_words(found)}"], work, node)


def _in_a_file(work: Path, node: str, found: dict) -> None:
    folder = work / "experiments" / "experiment"
    folder.mkdir(parents=True, exist_ok=True)
    tree: dict = {node.split(".")[-1]: found}
    if "." in node:
        tree = {node.split(".")[0]: tree}
    (folder / "evil.yaml").write_text("# @package _global_\n" + yaml.safe_dump(tree))
    refused(["train", *words_of("single", work), "experiment=evil"], work, "_target_")


def _in_a_run(work: Path, node: str, found: dict) -> None:
    copy = work / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(work / "run", copy)
    cfg = yaml.safe_load((copy / "config.yaml").read_text())
    place = cfg
    *parents, last = node.split(".")
    for parent in parents:
        place = place[parent]
    place[last] = {**found}
    (copy / "config.yaml").write_text(yaml.safe_dump(cfg))
    for verb in (["evaluate", "copy", "--split", "validation"], ["train", "--resume", "copy"]):
        said = headway(verb, work)
        # What evaluate doesn't build, it doesn't look at either: then it must simply be without effect.
        check(said.status in (0, 2), f"{verb[0]} ended with {said.status}: {said.text[-200:]}")


def _words(found: dict) -> str:
    return f"{{_target_: {found['_target_']}, _args_: ['{found['_args_'][0]}']}}"


ROW = Row(
    "targets",
    "A config can't run code: `_target_`s, aliases, nestings on the command line, in yaml, in a run's folder",
    _cases,
)
