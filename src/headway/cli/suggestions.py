"""Says what a config that does not compose lacks, with the nearest key or option."""

from __future__ import annotations

import re

from headway.config.build import nearest
from headway.types import ConfigError


def _keys(prefix: str) -> list[str]:
    """Return the keys that stand under `prefix` in the default config."""
    from hydra import compose, initialize_config_module
    from hydra.core.global_hydra import GlobalHydra
    from omegaconf import DictConfig, OmegaConf

    GlobalHydra.instance().clear()
    with initialize_config_module("headway.conf", version_base="1.3"):
        node = OmegaConf.select(compose("train"), prefix) if prefix else compose("train")
    return [str(key) for key in node] if isinstance(node, DictConfig) else []


def composition_error(error: Exception) -> ConfigError:
    """Return Hydra's or OmegaConf's error in headway's form.

    Args:
        error: What composing raised.

    Returns:
        One message: what came, the nearest key where one is missing, and what to do.
    """
    text = str(error).strip()
    cause = str(error.__cause__).strip() if error.__cause__ else ""
    unknown = re.search(r"Could not override '([^']+)'", text)
    if unknown and "is not in struct" in text + cause:
        key = unknown.group(1)
        prefix, _, name = key.rpartition(".")
        known = _keys(prefix)
        return ConfigError(
            f"`{key}` is not a key of the config{nearest(name, known)}; "
            f"{'under `' + prefix + '`' if prefix else 'at the top'} there are {known}"
        )
    missing = re.search(r"Missing mandatory value: (\S+)", text)
    if missing:
        return ConfigError(f"`{missing.group(1)}` must be given, got nothing; add {missing.group(1)}=<value>")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if cause and cause not in text:
        lines.append(cause)
    return ConfigError(" ".join(lines))
