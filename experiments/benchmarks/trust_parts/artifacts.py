"""Row: an artifact can't run code, reach out of its folder or into it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from headway.archives import extract_folder
from headway.delivery.artifact_spec import parse_spec, write_spec
from headway.delivery.file_sums import file_sums
from headway.delivery.loading import read_artifact
from headway.resume import GoingOn
from headway.run import run
from headway.tracking import checkpoint_io
from headway.types import DataError, HeadwayError
from trust_parts.rows import Case, Row, check
from trust_parts.works import compose, words_of


class _Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.marker}",)


Change = Callable[[Path, Path], None]
"""Takes a copy of a run and the file that shows that code ran."""


def _json(folder: Path, name: str, **values: Any) -> None:
    """Change a file of the artifact, as one who makes the sums again would."""
    path = folder / "model" / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    _seal(folder / "model")


def _seal(model: Path) -> None:
    write_spec(model, replace(parse_spec(model), files=file_sums(model)))


def _spec(folder: Path, **values: Any) -> None:
    model = folder / "model"
    write_spec(model, replace(parse_spec(model), **values))


def _pickle_weights(folder: Path, marker: Path) -> None:
    (folder / "model" / "model.safetensors").write_bytes(pickle.dumps(_Evil(marker)))
    _seal(folder / "model")


def _extra_pickle(folder: Path, marker: Path) -> None:
    (folder / "model" / "model.safetensors").unlink()
    torch.save(_Evil(marker), folder / "model" / "pytorch_model.bin")


def _auto_map(folder: Path, marker: Path) -> None:
    code = f"import os\nos.system('touch {marker}')\nfrom transformers import BertConfig, BertModel\n"
    (folder / "model" / "evil.py").write_text(code + "class C(BertConfig): pass\nclass M(BertModel): pass\n")
    names = {"AutoConfig": "evil.C", "AutoModel": "evil.M"}
    _json(folder, "config.json", auto_map=names, model_type="evil")


def _tokenizer_code(folder: Path, marker: Path) -> None:
    (folder / "model" / "evil.py").write_text(f"import os\nos.system('touch {marker}')\n")
    auto = {"AutoTokenizer": ["evil.T", "evil.T"]}
    _json(folder, "tokenizer_config.json", auto_map=auto, tokenizer_class="T")


def _target(folder: Path, marker: Path) -> None:
    _spec(folder, head={"_target_": "os.system", "_args_": [f"touch {marker}"]})


def _nested_target(folder: Path, marker: Path) -> None:
    inner = {"_target_": "os.system", "_args_": [f"touch {marker}"]}
    _spec(folder, decoding={"_target_": "headway.evaluation.decoding.Argmax", "label_names": inner})


def _symlink(folder: Path, marker: Path) -> None:
    secret = marker.with_name("secret.json")
    secret.write_text("{}")
    (folder / "model" / "config.json").unlink()
    (folder / "model" / "config.json").symlink_to(secret)


def _names_outside(folder: Path, _: Path) -> None:
    _spec(folder, files={"../secret": "0" * 64})


ARTIFACTS: dict[str, Change] = {
    "weights that are a pickle": _pickle_weights,
    "a pickle in the place of the weights": _extra_pickle,
    "config.json with auto_map": _auto_map,
    "tokenizer_config.json with auto_map": _tokenizer_code,
    "a foreign `_target_`": _target,
    "a foreign `_target_` inside": _nested_target,
    "a symbolic link out of the folder": _symlink,
    "names outside the folder": _names_outside,
}


INERT = (_tokenizer_code,)
"""What is read without it: a tokenizer's class is never looked up in its folder."""


