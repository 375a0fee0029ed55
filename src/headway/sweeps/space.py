"""What is swept: Hydra's overrides as dimensions of a space."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep

from headway.types import ConfigError, nearest

TAGS = ("log", "int")
FIXED = ("sweep", "seeds", "output_dir", "cache_dir", "name")
"""Keys that can't be swept: they don't change what is trained."""

Params = dict[str, Any]
"""Key -> value of one point: the word of a choice, or a number."""


@dataclass(frozen=True)
class Dimension:
    """One key and the values that it may take.

    Attributes:
        key: As it stands before the "=", with `+` or `@package`.
        words: The values as overrides have them; None for an interval.
        low: Smallest number; None for a choice.
        high: Largest number; None for a choice.
        step: Between numbers; None for a choice or an interval.
        is_int: Whether the numbers are whole.
        log: Whether they are drawn evenly by their logarithm.
    """

    key: str
    words: tuple[str, ...] | None
    low: float | None = None
    high: float | None = None
    step: float | None = None
    is_int: bool = False
    log: bool = False

    @property
    def ends(self) -> tuple[Any, ...]:
        """All values of a choice, the outermost two of an interval."""
        return self.words if self.words is not None else (self.low, self.high)


def word(value: Any) -> str:
    """Return a value as an override has it."""
    return value if isinstance(value, str) else repr(value)


def overrides_of(params: Params) -> tuple[str, ...]:
    """Return a point as Hydra's overrides.

    Args:
        params: Of one point.
    """
    return tuple(f"{key}={word(value)}" for key, value in params.items())


def split(overrides: Sequence[Override]) -> tuple[list[str], list[Dimension]]:
    """Divide overrides into those that all trials share and those that are swept.

    Args:
        overrides: Parsed; of two for the same key the later counts, as in Hydra.

    Returns:
        The words of the fixed ones, and the dimensions, both in order.

    Raises:
        ConfigError: A key can't be swept, or its values aren't a space.
    """
    by_key = {override.get_key_element(): override for override in overrides}
    fixed = [str(each.input_line) for each in by_key.values() if not each.is_sweep_override()]
    return fixed, [_dimension(each) for each in by_key.values() if each.is_sweep_override()]


def _dimension(override: Override) -> Dimension:
    key, line = override.get_key_element(), override.get_value_string() if override.input_line else ""
    if key.lstrip("+").partition(".")[0].partition("/")[0] in FIXED:
        hint = f"; write seeds=[{line}]" if key == "seeds" else "; give it one value"
        raise ConfigError(f"`{key}` must not be swept, got {line}{hint}")
    value = override.value()
    tags = set(getattr(value, "tags", ()))
    for tag in sorted(tags):
        if tag not in TAGS:
            raise ConfigError(
                f"`{key}` must have tags of {list(TAGS)}, got {tag!r}{nearest(tag, TAGS)}; correct the tag"
            )
    if isinstance(value, IntervalSweep):
        return _interval(key, line, value, tags)
    words = tuple(dict.fromkeys(override.sweep_string_iterator()))
    if not words:
        raise ConfigError(
            f"`{key}` must have one value at least, got {line}, which matches nothing; correct it"
        )
    if isinstance(value, RangeSweep) and not value.shuffle:
        return _range(key, words, value, tags)
    if tags:
        raise ConfigError(
            f"`{key}` must be an interval or a range to be tagged, got {line}; leave the tag out"
        )
    return Dimension(key, words)


def _interval(key: str, line: str, value: IntervalSweep, tags: set[str]) -> Dimension:
    low, high = value.start, value.end
    if low is None or high is None or not low < high or ("log" in tags and low <= 0):
        raise ConfigError(
            f"`{key}` must be an interval of a smaller{' positive' if 'log' in tags else ''} and a larger "
            f"number, got {line}; correct the ends"
        )
    is_int = "int" in tags or (isinstance(low, int) and isinstance(high, int))
    if is_int and (low != int(low) or high != int(high)):
        raise ConfigError(f"`{key}` must be an interval of whole numbers, got {line}; correct the ends")
    kind = int if is_int else float
    return Dimension(key, None, kind(low), kind(high), is_int=is_int, log="log" in tags)


def _range(key: str, words: tuple[str, ...], value: RangeSweep, tags: set[str]) -> Dimension:
    numbers = [float(each) for each in words]
    is_int = all(each.lstrip("-").isdigit() for each in words)
    low, high, step = min(numbers), max(numbers), abs(float(value.step))
    if "log" in tags and (low <= 0 or not is_int or step != 1):
        raise ConfigError(
            f"`{key}` must be an interval, or a range of positive whole numbers in steps of 1, to be tagged "
            f"log, got {words[0]} to {words[-1]} in steps of {value.step}; write tag(log,interval(a,b))"
        )
    kind = int if is_int else float
    return Dimension(key, words, kind(low), kind(high), kind(step), is_int=is_int, log="log" in tags)


def grid(dimensions: Sequence[Dimension]) -> Iterator[Params]:
    """Yield every combination, the last key changing fastest, as in Hydra.

    Args:
        dimensions: What is swept; none makes one point.

    Raises:
        ConfigError: One of them is an interval, which has no end of values.
    """
    for each in dimensions:
        if each.words is None:
            raise ConfigError(
                f"`{each.key}` must be a choice or a range in a grid, got an interval; take sweep=optuna, or "
                "list the values"
            )
    for values in itertools.product(*(each.words or () for each in dimensions)):
        yield dict(zip((each.key for each in dimensions), values, strict=True))


def star(dimensions: Sequence[Dimension]) -> Iterator[Params]:
    """Yield few points in which each value of each choice, and each end of an interval, stands once.

    Args:
        dimensions: What is swept.
    """
    first = {each.key: each.ends[0] for each in dimensions}
    yield first
    for each in dimensions:
        for value in each.ends[1:]:
            yield first | {each.key: value}
