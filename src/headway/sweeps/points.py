"""Where the points of a sweep come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from headway.sweeps.jobs import Outcome
from headway.sweeps.space import Dimension, Params, grid


class Points(Protocol):
    """Chooses points and learns what they came to. All calls come from the sweep's own process."""

    ahead: int
    """How many points may be asked for before the ones before them have ended."""

    def known(self) -> Sequence[Params]:
        """Return the different points of earlier commands, in order."""

    def next(self) -> Params | None:
        """Return a new point; None where there is none."""

    def open(self, params: Params) -> None:
        """Note that a point of `known` is run again."""

    def report(self, params: Params, epoch: int, value: float) -> bool:
        """Take an epoch's value of a point that runs; return whether it shall stop."""

    def settle(self, params: Params, outcome: Outcome) -> None:
        """Take what a point came to, now or under an earlier command; its value is the mean over seeds."""

    def repeated(self, params: Params) -> bool:
        """Take back a point of `next` that is there already; return whether to go on asking."""


class GridPoints:
    """Every combination, in order; nothing is learned and nothing stops early.

    Args:
        dimensions: What is swept.

    Raises:
        ConfigError: One of them is an interval.
    """

    ahead = 64
    """Enough to put trials together that can be trained at once, few enough to start soon."""

    def __init__(self, dimensions: Sequence[Dimension]) -> None:
        self._points: Iterator[Params] = iter(list(grid(dimensions)))

    def known(self) -> Sequence[Params]:
        """Return none: the grid comes in the same order each time, and the index knows what is done."""
        return ()

    def next(self) -> Params | None:
        """Return the next combination."""
        return next(self._points, None)

    def open(self, params: Params) -> None:
        """Do nothing."""

    def report(self, params: Params, epoch: int, value: float) -> bool:
        """Let every trial go on."""
        return False

    def settle(self, params: Params, outcome: Outcome) -> None:
        """Do nothing."""

    def repeated(self, params: Params) -> bool:
        """Go on: a value may stand in the grid twice."""
        return True
