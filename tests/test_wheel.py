"""The wheel holds all of headway, its configs included, and works from an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CONF = {path.relative_to(ROOT / "conf").as_posix() for path in (ROOT / "conf").rglob("*.yaml")}
MODULES = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*.py")}


def test_every_package_is_listed():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    packages = {
        path.parent.relative_to(ROOT / "src").as_posix().replace("/", ".")
        for path in (ROOT / "src" / "headway").rglob("*.py")
    }
    assert set(settings["packages"]) == packages | {"headway.conf", "hydra_plugins.headway_sweeper"}
    assert settings["package-data"]["headway.conf"] == ["**/*.yaml"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy: setuptools leaves its build folder behind, and would read an old one."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "source"
    for name in ("src", "conf"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    command += ["--no-index", "-w", str(folder), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("headway-*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_holds_code_and_configs(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert names >= {f"headway/conf/{name}" for name in CONF}
    assert names >= MODULES
    assert "headway/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "experiments/", "outputs/"))]


@pytest.mark.slow
def test_the_wheel_composes_from_an_empty_folder(wheel, tmp_path):
    target, empty = tmp_path / "target", tmp_path / "empty"
    empty.mkdir()
    zipfile.ZipFile(wheel).extractall(target)
    # -P and -S leave out the checkout: the installed packages come behind the wheel's own files.
    site = [entry for entry in sys.path if entry.endswith("site-packages")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(target), *site])}
    code = "import sys, headway; from headway.cli.main import main; print('#', headway.__file__); main()"
    done = subprocess.run(
        [sys.executable, "-P", "-S", "-c", code, "train", "--cfg", "job", "data=sst2"],
        cwd=empty,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"# {target}")
    assert yaml.safe_load(done.stdout)["data"]["source"]["name"] == "nyu-mll/glue"
    assert list(empty.iterdir()) == []


@pytest.mark.slow
def test_hydra_finds_the_sweeper_in_the_wheel(wheel, tmp_path):
    target = tmp_path / "target"
    zipfile.ZipFile(wheel).extractall(target)
    site = [entry for entry in sys.path if entry.endswith("site-packages")]
    code = (
        "from hydra.core.plugins import Plugins; from hydra.plugins.sweeper import Sweeper; import sys; "
        "print([found.__name__ for found in Plugins.instance().discover(Sweeper)], 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-S", "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(target), *site])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "'HeadwaySweeper'" in done.stdout, done.stderr
    assert "False" in done.stdout


@pytest.mark.slow
def test_the_command_is_declared(wheel):
    archive = zipfile.ZipFile(wheel)
    (points,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
    assert "headway = headway.cli.main:main" in archive.read(points).decode()
