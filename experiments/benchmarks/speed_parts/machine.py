"""Where a figure was measured: the processor, its load and the versions, for the record."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from speed_parts.options import ROOT, all_cores

PACKAGES = (
    *("torch", "transformers", "pytorch-lightning", "accelerate", "sentence-transformers", "datasets"),
    *("hydra-core", "numpy", "scipy", "scikit-learn"),
)
FLAGS = ("avx512_bf16", "amx_bf16", "avx512_vnni")


def _processor() -> tuple[str, list[str]]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor(), []
    name = re.search(r"model name\s*:\s*(.+)", text)
    flags = re.search(r"flags\s*:\s*(.+)", text)
    has = set(flags.group(1).split()) if flags else set()
    return name.group(1).strip() if name else platform.processor(), [flag for flag in FLAGS if flag in has]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def machine(threads: int) -> dict[str, Any]:
    """Return what a figure depends on besides the code.

    Args:
        threads: That the contenders use.
    """
    name, flags = _processor()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": name,
        "flags": flags,
        "cores": all_cores(),
        "threads": threads,
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "versions": {package: _version(package) for package in PACKAGES},
    }


def source_hash() -> str:
    """Return a hash of headway's code and configs, so that rounds of other code aren't mixed in."""
    digest = hashlib.sha256()
    folders = (ROOT / "src" / "headway", ROOT / "conf")
    for path in sorted(path for folder in folders for path in folder.rglob("*.*")):
        if path.suffix in (".py", ".yaml"):
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def peak_mib() -> float:
    """Return the peak resident memory of this process so far, in MiB."""
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    return round(int(found.group(1)) / 1024, 1) if found else 0.0
