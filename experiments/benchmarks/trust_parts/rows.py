"""What a row of the trust table is: named cases, each of which holds or says why not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

Case = tuple[str, Callable[[], None]]
Cases = Callable[[Path, float], Iterator[Case]]
"""Takes a folder to work in and the share of the cases to try, in (0, 1]."""


class NotHeldError(Exception):
    """What a case promises isn't so; the message says what is."""


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        name: For the command line.
        goal: As the table has it.
        cases: Headway's.
        peers: Other frameworks' name -> the same faults there.
    """

    name: str
    goal: str
    cases: Cases
    peers: dict[str, Cases] = field(default_factory=dict)


@dataclass
class Count:
    """What came of a row's cases.

    Attributes:
        tried: How many.
        held: How many were as promised.
        seconds: Wall time.
        failures: Case -> why it didn't hold.
    """

    tried: int = 0
    held: int = 0
    seconds: float = 0.0
    failures: dict[str, str] = field(default_factory=dict)


def count(cases: Iterator[Case]) -> Count:
    """Try cases, one after the other."""
    result, start = Count(), time.perf_counter()
    for name, case in cases:
        result.tried += 1
        try:
            case()
            result.held += 1
        except Exception as error:
            result.failures[name] = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    result.seconds = round(time.perf_counter() - start, 1)
    return result


def check(held: bool, why: str) -> None:
    """Raise NotHeldError where something isn't so."""
    if not held:
        raise NotHeldError(why)


def some(number: int, share: float) -> int:
    """Return a share of a number of cases, at least one."""
    return max(1, round(number * share))
