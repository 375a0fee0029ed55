"""Whether the package behind a logger is installed, said before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from headway.types import ConfigError

PACKAGES = {"TensorBoardLogger": "tensorboard", "MLFlowLogger": "mlflow", "WandbLogger": "wandb"}
"""Lightning's class -> the module that it needs and the extra of headway's that installs it."""


def check_logger(cfg: Mapping[str, Any]) -> None:
    """Refuse a logger whose package isn't installed.

    Args:
        cfg: The resolved config.

    Raises:
        ConfigError: It isn't; the message names the extra.
    """
    if cfg["logger"] is None:
        return
    name = PACKAGES.get(str(cfg["logger"].get("_target_")).rpartition(".")[2])
    if name is not None and find_spec(name) is None:
        raise ConfigError(
            f"`logger` must be one whose package is installed, got {name}, which isn't; pip install "
            f"'headway[{name}]', or choose logger=csv"
        )
