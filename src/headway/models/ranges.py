"""Checks of plain values where they enter: a nan or a string of digits must not train for an hour."""

from __future__ import annotations

import math
from collections.abc import Sequence

from headway.types import ConfigError


def check_number(
    key: str,
    value: object,
    *,
    low: float,
    high: float = math.inf,
    open_low: bool = False,
    open_high: bool = False,
    advice: str,
) -> float:
    """Return `value` as a float.

    Args:
        key: Where it stands in the config.
        value: What stands there.
        low: Least value allowed.
        high: Greatest value allowed.
        open_low: Whether `low` itself isn't allowed.
        open_high: Whether `high` itself isn't allowed.
        advice: What to do, for the message.

    Returns:
        The number, finite and in range.

    Raises:
        ConfigError: It isn't a number or not in range.
    """
    opening, closing = "(" if open_low else "[", ")" if open_high or high == math.inf else "]"
    allowed = f"a number in {opening}{low:g}, {high:g}{closing}"
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number:
        raise ConfigError(f"`{key}` must be {allowed}, got {value!r}; {advice}")
    number = float(value)  # type: ignore[arg-type]
    if number < low or number > high or (open_low and number == low) or (open_high and number == high):
        raise ConfigError(f"`{key}` must be {allowed}, got {value!r}; {advice}")
    return number


def check_one_of(key: str, value: object, allowed: Sequence[object]) -> None:
    """Check that `value` is allowed.

    Args:
        key: Where it stands in the config.
        value: What stands there.
        allowed: What may.

    Raises:
        ConfigError: It isn't among them.
    """
    # True == 1 in Python: compare types too, so that `fused: 1` isn't taken for true.
    if not any(value == choice and type(value) is type(choice) for choice in allowed):
        raise ConfigError(f"`{key}` must be one of {list(allowed)}, got {value!r}; choose one of these")
