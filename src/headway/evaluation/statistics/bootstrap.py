"""Bootstrap over documents and over seeds: intervals of a config's mean, and tests of a difference."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from headway.evaluation.statistics.document_metric import DocumentMetric, on_all
from headway.evaluation.statistics.seed_spread import seed_spreads
from headway.types import DataError

CELLS = 1 << 22
"""Weights that are held at once."""


@dataclass(frozen=True)
class Draws:
    """One config's metric over resamples; those of other configs saw the same resamples of documents.

    Attributes:
        values: (num_runs,) float64, the metric of each run on all documents.
        documents: (num_resamples,) float64, the mean over the runs on resampled documents.
        seeds: (num_resamples,) float64, how far a mean over other seeds would be from it; 0 for one run.
        both: Variance of the documents' part that is in the seeds' part too, from what each run alone gets
            right or wrong.
    """

    values: np.ndarray
    documents: np.ndarray
    seeds: np.ndarray
    both: float = 0.0

    @property
    def mean(self) -> float:
        """The mean over the runs."""
        return float(self.values.mean())

    @property
    def deviation(self) -> float | None:
        """The standard deviation over the runs, with n - 1; None for one run."""
        return float(self.values.std(ddof=1)) if len(self.values) > 1 else None

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return the percentile interval of the mean over seeds and documents.

        Args:
            confidence: In (0, 1), such as 0.95.
        """
        around = self.documents.mean()
        return _interval(around + _once(self.documents - around, self.both) + self.seeds, confidence)


@dataclass(frozen=True)
class Difference:
    """How two configs differ, the first minus the second.

    Attributes:
        value: Of the means.
        low: Where the interval starts.
        high: Where it ends.
        p: Two-sided, of no difference.
        draws: (num_resamples,) float64, centred: the difference's deviations.
    """

    value: float
    low: float
    high: float
    p: float
    draws: np.ndarray


def document_weights(num_documents: int, *, num_resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often each document is drawn, some resamples at a time.

    Args:
        num_documents: Of the split.
        num_resamples: Altogether.
        seed: Of the draws.

    Yields:
        (some, num_documents) float32; each row sums to num_documents.
    """
    generator = np.random.default_rng(seed)
    left, at_once = num_resamples, max(1, CELLS // num_documents)
    while left > 0:
        rows = min(left, at_once)
        drawn = generator.integers(num_documents, size=(rows, num_documents))
        drawn += np.arange(rows)[:, None] * num_documents
        counts = np.bincount(drawn.ravel(), minlength=rows * num_documents)
        yield counts.reshape(rows, num_documents).astype(np.float32)
        left -= rows


def bootstrap(
    configs: Sequence[Sequence[DocumentMetric]], *, num_resamples: int = 10_000, seed: int = 0
) -> list[Draws]:
    """Resample documents, the same for every run, and the runs of each config.

    A run's seed is another draw than its documents, so a config's mean is uncertain from both. The mean over
    the runs on resampled documents has one part. For the other, deviations of runs are drawn with
    replacement, as large as `seed_spreads` finds them; so few runs give wide intervals rather than narrow
    ones, as a plain bootstrap of two or three would. What a run alone gets right or wrong on its documents
    moves both parts, so its variance is taken out of the first.

    Args:
        configs: The metric of each run, on the same documents in the same order, by config.
        num_resamples: How many.
        seed: Of the draws.

    Returns:
        The draws of each config.

    Raises:
        DataError: The runs aren't of the same number of documents.

    Source: Efron and Tibshirani 1993, chapters 8 and 16; Owen 2007 on two crossed factors.
    """
    sizes = {metric.num_documents for metrics in configs for metric in metrics}
    if len(sizes) != 1 or 0 in sizes:
        raise DataError(f"runs must be of the same documents to be resampled together, got {sorted(sizes)}")
    by_run: list[list[np.ndarray]] = [[] for _ in configs]
    for weights in document_weights(sizes.pop(), num_resamples=num_resamples, seed=seed):
        for found, metrics in zip(by_run, configs, strict=True):
            found.append(np.stack([metric(weights) for metric in metrics], axis=1))
    generator = np.random.default_rng([seed, 1])
    draws = []
    values = [np.array([on_all(metric) for metric in metrics]) for metrics in configs]
    for found, own, spread in zip(by_run, values, seed_spreads(values), strict=True):
        by_resample = np.concatenate(found)  # (num_resamples, num_runs)
        documents = by_resample.mean(axis=1)
        if spread is None:
            draws.append(Draws(own, documents, np.zeros(num_resamples)))
            continue
        seeds = spread.deviations(len(own), number=num_resamples, generator=generator)
        # Around the mean over runs a run's own part has (n - 1) / n of its variance; in that mean, 1 / n.
        alone = float((by_resample - documents[:, None]).var(axis=0).mean()) / (len(own) - 1)
        draws.append(Draws(own, documents, seeds, min(alone, spread.deviation**2 / len(own))))
    return draws


def bootstrap_seeds(
    values: Sequence[np.ndarray], *, num_resamples: int = 10_000, seed: int = 0
) -> list[Draws]:
    """Resample runs alone, for a metric that isn't known by document.

    Args:
        values: (num_runs,) the metric of each run, by config; two runs at least.
        num_resamples: How many.
        seed: Of the draws.

    Returns:
        The draws of each config, to which documents add nothing.

    Raises:
        DataError: A config has a single run, of whose spread nothing is known.
    """
    generator = np.random.default_rng([seed, 1])
    draws = []
    for own, spread in zip(values, seed_spreads(values), strict=True):
        if spread is None:
            raise DataError(f"configs must have two runs to resample runs alone, got {len(own)}; add seeds")
        seeds = spread.deviations(len(own), number=num_resamples, generator=generator)
        draws.append(Draws(own, np.full(num_resamples, own.mean()), seeds))
    return draws


def difference(left: Draws, right: Draws, *, confidence: float = 0.95) -> Difference:
    """Compare two configs over the same resamples of documents.

    p is the share of resamples whose difference is as far from the measured one as that is from 0 (the
    bootstrap's distribution moved to where no difference is the truth). Where one config has a single run
    and the other has more, the single run's seed is taken to matter as much as one of the others'.

    Args:
        left: From one call of `bootstrap`.
        right: From the same call.
        confidence: Of the interval.

    Source: Efron and Tibshirani 1993, section 16.4; Koehn 2004 on paired resampling of test documents.
    """
    value = left.mean - right.mean
    documents = left.documents - right.documents
    deviations = documents.mean() - value + _once(documents - documents.mean(), left.both + right.both)
    deviations += _seeds(left, right) - _seeds(right, left)
    extreme = int((np.abs(deviations) >= abs(value) - 1e-12).sum())
    low, high = _interval(value + deviations, confidence)
    return Difference(value, low, high, (1 + extreme) / (1 + len(deviations)), deviations)


def _seeds(own: Draws, other: Draws) -> np.ndarray:
    if len(own.values) > 1 or len(other.values) == 1:
        return own.seeds
    # Other draws than those that the other config itself uses: the two are independent.
    return np.roll(other.seeds, len(other.seeds) // 2) * math.sqrt(len(other.values))


def _once(deviations: np.ndarray, both: float) -> np.ndarray:
    """Return deviations without the part of their variance that is counted elsewhere."""
    variance = float(deviations.var())
    return deviations * math.sqrt(max(0.0, 1 - both / variance)) if variance > 0 else deviations


def _interval(draws: np.ndarray, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)
