"""Ranks that configs share where nothing tells them apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from headway.evaluation.statistics.bootstrap import Difference, Draws, difference
from headway.evaluation.statistics.correction import holm, romano_wolf
from headway.evaluation.statistics.stochastic_order import almost_stochastic_order

Correction = Literal["holm", "romano_wolf"]
ENOUGH_RUNS = 5
"""Runs a side from which almost stochastic order decides too; its bound means little with fewer."""
EPSILON = 0.2
"""Its bound below which it tells two configs apart."""


@dataclass(frozen=True)
class Comparison:
    """Two configs beside each other.

    Attributes:
        left: Place of the better one by its mean.
        right: Place of the other.
        difference: Left minus right.
        p: Corrected for the number of comparisons.
        epsilon: Almost stochastic order's bound; None where a config has fewer than two runs.
        decided: Whether there were enough runs for the bound to have a say.
        apart: Whether the two can be told apart.
    """

    left: int
    right: int
    difference: Difference
    p: float
    epsilon: float | None
    decided: bool
    apart: bool


def comparisons(
    draws: Sequence[Draws],
    *,
    mode: str,
    alpha: float = 0.05,
    correction: Correction = "holm",
    seed: int = 0,
) -> list[Comparison]:
    """Compare every two configs, the better one by its mean first.

    Two are told apart where the corrected p-value of the paired bootstrap is below alpha and, with five runs
    a side or more, almost stochastic order's bound is below 0.2, its confidence shared among the comparisons.

    Args:
        draws: From one call of `bootstrap`.
        mode: "max" or "min".
        alpha: The level.
        correction: Of the p-values: "holm" or "romano_wolf".
        seed: Of almost stochastic order's draws.
    """
    sign = 1.0 if mode == "max" else -1.0
    better: Callable[[int], float] = lambda place: -sign * draws[place].mean  # noqa: E731
    pairs = list(combinations(sorted(range(len(draws)), key=better), 2))
    if not pairs:
        return []
    found = [difference(draws[left], draws[right], confidence=1 - alpha) for left, right in pairs]
    if correction == "holm":
        adjusted = holm([each.p for each in found])
    else:
        adjusted = romano_wolf([each.value for each in found], [each.draws for each in found])
    results = []
    for (left, right), each, p in zip(pairs, found, adjusted, strict=True):
        epsilon, runs = None, min(len(draws[place].values) for place in (left, right))
        if runs >= 2:
            scores = (sign * draws[place].values for place in (left, right))
            epsilon = almost_stochastic_order(*scores, confidence=1 - alpha / len(pairs), seed=seed)
        decided = runs >= ENOUGH_RUNS
        apart = p < alpha and (not decided or (epsilon is not None and epsilon < EPSILON))
        results.append(Comparison(left, right, each, p, epsilon, decided, apart))
    return results


def shared_ranks(number: int, found: Sequence[Comparison]) -> list[int]:
    """Return each config's rank: 1 and how many can be told to be better.

    Args:
        number: Of configs.
        found: From `comparisons`.

    Returns:
        (number,) from 1; those that nothing tells from the best share it.
    """
    return [1 + sum(each.apart and each.right == place for each in found) for place in range(number)]


def told_best(number: int, found: Sequence[Comparison]) -> int | None:
    """Return the place of the config that can be told from every other; None where there is none.

    Args:
        number: Of configs.
        found: From `comparisons`.
    """
    for place in range(number):
        if number > 1 and sum(each.apart and each.left == place for each in found) == number - 1:
            return place
    return None
