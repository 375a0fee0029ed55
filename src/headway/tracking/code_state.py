"""Which code a run ran: version, the checkout's commit and what differs from it, the user's own modules."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from headway.config.build import allowed_modules
from headway.file_digests import file_sha256
from headway.version import __version__

PARTS = ("src", "conf", "pyproject.toml", "constraints.txt")
"""What of the checkout can change a run."""
ROOT = Path(__file__).resolve().parents[3]


def code_state(root: Path = ROOT) -> dict[str, Any]:
    """Return what code a run runs.

    Args:
        root: Headway's checkout; without a .git in it headway is an installed package.

    Returns:
        `headway`, `commit` (None where it isn't a checkout), `dirty`, `patch` (what `git apply` makes of the
        commit what ran; None where it is clean), `patch_sha256`, and `modules`: module of the user's own ->
        file -> sha256.
    """
    commit = (_git(root, "rev-parse", "HEAD") or "").strip() if (root / ".git").exists() else ""
    patch = working_patch(root) if commit else None
    return {
        "headway": __version__,
        "commit": commit or None,
        "dirty": bool(patch),
        "patch": patch or None,
        "patch_sha256": hashlib.sha256(patch.encode("utf-8", "surrogateescape")).hexdigest()
        if patch
        else None,
        "modules": {name: _module_files(name) for name in allowed_modules()},
    }


@cache
def working_patch(root: Path) -> str:
    """Return what differs from the commit, files that git doesn't know yet among it; once in a process.

    Args:
        root: The checkout.
    """
    tracked = _git(root, "diff", "--binary", "--no-ext-diff", "HEAD", "--", *PARTS) or ""
    listed = _git(root, "ls-files", "-z", "--others", "--exclude-standard", "--", *PARTS) or ""
    added = [
        # With status 1, as always where there is a difference.
        _git(root, "diff", "--binary", "--no-ext-diff", "--no-index", "--", os.devnull, name, statuses=(0, 1))
        for name in listed.split("\0")
        if name
    ]
    return tracked + "".join(part or "" for part in added)


def _git(root: Path, *words: str, statuses: tuple[int, ...] = (0,)) -> str | None:
    """Return what git prints; None where it fails or isn't there."""
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(root), *words],  # noqa: S607
            capture_output=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode in statuses else None


def _module_files(name: str) -> dict[str, str]:
    """Return the sha256 of the sources of an imported module and those below it."""
    found = {}
    for each, module in sorted(sys.modules.items()):
        source = getattr(module, "__file__", None)
        if (each == name or each.startswith(f"{name}.")) and source and Path(source).is_file():
            found[each] = file_sha256(Path(source))
    return found
