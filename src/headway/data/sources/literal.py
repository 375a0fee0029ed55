"""Write typed values as the text they stand for."""

from __future__ import annotations

import datetime
import decimal
from typing import Any


def as_text(value: object) -> Any:
    """Return a value as text, a list of text, or unchanged where it is neither.

    Labels are names, so a typed file must give what the same file as text would: 1 is "1", true is "true".

    Args:
        value: A cell of a JSON or Parquet file.

    Returns:
        None for None; text for text, numbers, booleans and dates; a list of these for a list of them; and
        the value itself for all else, which no role can be given to.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | decimal.Decimal | datetime.date | datetime.time):
        return str(value)
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return value
