"""What a class's constructor takes, by the class itself or by its source, which needs no import.

torch and Lightning take seconds to import, and most mistakes in a config need neither to be told. What is
read from source decides only whether a mistake is told early: nothing is built before the class itself has
been imported, checked against the list of what is allowed, and bound (build.py).
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import typing
from collections import abc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from headway.config.value_types import NODE, annotation_value, annotations_of, describe, fits
from headway.types import ConfigError, nearest

OWN_WORDS = frozenset({"trainer.precision"})
"""Keys with a word (auto) that headway replaces before the class sees it."""


@dataclass(frozen=True)
class Constructor:
    """The arguments of a class.

    Attributes:
        name: The class's qualified name.
        arguments: Names in order, without *args and **kwargs.
        needed: Those without a default.
        takes_any: Whether it takes other names too.
        annotations: Argument -> annotation, as `annotations_of` gives it.
        constants: Class attributes of plain values; empty where the class itself can be asked.
    """

    name: str
    arguments: tuple[str, ...]
    needed: tuple[str, ...]
    takes_any: bool
    annotations: Mapping[str, Any]
    constants: Mapping[str, Any]

    @classmethod
    def of(cls, found: type) -> Constructor:
        """Return what a class takes."""
        parameters = inspect.signature(found).parameters
        named = {n: p for n, p in parameters.items() if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)}
        return cls(
            name=found.__qualname__,
            arguments=tuple(parameters),
            needed=tuple(name for name, p in named.items() if p.default is p.empty),
            takes_any=any(p.kind is p.VAR_KEYWORD for p in parameters.values()),
            annotations=annotations_of(found),
            constants={},
        )


def check_arguments(
    node: Mapping[str, Any], constructor: Constructor, *, key: str, runtime: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Check a node's values against a constructor, and yield the nodes in it, each with its key.

    Args:
        node: Has a `_target_`; its other keys are arguments.
        constructor: Of that target.
        key: Where the node stands in the config, for messages.
        runtime: Names that the program passes when it builds, if the constructor takes them.

    Raises:
        ConfigError: A key that the constructor doesn't take, one that it needs is missing, or a value is of
            another type than the constructor says.
    """
    for name, value in node.items():
        if name == "_target_":
            continue
        if name not in constructor.arguments and not constructor.takes_any:
            known = [p for p in constructor.arguments if p not in runtime]
            raise ConfigError(
                f"`{key}.{name}` is not an argument of {constructor.name}{nearest(str(name), known)}; "
                f"it takes {known}"
            )
        if isinstance(value, Mapping) and "_target_" in value:
            yield f"{key}.{name}", value
        else:
            _check_type(constructor.annotations.get(name), value, key=f"{key}.{name}")
    for name in constructor.needed:
        if name not in node and name not in runtime:
            raise ConfigError(
                f"`{key}.{name}` must be given, got nothing; {constructor.name} needs it: set "
                f"{key}.{name}=<value>"
            )


def _check_type(annotation: Any, value: Any, *, key: str) -> None:
    if annotation is None or key in OWN_WORDS or fits(value, annotation):
        return
    # Where a number may stand too, a wrong one was meant as a number.
    is_text = fits(str(value), annotation) and not (isinstance(value, int | float) and fits(1, annotation))
    advice = f"quote it: {key}='\"{value}\"'" if is_text else "correct the value"
    raise ConfigError(f"`{key}` must be {describe(annotation)}, got {value!r}; {advice}")


def constructor_in_source(target: str) -> Constructor | None:
    """Return what a class takes by its source, importing nothing of it.

    Args:
        target: Dotted path of a class: the module that it stands in, and its name.

    Returns:
        None where the source doesn't tell: no such file or class, or a constructor that it inherits from
        elsewhere or that is made for it.
    """
    module, _, name = target.rpartition(".")
    tree = _source(module)
    found = next((n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name), None)
    if found is None or found.decorator_list or found.keywords:
        return None
    made = next((n for n in found.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
    if made is None:
        return None
    plain = [*made.args.posonlyargs, *made.args.args][1:]  # without self
    defaults = [None] * len(plain) + list(made.args.defaults)
    defaults = defaults[len(defaults) - len(plain) :] if plain else []
    named = [
        *zip(plain, defaults, strict=True),
        *zip(made.args.kwonlyargs, made.args.kw_defaults, strict=True),
    ]
    texts = {a.arg: ast.unparse(a.annotation) for a, _ in named if a.annotation is not None}
    values = {
        argument: annotation_value(text, [{**vars(typing), **vars(abc)}]) for argument, text in texts.items()
    }
    return Constructor(
        name=name,
        arguments=tuple(argument.arg for argument, _ in named),
        needed=tuple(argument.arg for argument, default in named if default is None),
        takes_any=made.args.kwarg is not None,
        # A bare name may be a class or another name of str: only an import tells.
        annotations={a: value for a, value in values.items() if value is not None and value is not NODE},
        constants=dict(_constants(found)),
    )


@lru_cache(maxsize=64)
def _source(module: str) -> ast.Module:
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)  # of a top-level package: nothing is executed
    if spec is None or not spec.submodule_search_locations:
        return ast.Module([], [])
    path = Path(spec.submodule_search_locations[0], *rest)
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return ast.Module([], [])


def _constants(found: ast.ClassDef) -> Iterator[tuple[str, Any]]:
    """Yield the class's own attributes that are plain values or frozensets of such."""
    for line in found.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value is not None:
            value = line.value
            is_set = isinstance(value, ast.Call) and ast.unparse(value.func) == "frozenset"
            try:
                yield line.target.id, ast.literal_eval(value.args[0] if is_set else value)  # type: ignore[attr-defined]
            except (ValueError, IndexError):
                continue
