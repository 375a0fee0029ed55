"""What the config has: its keys, its groups and their options, for the messages that name the nearest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hydra import compose
from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from headway.config.options import config_loader


def keys(prefix: str, words: Sequence[str] = ()) -> list[str]:
    """Return the keys under `prefix`, with the options chosen that the command line chooses.

    Args:
        prefix: A dotted path; "" for the top.
        words: The command line's words.

    Returns:
        Names; none where `prefix` is no mapping.
    """
    named = groups()
    chosen = [word for word in words if word.partition("=")[0] in named]
    with config_loader():
        try:
            config = compose("train", overrides=chosen)
        except (HydraException, OmegaConfBaseException, ValueError):
            config = compose("train")
        try:
            node = OmegaConf.select(config, prefix) if prefix else config
        except OmegaConfBaseException:
            node = None
    return [str(key) for key in node if key != "_target_"] if isinstance(node, DictConfig) else []


def groups() -> list[str]:
    """Return the names of all groups that have options, but for Hydra's own."""
    with config_loader() as loader:
        return sorted(name for name in _below("", loader) if loader.get_group_options(name))


def _below(parent: str, loader: ConfigLoader) -> Iterator[str]:
    for name in loader.list_groups(parent):
        path = f"{parent}/{name}" if parent else name
        if path != "hydra":
            yield path
            yield from _below(path, loader)


def group_options(group: str) -> list[str]:
    """Return the options of a group; for experiments those in its folders too, as `folder/name`.

    Args:
        group: Its name, such as "task/head".
    """
    with config_loader() as loader:
        options = loader.get_group_options(group, results_filter=ObjectType.CONFIG)
        if group == "experiment":
            for folder in _below(group, loader):
                inner = folder.removeprefix(group + "/")
                options += [f"{inner}/{name}" for name in loader.get_group_options(folder)]
        return sorted(options)
