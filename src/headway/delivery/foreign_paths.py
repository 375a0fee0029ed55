"""Whether an export is whole in itself: no file of it leads to another place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from headway.delivery.onnx_loading import names_another_file

LEADING = ("_name_or_path", "name_or_path", "tokenizer_file", "vocab_file", "merges_file")
"""Keys by which transformers says where something was loaded from."""


def foreign_paths(folder: Path) -> list[str]:
    """Return what in a folder points outside of it, a line each.

    Args:
        folder: The export's.
    """
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found.append(f"{path.name} is a link to {path.readlink()}")
        elif path.suffix == ".onnx" and names_another_file(path):
            found.append(f"{path.name} names another file that holds its weights")
        elif path.name in ("config.json", "tokenizer_config.json"):
            found += _of_config(path)
    return found


def _of_config(path: Path) -> list[str]:
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    found = [f"{path.name}: {key} leads to {value!r}" for key, value in _leading(values)]
    for key, target in values.get("auto_map", {}).items():
        for name in target if isinstance(target, list) else [target]:
            module = str(name).rpartition(".")[0]
            if name is not None and not (path.parent / f"{module}.py").is_file():
                found.append(f"{path.name}: auto_map.{key} leads to {name!r}, which isn't in the folder")
    return found


def _leading(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield keys whose value is a path to another place; configs may stand in configs."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leading(value)
        elif key in LEADING and isinstance(value, str) and Path(value).name != value:
            yield key, value
