"""The launcher presets compose where their plugin is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module

from headway.config.search_path import register

PRESETS = {path.stem for path in (Path(__file__).parents[2] / "conf" / "hydra" / "launcher").glob("*.yaml")}
PLUGINS = {"slurm": "submitit", "queue": "submitit", "ray_cluster": "ray"}


def test_every_preset_has_a_plugin():
    assert set(PLUGINS) == PRESETS


@pytest.mark.parametrize("preset", sorted(PLUGINS))
def test_preset_composes(preset):
    plugin = f"hydra_plugins.hydra_{PLUGINS[preset]}_launcher"
    if importlib.util.find_spec(plugin) is None:
        pytest.skip(f"{plugin} is not installed")
    register()
    with initialize_config_module("headway.conf", version_base="1.3"):
        config = compose("train", overrides=[f"hydra/launcher={preset}"], return_hydra_config=True)
    launcher = config.hydra.launcher
    assert launcher._target_.startswith(plugin)
    if preset == "slurm":
        assert (launcher.timeout_min, launcher.cpus_per_task, launcher.partition) == (240, 4, None)
