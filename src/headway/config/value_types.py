"""Checks plain values against a constructor's annotations, so that a wrong type dies with its key's name."""

from __future__ import annotations

import collections.abc
import inspect
import sys
import types
import typing
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Union

NODE = object()
"""Stands for an annotation that names a class of objects: in a config, a mapping with a `_target_`."""

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    type(None): "null",
}
_SEQUENCES = (
    collections.abc.Sequence,
    collections.abc.Iterable,
    collections.abc.Collection,
    list,
    tuple,
    set,
)
_MAPPINGS = (collections.abc.Mapping, collections.abc.MutableMapping, dict)


@lru_cache(maxsize=256)
def annotations_of(found: type) -> Mapping[str, Any]:
    """Return the annotations of a constructor's arguments, as objects.

    Args:
        found: A class.

    Returns:
        Argument -> annotation; without those that can't be told, such as a union with a class that is
        imported for type checkers alone. A bare name of such a class is NODE.
    """
    # Fields of a dataclass are annotated in the modules of the classes that they are inherited from.
    places = [vars(sys.modules[c.__module__]) for c in found.__mro__ if c.__module__ in sys.modules]
    known: dict[str, Any] = {}
    for name, parameter in inspect.signature(found).parameters.items():
        if parameter.annotation is parameter.empty:
            continue
        annotation = annotation_value(parameter.annotation, places)
        if annotation is not None:
            known[name] = annotation
    return known


def annotation_value(annotation: Any, places: Sequence[Mapping[str, Any]]) -> Any:
    """Return an annotation as an object.

    Args:
        annotation: As it stands: an object, or text.
        places: Where the names in it are looked up, one after the other.

    Returns:
        NODE for a bare name that is none of these; None where it can't be told.
    """
    if not isinstance(annotation, str):
        return annotation
    usual = {**vars(collections.abc), "Any": Any, "Literal": Literal, "Path": Path}
    for place in places:
        holder = types.SimpleNamespace(__annotations__={"value": annotation})
        try:
            hint = typing.get_type_hints(holder, globalns={**usual, **place})["value"]
        except (NameError, AttributeError, TypeError):
            continue
        return type(None) if hint is None else hint
    return NODE if annotation.replace(".", "").isidentifier() else None


def describe(annotation: Any) -> str:
    """Return what an annotation allows, in the words of messages.

    Args:
        annotation: As `annotations_of` gives it.
    """
    if annotation in _WORDS:
        return _WORDS[annotation]
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        words = list(dict.fromkeys(describe(part) for part in inner))
        return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
    if origin is Literal:
        return " or ".join(str(choice) for choice in inner)
    if (origin or annotation) in _SEQUENCES:
        return "a list"
    return "a mapping" if (origin or annotation) in _MAPPINGS else "a mapping with a `_target_`"


def fits(value: Any, annotation: Any, *, inside: bool = False) -> bool:
    """Say whether a plain value may stand for an argument.

    Args:
        value: Of yaml: text, a number, true, false, null, a list or a mapping.
        annotation: As `annotations_of` gives it.
        inside: Whether the value stands in a list or a mapping. There yaml's own numbers pass as text: the
            label names [0, 1] need no quotes.

    Returns:
        False only where it certainly does not fit.
    """
    if annotation is Any:
        return True
    if annotation in _WORDS:
        return _is_plain(value, annotation, inside=inside)
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        return any(fits(value, part, inside=inside) for part in inner)
    if origin is Literal:
        return any(value == choice and type(value) is type(choice) for choice in inner)
    kind = origin or annotation
    if kind in _SEQUENCES:
        listed = isinstance(value, Sequence) and not isinstance(value, str)
        return listed and all(fits(item, inner[0], inside=True) for item in value if inner)
    if kind in _MAPPINGS:
        mapped = isinstance(value, Mapping)
        return mapped and all(fits(item, inner[1], inside=True) for item in value.values() if inner)
    if kind is NODE or (isinstance(kind, type) and kind is not object):
        return isinstance(value, Mapping) or _is_instance(value, kind)
    return True


def _is_instance(value: Any, kind: Any) -> bool:
    try:
        return isinstance(value, kind)
    except TypeError:  # a protocol, which can't be asked
        return False


def _is_plain(value: Any, kind: type, *, inside: bool) -> bool:
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is str:
        return isinstance(value, str | int | float if inside else str)
    return isinstance(value, str if kind is Path else kind)
