"""What the config has: its keys, its groups and their options, for the messages that name the nearest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from hydra import compose
from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from headway.config.options import config_loader

if TYPE_CHECKING:
    from hydra._internal.config_loader_impl import ConfigLoaderImpl


def keys(prefix: str, words: Sequence[str] = ()) -> list[str]:
    """Return the keys under `prefix`, with the options chosen that the command line chooses.

    Args:
        prefix: A dotted path; "" for the top.
        words: The command line's words.

    Returns:
        Names; none where `prefix` is no mapping.
    """
    choices = {word: word.partition("=")[0] for word in words}
    choices = {word: name for word, name in choices.items() if "." not in name}  # a group's name has none
    named = groups() if choices else []
    chosen = [word for word, name in choices.items() if name in named]
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
        return sorted(name for name in _below("", loader) if _names(loader, name))


def _names(loader: ConfigLoader, group: str, kind: ObjectType = ObjectType.CONFIG) -> list[str]:
    """Return a group's options, or the groups below it.

    Asked of the repository: the loader copies all that it has read before it answers, and half of the seconds
    of an error message went there.
    """
    names: list[str] = cast("ConfigLoaderImpl", loader).repository.get_group_options(group, kind)
    return names


def _below(parent: str, loader: ConfigLoader) -> Iterator[str]:
    for name in _names(loader, parent, ObjectType.GROUP):
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
        options = _names(loader, group)
        if group == "experiment":
            for folder in _below(group, loader):
                inner = folder.removeprefix(group + "/")
                options += [f"{inner}/{name}" for name in _names(loader, folder)]
        return sorted(options)
