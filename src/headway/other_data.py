"""The data node of a finished run with what the command line changes: other rows, encoded the same way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.types import ConfigError, nearest

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

OF_THE_RUN = ("max_length", "truncation", "overlap", "subword_labels")
"""Keys by which the model was trained; other rows are encoded the same way."""


def with_overrides(cfg: dict[str, Any], overrides: Sequence[str], *, split: str) -> dict[str, Any]:
    """Return the data node to score on.

    Args:
        cfg: The run's config; it is not changed.
        overrides: `data=<name>` and `data.<key>=<value>` in Hydra's grammar.
        split: Which split is scored.

    Returns:
        The run's node, or with data=<name> that data set's, with the changes made.

    Raises:
        ConfigError: Something else is changed, or a key isn't there.
    """
    parsed = _parsed(overrides)
    if any(override.key_or_group == "data" for override in parsed):
        node = _composed(overrides, split=split)
    else:
        node = cfg["data"]
        for override in parsed:
            node = _changed(node, override)
    node = {**node, **{key: cfg["data"][key] for key in OF_THE_RUN}}
    if not Path(str(node["cache_dir"])).is_dir():  # of the machine that trained
        from headway.config.search_path import cache_home

        node["cache_dir"] = cache_home()
    return node


def _parsed(overrides: Sequence[str]) -> list[Override]:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    from headway.cli.suggestions import composition_error

    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    except HydraException as error:
        raise composition_error(error) from error
    for word, override in zip(overrides, parsed, strict=True):
        key = override.key_or_group
        if not (key == "data" or key.startswith("data.")) or override.is_sweep_override():
            raise ConfigError(
                f"headway evaluate can change only data=<name> and data.<key>=<value>, got {word!r}; what "
                "the model is was decided in training"
            )
        if override.is_delete():
            raise ConfigError(f"headway evaluate can't remove keys, got {word!r}; set the key to null")
        if key.split(".")[1:2] and key.split(".")[1] in (*OF_THE_RUN, "label_names"):
            raise ConfigError(
                f"`{key}` must be what it was in training, got {word!r}: the model knows texts and labels "
                "only in that form; leave it out"
            )
    return parsed


def _composed(overrides: Sequence[str], *, split: str) -> dict[str, Any]:
    """Return a data set's node; what isn't needed for the split may be missing."""
    from hydra import compose, initialize_config_module
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    from headway.cli.suggestions import composition_error
    from headway.config.search_path import register

    register()
    try:
        with initialize_config_module("headway.conf", version_base="1.3"):
            data = compose("train", overrides=list(overrides)).data
        missing = {key.removeprefix("data.") for key in OmegaConf.missing_keys(data)}
        node: dict[str, Any] = OmegaConf.to_container(data, resolve=True)  # type: ignore[assignment]
    except (HydraException, OmegaConfBaseException) as error:
        raise composition_error(error) from error
    if missing == {"train"} and node.get(split) is not None and split != "train":
        return {**node, "train": node[split]}  # not read
    if missing:
        key = sorted(missing)[0]
        raise ConfigError(f"`data.{key}` must be given for this split, got nothing; add data.{key}=<value>")
    return node


def _changed(node: dict[str, Any], override: Override) -> dict[str, Any]:
    """Return the node with one key set; in a group's place nothing is composed."""
    path = override.key_or_group.split(".")[1:]
    return _set(node, path, override.value(), key="data", add=override.is_add() or override.is_force_add())


def _set(node: Any, path: Sequence[str], value: Any, *, key: str, add: bool) -> dict[str, Any]:
    name = path[0]
    if not isinstance(node, dict) or (name not in node and not add):
        known = [str(each) for each in node] if isinstance(node, dict) else []
        raise ConfigError(
            f"`{key}.{name}` is not a key of the run's data{nearest(name, known)}; `{key}` has {known}"
        )
    if len(path) > 1:
        value = _set(node.get(name, {}), path[1:], value, key=f"{key}.{name}", add=add)
    return {**node, name: value}
