"""How much a config's score differs from seed to seed, where each config has few seeds.

Two or three runs hardly say how large a spread is, so that a test on them alone can tell next to nothing. A
sweep has many configs, and their spreads say together what spreads are like: how large, and how unlike each
other. A config's variance that is small by luck is drawn up towards that as far as they are alike, and all
gain degrees of freedom; one that is large is left as large as it is, since a config may well be wilder than
the others, and calling it tame would cry wolf.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MOST_WEIGHT = 2.0
"""What others' spreads count for at most, in a config's own degrees of freedom."""
LEAST = 4
"""Configs with several runs from which their spreads say something of each other."""


@dataclass(frozen=True)
class SeedSpread:
    """The spread of one config's runs.

    Attributes:
        deviation: Standard deviation of a run.
        freedom: Degrees of freedom that it is known with.
        residuals: (any,) float64 of mean 0 and variance 1, what deviations of runs look like.
    """

    deviation: float
    freedom: float
    residuals: np.ndarray

    def deviations(self, runs: int, *, number: int, generator: np.random.Generator) -> np.ndarray:
        """Return how far means over other runs would be from the truth.

        The residuals are drawn with replacement; dividing by the root of chi-square over its degrees of
        freedom adds that the deviation itself is known from few runs, and gives Student's tails.

        Args:
            runs: That a mean is over.
            number: Of draws.
            generator: Draws.

        Returns:
            (number,) float64.
        """
        places = generator.integers(len(self.residuals), size=(number, runs))
        widening = np.sqrt(self.freedom / generator.chisquare(self.freedom, size=number))
        drawn: np.ndarray = self.residuals[places].mean(axis=1) * self.deviation * widening
        return drawn


def seed_spreads(values: Sequence[np.ndarray]) -> list[SeedSpread | None]:
    """Return the spread of each config; None for one with a single run.

    Args:
        values: (num_runs,) of each config.

    Source: Smyth 2004, section 6.2 (moderated variances, as limma computes them; never below a config's own
        and with less weight here, as experiments/benchmarks/significance.py measured false alarms otherwise).
    """
    several = [each for each in values if len(each) > 1]
    variances = np.array([each.var(ddof=1) for each in several])
    freedoms = np.array([len(each) - 1.0 for each in several])
    prior = _prior(variances, freedoms) if len(several) >= LEAST and (variances > 0).any() else None
    pooled = _standardised(several) if prior is not None else None
    found: list[SeedSpread | None] = []
    for each in values:
        if len(each) < 2:
            found.append(None)
            continue
        variance, freedom = float(each.var(ddof=1)), len(each) - 1.0
        if prior is not None:
            usual, weight = prior
            moderated = (weight * usual + freedom * variance) / (weight + freedom)
            variance, freedom = max(variance, moderated), weight + freedom
        residuals = pooled if pooled is not None else _standardised([each])
        found.append(SeedSpread(math.sqrt(variance), freedom, residuals))
    return found


def _standardised(values: Sequence[np.ndarray]) -> np.ndarray:
    """Return the deviations of runs from their means, each config's by its own spread."""
    parts = [(each - each.mean()) / each.std() for each in values if each.std() > 0]
    return np.concatenate(parts) if parts else np.zeros(1)


def _prior(variances: np.ndarray, freedoms: np.ndarray) -> tuple[float, float]:
    """Return the usual variance, and the degrees of freedom it counts for beside a config's own.

    How many it is worth comes from few configs itself, so half of them count, and at most twice as many as a
    config has: with all of them a sweep with one wild config cried wolf too often.
    """
    floor = 1e-5 * float(np.median(variances[variances > 0]))  # runs that agree to the bit have no logarithm
    logs = np.log(np.maximum(variances, floor))
    logs = logs - [digamma(half) - math.log(half) for half in freedoms / 2]
    excess = float(logs.var(ddof=1)) - float(np.mean([trigamma(half) for half in freedoms / 2]))
    if excess <= 0:
        return float(np.average(variances, weights=freedoms)), MOST_WEIGHT * float(freedoms.mean())
    half = _inverse_trigamma(excess)
    usual = math.exp(float(logs.mean()) + digamma(half) - math.log(half))
    return usual, min(half, MOST_WEIGHT * float(freedoms.mean()))


def digamma(x: float) -> float:
    """Return the derivative of the logarithm of the gamma function.

    Args:
        x: Above 0.

    Source: Abramowitz and Stegun 1964, 6.3.5 and 6.3.18.
    """
    moved = 0.0
    while x < 10:
        moved -= 1 / x
        x += 1
    square = 1 / (x * x)
    return moved + math.log(x) - 0.5 / x - square * (1 / 12 - square * (1 / 120 - square / 252))


def trigamma(x: float) -> float:
    """Return the derivative of digamma.

    Args:
        x: Above 0.

    Source: Abramowitz and Stegun 1964, 6.4.6 and 6.4.12.
    """
    moved = 0.0
    while x < 10:
        moved += 1 / (x * x)
        x += 1
    square = 1 / (x * x)
    return moved + 1 / x + square / 2 + square / x * (1 / 6 - square * (1 / 30 - square / 42))


def _inverse_trigamma(value: float) -> float:
    """Return x with trigamma(x) = value by bisection; trigamma falls from infinity to 0."""
    low, high = 1e-8, 1e8
    for _ in range(200):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if trigamma(middle) > value else (low, middle)
    return math.sqrt(low * high)
