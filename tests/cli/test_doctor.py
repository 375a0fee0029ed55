"""`headway doctor`: what is installed against what is known."""

from __future__ import annotations

import importlib.metadata

import pytest

from headway.advisories import ADVISORIES, Finding, findings


def test_nothing_that_is_installed_here_is_affected(headway):
    outcome = headway("doctor")
    assert outcome.status == 0, outcome.out
    assert outcome.out.endswith(", 0 affected\n")


def test_all_lists_every_installed_package(headway):
    out = headway("doctor", "--all").out
    assert "CVE-2025-32434" in out
    assert "headway's bound" in out


@pytest.mark.parametrize(
    ("installed", "affected"),
    [
        ("2.5.1", True),
        ("2.6.0", False),
        ("2.6.0rc1", True),
        ("2.13.0+cpu", False),
        ("2.10.0", False),
        (None, False),
    ],
)
def test_versions_are_compared_as_versions(installed, affected):
    assert Finding("torch", installed, "2.6.0", "CVE", "").affected is affected


def test_an_old_package_is_told_with_what_to_install(headway, tmp_path, monkeypatch):
    folder = tmp_path / "old" / "tqdm-4.0.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: tqdm\nVersion: 4.0.0\n")
    monkeypatch.syspath_prepend(str(folder.parent))
    assert importlib.metadata.version("tqdm") == "4.0.0"
    outcome = headway("doctor")
    assert outcome.status == 1
    assert "CVE-2024-34062" in outcome.out
    assert "pip install 'tqdm>=4.66.3'" in outcome.out


def test_headways_own_bounds_are_among_them():
    bounds = {each.package: each.needed for each in findings() if each.why == "headway's bound"}
    assert bounds["torch"] == "2.12.1"
    assert bounds["onnx"] == "1.21"


def test_no_advisory_is_named_twice():
    assert len({(each.package, each.name) for each in ADVISORIES}) == len(ADVISORIES)
