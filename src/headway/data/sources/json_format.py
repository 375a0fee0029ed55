"""Read JSON and JSON Lines; numbers keep the text they are written as."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from headway.data.sources.literal import as_text
from headway.data.sources.source import Record
from headway.types import DataError

_SPACE = re.compile(r"[ \t\r\n]*")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def read_jsonl(lines: Iterable[str], *, origin: str) -> Iterator[Record]:
    """Yield the objects of JSON Lines, one a line; blank lines are skipped.

    Args:
        lines: Of the file.
        origin: What error messages name.

    Raises:
        DataError: A line isn't an object in JSON, or a key comes twice in one.
    """
    for line, text in enumerate(lines, start=1):
        text = text.strip(" \t\r\n")
        if not text:
            continue
        value, end = _decode(text, 0, origin, first_line=line)
        if end != len(text):
            raise DataError(
                f"{origin}, line {line} must hold one object, got more text after {end} characters; put each "
                "object on a line of its own"
            )
        yield _record(line, value, origin, "put one object on each line, or set data.source.format=json")


def read_json(lines: Iterable[str], *, origin: str) -> Iterator[Record]:
    """Yield the objects of a JSON file that is an array of objects; the whole file is held in memory.

    Args:
        lines: Of the file.
        origin: What error messages name.

    Raises:
        DataError: The file isn't an array of objects, or a key comes twice in one.
    """
    text = "".join(lines)
    position = _after_space(text, 0)
    if text[position : position + 1] != "[":
        raise DataError(
            f"{origin} must be an array of objects, got {text[position : position + 20]!r} at its start; "
            "write one, or set data.source.format=jsonl if each line is an object"
        )
    line, counted = 1, 0
    position = _after_space(text, position + 1)
    while text[position : position + 1] != "]":
        line += text.count("\n", counted, position)
        counted = position
        value, position = _decode(text, position, origin)
        yield _record(line, value, origin, "make every item of the array an object")
        position = _after_space(text, position)
        if text[position : position + 1] == ",":
            position = _after_space(text, position + 1)
        elif text[position : position + 1] != "]":
            line += text.count("\n", counted, position)
            raise DataError(
                f"{origin}, line {line}: ',' or ']' must follow an item of the array, got "
                f"{text[position : position + 20]!r}; correct the file"
            )


def _after_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _decode(text: str, position: int, origin: str, *, first_line: int = 1) -> tuple[Any, int]:
    try:
        value, end = _DECODER.raw_decode(text, position)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{origin}, line {first_line + error.lineno - 1} must be JSON, got an error at character "
            f"{error.colno}: {error.msg}; correct the line"
        ) from error
    except (_RepeatedKeyError, RecursionError) as error:
        line = first_line + text.count("\n", 0, position)
        what = f"the key {error} twice" if isinstance(error, _RepeatedKeyError) else "objects nested too deep"
        raise DataError(
            f"{origin}, line {line} must hold an object with each key once, got {what}; correct the line"
        ) from error
    escaped = _SURROGATE_ESCAPE.search(text, position, end)
    if escaped and _LONE_SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        line = first_line + text.count("\n", 0, escaped.start())
        raise DataError(
            f"{origin}, line {line} must be text, got half of a surrogate pair (an escape such as "
            f"{escaped.group()} alone); correct the line"
        )
    return value, end


def _record(line: int, value: object, origin: str, advice: str) -> Record:
    if not isinstance(value, dict):
        raise DataError(f"{origin}, line {line} must be an object, got {value!r:.40}; {advice}")
    return Record(line, {name: as_text(item) for name, item in value.items()})


class _RepeatedKeyError(Exception):
    """An object has a key twice: JSON's own rule, the last one wins, would lose a value silently."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        (name, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise _RepeatedKeyError(repr(name))
    return found


_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_object)
