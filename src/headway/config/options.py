"""The options of a config group as plain nodes, those of the user's own folder among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hydra import compose, initialize_config_module
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from headway.config.search_path import register
from headway.types import ConfigError, nearest


@contextmanager
def config_loader() -> Iterator[ConfigLoader]:
    """Give Hydra's loader: the running job's, or one made for the block."""
    if GlobalHydra.instance().is_initialized():  # inside a job
        yield GlobalHydra.instance().config_loader()
        return
    register()
    with initialize_config_module("headway.conf", version_base="1.3"):
        yield GlobalHydra.instance().config_loader()


def option_node(group: str, name: str, *, key: str) -> dict[str, Any]:
    """Return one option, composed with its defaults; what it takes from other keys stays a reference.

    Args:
        group: Such as "task/loss".
        name: Of the option.
        key: What the name came from, for messages.

    Raises:
        ConfigError: It is no option of the group, or can't be composed.
    """
    with config_loader() as loader:
        _check_option(loader, group, name, key=key)
        try:
            whole = compose("train", overrides=[f"{group}={name}"])
        except (HydraException, OmegaConfBaseException, YAMLError) as error:
            raise _not_composed(group, name, error) from error
    node: Any = OmegaConf.to_container(OmegaConf.select(whole, group.replace("/", ".")), resolve=False)
    return node  # type: ignore[no-any-return]


def _check_option(loader: ConfigLoader, group: str, name: str, *, key: str) -> None:
    known = sorted(loader.get_group_options(group, results_filter=ObjectType.CONFIG))
    if name not in known:
        raise ConfigError(
            f"`{key}` must hold names of {group}, {known}, got {name!r}{nearest(str(name), known)}; "
            "correct the name"
        )


def _not_composed(group: str, name: str, error: Exception) -> ConfigError:
    first = " ".join(str(error).split())
    return ConfigError(
        f"`{group}={name}` must be a file that Hydra can compose, got {first:.200}; correct it"
    )


def option_nodes(group: str, names: Sequence[str] | None = None, *, key: str) -> dict[str, dict[str, Any]]:
    """Return the options of a group, each composed with its defaults.

    Args:
        group: Such as "task/aggregation".
        names: Which must be among them; None for no check.
        key: What the names came from, for messages.

    Returns:
        Name -> node, by name.

    Raises:
        ConfigError: A name is no option of the group, or an option can't be composed.
    """
    nodes = {}
    with config_loader() as loader:
        known = sorted(loader.get_group_options(group, results_filter=ObjectType.CONFIG))
        for name in names or ():
            _check_option(loader, group, name, key=key)
        for name in known:
            try:
                whole = compose("train", overrides=[f"{group}={name}"])
                composed = OmegaConf.select(whole, group.replace("/", "."))
                nodes[name] = OmegaConf.to_container(composed, resolve=True)
            except (HydraException, OmegaConfBaseException, YAMLError) as error:
                raise _not_composed(group, name, error) from error
    return nodes  # type: ignore[return-value]
