"""From a node with a `_target_` to an object, and only to objects that are allowed.

A config is data that may come from a stranger. What a `_target_` names is resolved first, and the module and
qualified name of the object that was found decide, so that an alias or a re-export gets no further than its
original. Works on plain dicts: prediction builds heads this way without Hydra being there.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headway.config.constructors import Constructor, check_arguments, constructor_in_source
from headway.types import ConfigError, nearest

ALLOW_VARIABLE = "HEADWAY_ALLOW_MODULES"
OWN_PACKAGES = ("headway.data", "headway.models", "headway.evaluation", "headway.tracking")
SLOW = ("headway.models.heads", "headway.models.losses", "headway.tracking", "pytorch_lightning")
"""Where classes stand whose modules import torch or Lightning."""
FOREIGN = frozenset(
    {
        "pytorch_lightning.trainer.trainer.Trainer",
        "pytorch_lightning.callbacks.early_stopping.EarlyStopping",
        "pytorch_lightning.callbacks.lr_monitor.LearningRateMonitor",
        "pytorch_lightning.loggers.csv_logs.CSVLogger",
        "pytorch_lightning.loggers.mlflow.MLFlowLogger",
        "pytorch_lightning.loggers.tensorboard.TensorBoardLogger",
        "pytorch_lightning.loggers.wandb.WandbLogger",
        "optuna.samplers._tpe.sampler.TPESampler",
        "optuna.samplers._random.RandomSampler",
        "optuna.samplers._gp.sampler.GPSampler",
        "optuna.samplers._cmaes.CmaEsSampler",
        "optuna.pruners._median.MedianPruner",
        "optuna.pruners._percentile.PercentilePruner",
        "optuna.pruners._successive_halving.SuccessiveHalvingPruner",
        "optuna.pruners._hyperband.HyperbandPruner",
    }
)


def allowed_modules() -> tuple[str, ...]:
    """Return the top-level modules of the user's own that configs may build from, by the environment.

    The environment decides and no config can, since a config may be someone else's.
    """
    names = os.environ.get(ALLOW_VARIABLE, "")
    return tuple(name.strip() for name in names.split(",") if name.strip())


def _within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def _resolve(target: str, key: str, own: tuple[str, ...]) -> type:
    module_name, _, name = target.rpartition(".")
    foreign_roots = tuple({entry.split(".")[0] for entry in FOREIGN})
    # Refused before anything is imported: an import runs code.
    if not module_name or not _within(module_name, (*OWN_PACKAGES, *own, *foreign_roots)):
        raise ConfigError(
            f"`{key}._target_` must be a class of {', '.join(OWN_PACKAGES)} or of a module named in "
            f"${ALLOW_VARIABLE}, got {target!r}; if the module is yours, run with {ALLOW_VARIABLE}="
            f"{target.split('.')[0]}"
        )
    if own and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"`{key}._target_` must name a class that can be imported, got {target!r}, but there is no "
            f"module {error.name!r}; check the spelling and PYTHONPATH"
        ) from error
    if not hasattr(module, name):
        values = vars(module).items()
        names = [n for n, value in values if inspect.isclass(value) and value.__module__ == module_name]
        raise ConfigError(
            f"`{key}._target_` must name a class of {module_name}, one of {names}, got {name!r}"
            f"{nearest(name, names)}; correct the name"
        )
    found = getattr(module, name)
    true_name = f"{getattr(found, '__module__', '?')}.{getattr(found, '__qualname__', '?')}"
    is_own = inspect.isclass(found) and _within(found.__module__, (*OWN_PACKAGES, *own))
    if not is_own and true_name not in FOREIGN:
        raise ConfigError(
            f"`{key}._target_` must name an allowed class, got {target!r}, which is {true_name}; allowed are "
            f"classes of {', '.join(OWN_PACKAGES)}, modules in ${ALLOW_VARIABLE}, and {sorted(FOREIGN)}"
        )
    return found  # type: ignore[no-any-return]


def resolve(target: Any, *, key: str) -> type:
    """Return the class that a `_target_` names.

    Args:
        target: Dotted path.
        key: Where it stands in the config, for messages.

    Raises:
        ConfigError: It isn't a string, can't be found, or isn't allowed.
    """
    if not isinstance(target, str):
        raise ConfigError(
            f"`{key}._target_` must be the dotted path of a class, got {target!r}; choose an option of the "
            f"group, e.g. {key.replace('.', '/')}=<name>"
        )
    return _resolve(target, key, allowed_modules())


def _target(node: Mapping[str, Any], key: str) -> Any:
    if "_target_" not in node:
        raise ConfigError(
            f"`{key}._target_` must be given, got nothing; choose an option of the group, e.g. "
            f"{key.replace('.', '/')}=<name>"
        )
    return node["_target_"]


def bind(node: Mapping[str, Any], *, key: str, runtime: tuple[str, ...] = ()) -> type:
    """Check a node, and the nodes in it, against their constructors without building anything.

    Args:
        node: Has a `_target_`; its other keys are the constructor's arguments.
        key: Where it stands in the config, for messages.
        runtime: Names that the program passes when it builds, if the constructor takes them.

    Returns:
        The class.

    Raises:
        ConfigError: A key that the constructor doesn't take, one that it needs is missing, or a value is of
            another type than the constructor says.
    """
    found = resolve(_target(node, key), key=key)
    constructor = Constructor.of(found)
    for inner_key, inner in check_arguments(node, constructor, key=key, runtime=runtime):
        bind(inner, key=inner_key, runtime=runtime)
    return found


def bind_early(node: Mapping[str, Any], *, key: str, runtime: tuple[str, ...] = ()) -> None:
    """Check a node as `bind` does, as far as that needs no library that takes seconds to import.

    Args:
        node: Has a `_target_`; its other keys are the constructor's arguments.
        key: Where it stands in the config, for messages.
        runtime: Names that the program passes when it builds, if the constructor takes them.

    Raises:
        ConfigError: As `bind`; what isn't refused here may be refused there.
    """
    constructor = constructor_early(_target(node, key), key=key)
    if constructor is None:
        return
    for inner_key, inner in check_arguments(node, constructor, key=key, runtime=runtime):
        bind_early(inner, key=inner_key, runtime=runtime)


def is_slow(target: Any) -> bool:
    """Say whether what a `_target_` names may take seconds to import: torch's, Lightning's or a user's."""
    return isinstance(target, str) and _within(target, (*SLOW, *allowed_modules()))


