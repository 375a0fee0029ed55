"""What a run's folder says of it: the config, the environment and the results, as JSON and YAML."""

from __future__ import annotations

import importlib.metadata
import json
import math
import os
import platform
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from headway.named_errors import naming
from headway.version import __version__

PACKAGES = (
    "torch",
    "pytorch-lightning",
    "transformers",
    "tokenizers",
    "datasets",
    "torchmetrics",
    "hydra-core",
    "omegaconf",
    "numpy",
    "pyarrow",
    "safetensors",
)
_KEYS = "(?:api|access|secret|private)_?key(?:_?id)?"
_NAMES = f"(?:token|pass(?:word|wd|phrase)|pwd|secret|{_KEYS}|credentials?|auth)"
SECRET = re.compile(rf"(?:^|[_.-]){_NAMES}$", re.IGNORECASE)
REDACTED = "<redacted>"
COLUMN_MAPPINGS = ("rename", "replace")
_PAIR = re.compile(rf"((?:^|[^a-z0-9])[\"']?{_NAMES}[\"']?\s*[:=]\s*)([^,}}\]\s]+)", re.IGNORECASE)
_LOGIN = re.compile(r"(\w://)[^/@\s]+@")


def redact(value: Any, key: str = "") -> Any:
    """Return the value with what looks like a secret replaced: by its key, or a login in an address.

    Args:
        value: Any plain value.
        key: The key it stands under.
    """
    if SECRET.search(key) and value not in (None, "", True, False, [], {}):
        return REDACTED
    if isinstance(value, dict):
        # Their keys are columns, and a column may well be called token.
        of_columns = key in COLUMN_MAPPINGS
        return {name: redact(inner, "" if of_columns else str(name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [redact(inner) for inner in value]
    return _LOGIN.sub(rf"\1{REDACTED}@", value) if isinstance(value, str) else value


def redact_word(word: str) -> str:
    """Return a word of the command line with what looks like a secret replaced, also inside {a: b} and [a=b].

    Args:
        word: As it came, such as `+logger.api_key=abc`.
    """
    name, sign, value = word.partition("=")
    if any(part in COLUMN_MAPPINGS for part in name.split(".")):
        return word
    if sign and SECRET.search(name):
        return f"{name}={REDACTED}" if value else word
    return str(redact(_PAIR.sub(rf"\1{REDACTED}", word)))


def write_text(path: Path, text: str, *, newline: str | None = None) -> None:
    """Write a text file that is whole or not there; its folder is made.

    Args:
        path: Its place.
        text: What it holds.
        newline: As `open` has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with naming(path):
            partial.write_text(text, encoding="utf-8", newline=newline)
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write JSON that is whole or not there; numbers that JSON lacks (NaN) become null."""
    write_text(path, json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def plain(value: Any) -> Any:
    """Return a value as JSON gives it back: keys are texts, tuples lists, and NaN and infinities null."""
    if isinstance(value, dict):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_config(folder: Path, cfg: dict[str, Any], overrides: list[str]) -> None:
    """Write config.yaml (resolved, secrets redacted) and overrides.yaml.

    Args:
        folder: The run's folder.
        cfg: Plain values.
        overrides: What the command line said.
    """
    write_text(folder / "config.yaml", yaml.safe_dump(redact(cfg), sort_keys=False, allow_unicode=True))
    safe = [redact_word(word) for word in overrides]
    write_text(folder / "overrides.yaml", yaml.safe_dump(safe, sort_keys=False, allow_unicode=True))


def is_finished(folder: Path) -> bool:
    """Return whether a folder holds a run that ended well.

    Args:
        folder: The run's.
    """
    try:
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and record.get("status", "finished") == "finished"


def environment() -> dict[str, Any]:
    """Return what the numbers may depend on besides the config.

    Returns:
        Versions, hardware, threads and numerics, as plain values.
    """
    import torch  # takes seconds, which the writers of files need not wait for

    capabilities = torch.cpu.get_capabilities()
    return {
        "headway": __version__,
        "commit": commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "argv": [redact_word(word) for word in sys.argv],
        "packages": {name: package_version(name) for name in PACKAGES},
        "freeze": freeze(),
        "cpu": {
            "name": capabilities.get("cpu_name"),
            "cores": os.cpu_count(),
            "avx512_bf16": bool(capabilities.get("avx512_bf16")),
            "amx_bf16": bool(capabilities.get("amx_bf16")),
            "flags": cpu_flags(),
        },
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "num_threads": torch.get_num_threads(),
        "mkldnn": torch.backends.mkldnn.is_available(),  # type: ignore[no-untyped-call]
    }


@cache
def freeze() -> dict[str, str]:
    """Return every installed distribution and its version, by name; read once in a process."""
    found: dict[str, str] = {}
    for each in importlib.metadata.distributions():
        name = each.metadata["Name"]
        if name:  # what an interrupted installation leaves has none
            found.setdefault(name, each.version)  # the first on the path is what is imported
    return dict(sorted(found.items(), key=lambda pair: pair[0].lower()))


@cache
def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> list[str]:
    """Return what the CPU can do, sorted; empty where the system doesn't say.

    Args:
        cpuinfo: Where Linux says it.
    """
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    for line in lines:
        name, _, flags = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return sorted(flags.split())
    return []


def package_version(package: str) -> str | None:
    """Return the version of an installed package; None where it isn't installed.

    Args:
        package: As the index names it.
    """
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


@cache
def commit() -> str | None:
    """Return the commit of headway's own checkout, as it was first asked for in this process.

    None where headway is installed from a wheel.
    """
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
