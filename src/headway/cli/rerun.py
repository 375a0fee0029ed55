"""`headway train --from RUN`: a run made again from its record alone, and what came out differently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from headway.cli.known import groups
from headway.cli.train import run_hydra, run_job
from headway.config.options import option_node
from headway.config.search_path import cache_home
from headway.tracking.record import REDACTED
from headway.tracking.record_diff import Difference, differences, same_predictions
from headway.tracking.record_file import read_record
from headway.types import ConfigError

FLAG = "--from"
PRIMARY = "rerun"
DIFFERS = 3
"""Exit status of a rerun that ended well with other predictions."""
RESOLVED = (("num_threads", "threads"), ("trainer.precision", "precision"))
"""Keys that a config may leave to the machine -> where `numerics` says what was chosen."""
SWEEPS = ("-m", "--multirun")


def split_words(words: Sequence[str]) -> tuple[str, list[str]] | None:
    """Return the run that --from names and the other words; None where there is no --from.

    Args:
        words: Those behind `headway train`.

    Raises:
        ConfigError: It names nothing, or stands there twice.
    """
    rest: list[str] = []
    named: list[str] = []
    given = iter(words)
    for word in given:
        if word == FLAG:
            named.append(next(given, ""))
        elif word.startswith(f"{FLAG}="):
            named.append(word.partition("=")[2])
        else:
            rest.append(word)
    if not named:
        return None
    if len(named) > 1 or not named[0] or (named[0].startswith("-")):
        raise ConfigError(f"{FLAG} must name one run's folder, got {named}; write {FLAG} RUN")
    return named[0], rest


def rerun(run: str, words: Sequence[str], *, program: str) -> int:
    """Run a record's config again in a new folder, and print each field of the record that differs.

    Args:
        run: The run's folder, or its record.json.
        words: Overrides and Hydra's flags.
        program: What Hydra calls the command.

    Returns:
        0 where the predictions agree to the bit, 3 where they don't or where there are none to compare.

    Raises:
        HeadwayError: The record can't be used, an override is wrong, or the run was refused or failed.
    """
    if any(word in SWEEPS or word.partition("=")[0] == "seeds" for word in words):
        raise ConfigError(f"{FLAG} must make one run, got a sweep (-m or seeds=); leave that out")
    before = read_record(run)
    base, chosen = _base(before)
    options, others = _options(words)
    for key, node in options.items():
        _put(base, key.split("/"), node)
    _refuse_secrets(base, others)
    _store(base)
    folders: list[Path] = []

    def job(cfg: DictConfig) -> float:
        """Run it, and note where."""
        folders.append(Path(HydraConfig.get().runtime.output_dir))
        return run_job(cfg)

    status = run_hydra(job, others, program=program, primary=PRIMARY)
    if status or not folders:  # one of Hydra's own flags
        return status
    after = read_record(folders[0])
    found = differences(before, after)
    _show(run, chosen, [*(f"{key}=..." for key in options), *_overrides(others)], found)
    same = same_predictions(before, after)
    print(_verdict(before, same=same))
    return 0 if same else DIFFERS


def _base(record: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the record's config with what the machine chose filled in, and what that is."""
    base, chosen = dict(record["config"]), []
    for key, name in RESOLVED:
        *parents, last = key.split(".")
        node = base
        for part in parents:
            node[part] = dict(node[part])
            node = node[part]
        value = record["numerics"].get(name)
        if value is not None and node.get(last) != value:
            chosen.append(f"{key}={value}")
            node[last] = value
    if not Path(str(base["cache_dir"])).is_dir():  # of the machine that trained
        base["cache_dir"] = cache_home()
        base["data"] = {**base["data"], "cache_dir": base["cache_dir"]}
    return base, chosen


def _options(words: Sequence[str]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return the nodes of the options that are named (`data=r52`), and the other words.

    Raises:
        ConfigError: There is no such option, or it is an experiment, of which a record holds the outcome.
    """
    named, nodes, rest = groups(), {}, []
    for word in words:
        group, sign, name = word.partition("=")
        if group == "experiment" and sign:
            raise ConfigError(
                f"`experiment` can't be chosen beside {FLAG}, got {word!r}: the record holds all that the "
                "run's own said; set single keys or groups"
            )
        if sign and group in named:
            nodes[group] = option_node(group, name, key=group)
        else:
            rest.append(word)
    return nodes, rest


def _put(base: dict[str, Any], path: Sequence[str], node: dict[str, Any]) -> None:
    """Set a node at a path; what is above it is copied."""
    for part in path[:-1]:
        base[part] = dict(base[part])
        base = base[part]
    base[path[-1]] = node


def _refuse_secrets(base: dict[str, Any], words: Sequence[str]) -> None:
    given = {word.partition("=")[0].lstrip("+~") for word in words}
    for key in _redacted(base):
        if key not in given:
            raise ConfigError(f"`{key}` must be given: the record doesn't hold secrets; add {key}=<value>")


def _redacted(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _redacted(inner, f"{key}.{name}".lstrip("."))
    elif isinstance(value, str) and REDACTED in value:
        yield key


def _store(base: dict[str, Any]) -> None:
    """Make the config known to Hydra as a primary one, with what conf/train.yaml says of Hydra itself."""
    train = yaml.safe_load(files("headway.conf").joinpath("train.yaml").read_text(encoding="utf-8"))
    of_hydra = [
        entry
        for entry in train["defaults"]
        if isinstance(entry, dict) and next(iter(entry)).startswith("override hydra/")
    ]
    node = {
        **base,
        "defaults": ["run_schema", "_self_", *of_hydra],
        "hydra": {**train["hydra"], "mode": "RUN"},
        "seeds": None,
        "sweep": None,
    }
    ConfigStore.instance().store(name=PRIMARY, node=node)


def _overrides(words: Sequence[str]) -> list[str]:
    return [word for word in words if "=" in word and not word.startswith("-")]


def _show(run: str, chosen: Sequence[str], changed: Sequence[str], found: Sequence[Difference]) -> None:
    print(f"\nrerun of {run}")
    if chosen:
        print(f"as the record says it was: {' '.join(chosen)}")
    if changed:
        print(f"changed by this command: {' '.join(changed)}")
    print(f"{len(found)} fields of the record differ" + (":" if found else ""))
    for each in found:
        print(f"  {each.line()}")


def _verdict(before: dict[str, Any], *, same: bool) -> str:
    splits = list((before.get("results") or {}).get("predictions") or ())
    if not splits:
        return f"predictions: the record has none to compare with, its run's status is {before.get('status')}"
    return f"predictions of {', '.join(splits)}: {'the same to the bit' if same else 'NOT the same'}"
