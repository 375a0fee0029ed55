"""Makes text from data and configs harmless where it is shown: in a terminal, and in a spreadsheet."""

from __future__ import annotations

import re
from typing import Any

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]?|[\]PX^_].*?(?:\x1b\\|\x07|$)|[ -/]*[0-~]?)|\x9b[0-?]*[ -/]*[@-~]?",
    re.DOTALL,
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def shown(value: Any) -> str:
    """Return a value as text that moves no cursor and changes no colour.

    Escape sequences go whole; what is left of control characters, and what turns the direction of writing,
    becomes a visible mark.

    Args:
        value: Of any type.
    """
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", _ESCAPES.sub("", str(value)))


def one_line(value: Any, limit: int | None = None) -> str:
    """Return a value as one harmless line.

    Args:
        value: Of any type.
        limit: Characters at most; longer ones end with an ellipsis.
    """
    line = " ".join(shown(value).split())
    return line if limit is None or len(line) <= limit else line[: limit - 1] + "…"


def csv_cell(value: Any) -> Any:
    """Return a value as a cell that no spreadsheet computes.

    Numbers stay numbers. A text that begins as a formula does gets an apostrophe before it, which
    spreadsheets hide.

    Args:
        value: None, a number or a text.
    """
    if value is None or isinstance(value, bool | int | float):
        return "" if value is None else value
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) or text.startswith(_FORMULA) else text
