"""The record's patch makes of the commit what ran."""

from __future__ import annotations

import subprocess

import pytest

from headway.tracking.code_state import code_state, working_patch
from headway.version import __version__


def git(folder, *words, text=None):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    command = ["git", "-C", str(folder), *identity, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, input=text).stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "checkout"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_text("a = 1\n")
    git(tmp_path, "init", "-q", str(folder))
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def test_a_clean_checkout_has_a_commit_and_no_patch(checkout):
    found = code_state(checkout)
    assert (found["headway"], found["commit"]) == (__version__, git(checkout, "rev-parse", "HEAD"))
    assert (found["dirty"], found["patch"], found["patch_sha256"]) == (False, None, None)


def test_the_patch_makes_the_working_tree_of_the_commit(checkout, tmp_path):
    (checkout / "src" / "a.py").write_text("a = 2\n")
    (checkout / "src" / "new.py").write_text("b = 'é'\n")
    (checkout / "notes.txt").write_text("not code")
    found = code_state(checkout)
    assert found["dirty"]
    assert len(found["patch_sha256"]) == 64
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(checkout), str(clone))
    git(clone, "apply", text=found["patch"])
    for name in ("src/a.py", "src/new.py"):
        assert (clone / name).read_bytes() == (checkout / name).read_bytes()
    assert not (clone / "notes.txt").exists()


def test_an_installed_package_has_neither(tmp_path):
    found = code_state(tmp_path)
    assert (found["commit"], found["dirty"], found["patch"]) == (None, False, None)


def test_it_is_read_once_in_a_process(checkout):
    before = working_patch(checkout)
    (checkout / "src" / "a.py").write_text("a = 3\n")  # after the import, so not what runs
    assert working_patch(checkout) == before