def _checkpoint(state: Callable[[Path], Any]) -> Change:
    def change(folder: Path, marker: Path) -> None:
        """Write a checkpoint with a right sum."""
        path = folder / "checkpoints" / "last.ckpt"
        torch.save(state(marker), path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        checkpoint_io.sum_file(path).write_text(f"{digest}  last.ckpt\n")

    return change


CHECKPOINTS = {
    "a checkpoint that is a pickle": _checkpoint(_Evil),
    "Lightning's hyper_parameters with an object": _checkpoint(lambda m: {"hyper_parameters": _Evil(m)}),
}


def _tar(members: dict[str, Any]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                archive.addfile(entry)
            else:
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return raw.getvalue()


def _zip(*names: str) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name in names:
            archive.writestr(name, b"text")
    return raw.getvalue()


OUTSIDE = "headway-outside"
ARCHIVES = {
    "tar traversal": ("a.tar.gz", _tar({"in/a": b"text", f"in/../../{OUTSIDE}": b"text"})),
    "tar with a symbolic link": ("a.tar.gz", _tar({"in/a": b"text", "in/link": "/etc/passwd"})),
    "tar through a symbolic link": (
        "a.tar.gz",
        _tar({"in/up": "../..", f"in/up/{OUTSIDE}": b"text", "in/a": b"text"}),
    ),
    "zip traversal": ("a.zip", _zip("in/a", f"in/../../{OUTSIDE}")),
    "zip with a drive's traversal": ("a.zip", _zip("in/a", f"in/..\\..\\{OUTSIDE}/../../{OUTSIDE}")),
}


def _cases(work: Path, _: float) -> Iterator[Case]:
    cfg = compose(*words_of("single", work))
    run(cfg, work / "run")
    for name, change in ARTIFACTS.items():
        yield name, _refused(work, change, lambda copy: read_artifact(copy / "model"))
    begun = work / "run" / "record.json"
    for name, change in CHECKPOINTS.items():
        begun.unlink(missing_ok=True)
        yield name, _refused(work, change, lambda copy: GoingOn.find(cfg, copy))
    for name, (file, content) in ARCHIVES.items():
        yield name, _extracted(work, file, content)
    yield "ONNX external data", _onnx(work)


def _refused(work: Path, change: Change, use: Callable[[Path], object]) -> Callable[[], None]:
    def case() -> None:
        """Use a copy of the run that was changed; it is refused, and nothing of it ran."""
        copy, marker = work / "copy", work / "it-ran"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(work / "run", copy)
        change(copy, marker)
        try:
            use(copy)
        except (HeadwayError, pickle.UnpicklingError) as error:
            check(not marker.exists(), f"it was refused after it ran: {error}")
            return
        check(not marker.exists(), "it ran")
        check(change in INERT, "it was taken")

    return case


def _extracted(work: Path, file: str, content: bytes) -> Callable[[], None]:
    def case() -> None:
        """Extract a folder of an archive; nothing is written beside it."""
        folder = work / "archives" / "deep"
        shutil.rmtree(work / "archives", ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / file).write_bytes(content)
        try:
            extract_folder(folder / file, "in/", folder / "out")
        except DataError:
            pass
        else:
            links = [each for each in (folder / "out").rglob("*") if each.is_symlink()]
            check(not links, f"links came along: {links}")
        outside = [each for each in work.rglob(f"*{OUTSIDE}*") if not each.is_relative_to(folder / "out")]
        check(not outside, f"it wrote {outside}")

    return case


def _onnx(work: Path) -> Callable[[], None]:
    def case() -> None:
        """Look at a model whose weights lie elsewhere."""
        import onnx

        from headway.delivery.onnx_loading import names_another_file

        tensor = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [1], [1.0])
        tensor.data_location = onnx.TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", "../secret"
        graph = onnx.helper.make_graph([], "g", [], [], [tensor])
        path = work / "model.onnx"
        path.write_bytes(onnx.helper.make_model(graph).SerializeToString())
        check(names_another_file(path), "it was taken")

    return case


ROW = Row(
    "artifacts",
    "Artifacts can't run code or reach out: pickles, auto_map, links, traversal, external data",
    _cases,
)