def constructor_early(target: Any, *, key: str) -> Constructor | None:
    """Return what a class takes without importing anything that takes seconds.

    Args:
        target: Dotted path.
        key: Where it stands in the config, for messages.

    Returns:
        None where only an import tells, and for modules of the user's own.

    Raises:
        ConfigError: The target isn't allowed, or can't be found among what imports at once.
    """
    if is_slow(target):
        names = [name for name in FOREIGN if name.endswith("." + target.rpartition(".")[2])]
        is_foreign = not _within(target, OWN_PACKAGES)
        return constructor_in_source(names[0] if is_foreign and names else target)
    return Constructor.of(resolve(target, key=key))


def build(node: Mapping[str, Any], *, key: str, **runtime: Any) -> Any:
    """Build what a node describes, inner nodes first.

    Args:
        node: Has a `_target_`; plain values.
        key: Where it stands in the config, for messages.
        **runtime: Values known only now; the constructor gets those that it names and the node doesn't set.

    Returns:
        The object.

    Raises:
        ConfigError: As `bind`, and what the constructor itself raises.
    """
    found = bind(node, key=key, runtime=tuple(runtime))
    parameters = inspect.signature(found).parameters
    arguments = {name: value for name, value in runtime.items() if name in parameters}
    for name, value in node.items():
        if name == "_target_":
            continue
        inner = isinstance(value, Mapping) and "_target_" in value
        arguments[str(name)] = build(value, key=f"{key}.{name}", **runtime) if inner else value
    return found(**arguments)
