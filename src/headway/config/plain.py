"""A composed config as plain values, all interpolations resolved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf

from headway.config.schema import MISSING
from headway.types import ConfigError


def plain_config(cfg: DictConfig) -> dict[str, Any]:
    """Return a composed config as plain values, resolved.

    Args:
        cfg: The composed config, without Hydra's own part.

    Raises:
        ConfigError: A key that must be given is missing.
        OmegaConfBaseException: What stands in a ${} can't be resolved.
    """
    missing = list(_missing(OmegaConf.to_container(cfg, resolve=False)))
    if missing:
        raise ConfigError(
            f"`{missing[0]}` must be given, got nothing; add {missing[0]}=<value>"
            + (f" (and {', '.join(missing[1:])})" if len(missing) > 1 else "")
        )
    plain: Any = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    return plain  # type: ignore[no-any-return]


def _missing(value: Any, key: str = "") -> Iterator[str]:
    """Yield the keys that nothing was given for (OmegaConf's own list stops at what refers to them)."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _missing(inner, f"{key}.{name}" if key else str(name))
    elif value == MISSING:
        yield key
