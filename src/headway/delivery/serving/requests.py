"""From a request's body to the rows that a model reads; what is wrong is told by field."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from headway.delivery.inputs import cell
from headway.delivery.serving.limits import ServeLimits
from headway.types import DataError, nearest

MANY = "inputs"
"""The field of a request of several texts."""
WITH_PROBABILITIES = "probabilities"


class RequestError(Exception):
    """A request is wrong.

    Args:
        status: Of HTTP, 4xx or 503.
        field: The field that is wrong, or "body".
        message: What is allowed, what came and what to do.
    """

    def __init__(self, status: int, field: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.field = field


class Row(NamedTuple):
    """One input.

    Attributes:
        cells: Canonical column -> a text, or words.
        text: That the words were split from; None where words were given, or none are read.
    """

    cells: dict[str, str | list[str]]
    text: str | None


@dataclass(frozen=True)
class PredictRequest:
    """What a request asks.

    Attributes:
        rows: At least one.
        single: Whether it is one input, and not a list.
        probabilities: Whether answers hold them.
    """

    rows: list[Row]
    single: bool
    probabilities: bool


def read_request(body: bytes, columns: Sequence[str], limits: ServeLimits) -> PredictRequest:
    """Return what a request asks.

    Args:
        body: As it came.
        columns: The canonical columns that the model reads.
        limits: Of texts and characters.

    Raises:
        RequestError: It isn't UTF-8 or JSON (400), something in it is wrong (422) or too large (413).
    """
    values = _json(body)
    if not isinstance(values, dict):
        raise RequestError(422, "body", f"the body must be an object, got {_kind(values)}; write {{...}}")
    single = MANY not in values
    known = [*(columns if single else [MANY]), WITH_PROBABILITIES]
    _check_names(values, known, place="", both=not single)
    wanted = values.pop(WITH_PROBABILITIES, True)
    if not isinstance(wanted, bool):
        raise RequestError(
            422, WITH_PROBABILITIES, f"`{WITH_PROBABILITIES}` must be true or false, got {_shown(wanted)}"
        )
    inputs = [values] if single else _many(values[MANY], columns, limits)
    rows = [
        _row(value, columns, limits, place="" if single else f"{MANY}[{number}].")
        for number, value in enumerate(inputs)
    ]
    return PredictRequest(rows, single, wanted)


def _json(body: bytes) -> Any:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestError(
            400, "body", f"the body must be UTF-8, got the byte 0x{body[error.start]:02x} at {error.start}"
        ) from error
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits are ValueErrors too
        reason = "too deep a nesting" if isinstance(error, RecursionError) else str(error)
        raise RequestError(400, "body", f"the body must be JSON, got an error: {reason:.200}") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):  # JSON's own rule, the last one wins, would lose a text silently
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RequestError(422, twice, f"`{twice:.60}` must come once, got it twice; leave one out")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _check_names(values: dict[str, Any], known: Sequence[str], *, place: str, both: bool = False) -> None:
    for name in values:
        if name not in known:
            beside = f" beside `{MANY}`" if both else ""
            raise RequestError(
                422,
                f"{place}{name:.60}",
                f"`{place}{name:.60}` must be left out{beside}, got {_shown(values[name])}"
                f"{nearest(name[:60], known)}; the fields are {list(known)}",
            )


def _many(values: Any, columns: Sequence[str], limits: ServeLimits) -> list[Any]:
    if not isinstance(values, list) or not values:
        raise RequestError(422, MANY, f"`{MANY}` must be a list of at least one input, got {_shown(values)}")
    if len(values) > limits.max_texts:
        raise RequestError(
            413, MANY, f"`{MANY}` must have at most {limits.max_texts} inputs, got {len(values)}; send fewer"
        )
    if len(columns) > 1:
        return values
    return [value if isinstance(value, dict) else {columns[0]: value} for value in values]


def _row(values: Any, columns: Sequence[str], limits: ServeLimits, *, place: str) -> Row:
    if not isinstance(values, dict):
        field = place.removesuffix(".")
        raise RequestError(
            422, field, f"`{field}` must be an object with {list(columns)}, got {_shown(values)}"
        )
    _check_names(values, columns, place=place)
    cells: dict[str, str | list[str]] = {}
    text = None
    for name in columns:
        field = f"{place}{name}"
        if name not in values:
            raise RequestError(422, field, f"`{field}` must be given, got {list(values)}; add it")
        value = values[name]
        _check_text(value, field, limits)
        try:
            cells[name] = cell(value, name, place=lambda field=field: f"`{field}`")  # type: ignore[misc]
        except DataError as error:
            raise RequestError(422, field, str(error)) from error
        text = value if name == "tokens" and isinstance(value, str) else None
    return Row(cells, text)


def _check_text(value: Any, field: str, limits: ServeLimits) -> None:
    parts = value if isinstance(value, list) else [value]
    texts = [part for part in parts if isinstance(part, str)]
    length = sum(map(len, texts))
    if length > limits.max_characters:
        raise RequestError(
            413,
            field,
            f"`{field}` must have at most {limits.max_characters} characters, got {length}; cut it",
        )
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise RequestError(
                422,
                field,
                f"`{field}` must be text, got half of a surrogate pair at {error.start}; correct it",
            ) from error


def _kind(value: Any) -> str:
    names = {list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def _shown(value: Any) -> str:
    return f"{json.dumps(value, ensure_ascii=True)[:60]}"
