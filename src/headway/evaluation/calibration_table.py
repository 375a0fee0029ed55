"""How far probabilities can be believed: what they claim beside how often it came true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from headway.evaluation.calibration import UNCHANGED
from headway.evaluation.decoding import Decoding, Tempered
from headway.types import DocumentLogits, Gold

NUM_BINS = 15


@dataclass(frozen=True)
class Bin:
    """The claims of one stretch of confidence.

    Attributes:
        low: Where it starts, itself not in the bin (0 is in the first).
        high: Where it ends, itself in the bin.
        count: Claims in it.
        confidence: Their mean confidence in [0, 1]; 0 where there are none.
        accuracy: The share of them that came true, in [0, 1]; 0 where there are none.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Calibration:
    """How well the probabilities of one split are calibrated.

    A claim is, where one label is right, the most probable label of a row with its probability; where any
    number is, each pair of row and label with the probability that the label is there.

    Attributes:
        temperature: What the logits are divided by.
        ece: Expected calibration error after temperature, in [0, 1]: the distance between confidence and
            accuracy, averaged over the claims, in NUM_BINS bins of equal width.
        ece_before: The same at temperature 1.
        nll: Mean negative log-likelihood of all rows, or of all pairs, after temperature, in nats.
        nll_before: The same at temperature 1.
        rows: Documents, or words, that some window held; no others are counted anywhere here.
        bins: The reliability diagram after temperature, lowest confidence first. Counts add up to the rows,
            or to rows times labels where any number of labels is right.
    """

    temperature: float
    ece: float
    ece_before: float
    nll: float
    nll_before: float
    rows: int
    bins: tuple[Bin, ...]


def calibration(documents: DocumentLogits, gold: Gold, *, decoding: Decoding) -> Calibration | None:
    """Return how well calibrated a decoding's probabilities are on a split.

    Args:
        documents: (num_documents or num_words, num_labels) logits, before temperature.
        gold: The right answers for the same documents or words.
        decoding: As fitted.

    Returns:
        The table, as plain numbers; None where there are no probabilities (scores) or no window held any row.

    Source: Guo et al. 2017, On Calibration of Modern Neural Networks, equation 3.
    """
    if not isinstance(decoding, Tempered) or not documents.seen.any():
        return None
    seen = DocumentLogits(
        logits=documents.logits[documents.seen],
        word_offsets=None,  # every word is a row of its own
        seen=np.ones(int(documents.seen.sum()), dtype=bool),
    )
    right = Gold(gold.values[documents.seen])
    before = replace(decoding, temperature=UNCHANGED)
    bins, bins_before = _bins(seen, right, decoding), _bins(seen, right, before)
    temperature = UNCHANGED if decoding.temperature is None else decoding.temperature
    return Calibration(
        temperature=temperature,
        ece=_expected_error(bins),
        ece_before=_expected_error(bins_before),
        nll=_likelihood(seen, right, decoding, temperature=temperature),
        nll_before=_likelihood(seen, right, decoding, temperature=UNCHANGED),
        rows=len(seen.logits),
        bins=bins,
    )


def _likelihood(seen: DocumentLogits, gold: Gold, decoding: Decoding, *, temperature: float) -> float:
    # A decoding's losses know no temperature, so the logits are divided for them.
    scaled = replace(seen, logits=seen.logits.astype(np.float64) / temperature)
    return float(decoding.losses(scaled, gold).mean())


def _bins(seen: DocumentLogits, gold: Gold, decoding: Tempered) -> tuple[Bin, ...]:
    confidence, came_true = _CLAIMS[decoding.activation](seen.logits, gold.values, decoding)
    edges = np.arange(NUM_BINS + 1) / NUM_BINS
    place = np.searchsorted(edges[1:-1], confidence, side="left")  # (claims,), the edges that are below each
    counts = np.bincount(place, minlength=NUM_BINS)
    sums = (np.bincount(place, weights=each, minlength=NUM_BINS) for each in (confidence, came_true))
    means = [(total / np.maximum(counts, 1)).tolist() for total in sums]
    columns = (edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), *means)
    return tuple(Bin(*row) for row in zip(*columns, strict=True))


def _expected_error(bins: tuple[Bin, ...]) -> float:
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.accuracy - each.confidence) for each in bins) / total


_Claims = tuple[np.ndarray, np.ndarray]
"""Confidence, (claims,) float64, and whether it came true, (claims,) bool."""


def _best_labels(logits: np.ndarray, gold: np.ndarray, decoding: Tempered) -> _Claims:
    # By logits, as the answer is: probabilities that round to the same have another first one.
    best = logits.argmax(axis=1)
    return decoding.probabilities(logits)[np.arange(len(best)), best], best == gold


def _pairs(logits: np.ndarray, gold: np.ndarray, decoding: Tempered) -> _Claims:
    return decoding.probabilities(logits).ravel(), gold.ravel() == 1  # (rows * num_labels,)


_CLAIMS: dict[str, Callable[[np.ndarray, np.ndarray, Tempered], _Claims]] = {
    "softmax": _best_labels,
    "sigmoid": _pairs,
}
