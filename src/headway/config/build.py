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

from headway.config.value_types import annotations_of, describe, fits
from headway.types import ConfigError, nearest

ALLOW_VARIABLE = "HEADWAY_ALLOW_MODULES"
OWN_PACKAGES = ("headway.data", "headway.models", "headway.evaluation", "headway.tracking")
FOREIGN = frozenset(
    {
        "pytorch_lightning.trainer.trainer.Trainer",
        "pytorch_lightning.callbacks.early_stopping.EarlyStopping",
        "pytorch_lightning.callbacks.lr_monitor.LearningRateMonitor",
        "pytorch_lightning.loggers.csv_logs.CSVLogger",
        "pytorch_lightning.loggers.tensorboard.TensorBoardLogger",
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
OWN_WORDS = frozenset({"trainer.precision"})
"""Keys with a word (auto) that headway replaces before the class sees it."""


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
    if "_target_" not in node:
        raise ConfigError(
            f"`{key}._target_` must be given, got nothing; choose an option of the group, e.g. "
            f"{key.replace('.', '/')}=<name>"
        )
    found = resolve(node["_target_"], key=key)
    parameters = inspect.signature(found).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name, value in node.items():
        if name == "_target_":
            continue
        if name not in parameters and not takes_any:
            known = [p for p in parameters if p not in runtime]
            raise ConfigError(
                f"`{key}.{name}` is not an argument of {found.__qualname__}{nearest(str(name), known)}; "
                f"it takes {known}"
            )
        if isinstance(value, Mapping) and "_target_" in value:
            bind(value, key=f"{key}.{name}", runtime=runtime)
        else:
            _check_type(found, str(name), value, key=f"{key}.{name}")
    needed = [
        name
        for name, p in parameters.items()
        if p.default is p.empty and p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    for name in needed:
        if name not in node and name not in runtime:
            raise ConfigError(
                f"`{key}.{name}` must be given, got nothing; {found.__qualname__} needs it: set "
                f"{key}.{name}=<value>"
            )
    return found


def _check_type(found: type, name: str, value: Any, *, key: str) -> None:
    annotation = annotations_of(found).get(name)
    if annotation is None or key in OWN_WORDS or fits(value, annotation):
        return
    advice = f"quote it: {key}='\"{value}\"'" if fits(str(value), annotation) else "correct the value"
    raise ConfigError(f"`{key}` must be {describe(annotation)}, got {value!r}; {advice}")


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
