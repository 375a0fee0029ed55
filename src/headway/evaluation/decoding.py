"""From a document's logits to the answer; validation, test, predict and every export use this same code."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np

from headway.evaluation.activations import activation_named, log_softmax
from headway.evaluation.calibration import UNCHANGED, fit_temperature
from headway.evaluation.spec import Specified
from headway.evaluation.thresholds import DEFAULT_THRESHOLD, OBJECTIVES, best_thresholds
from headway.types import ConfigError, DocumentLogits, Gold, Prediction

NOTHING = -1
"""The prediction for a document or word that no window held: no label's number, so it is never right."""


@dataclass(frozen=True)
class Decoding(Specified, ABC):
    """Document logits -> prediction.

    Where no window held a document or word, its prediction is NOTHING (NaN for a score), its probabilities
    are zero and its loss is NaN.

    Attributes:
        activation: What the logits mean to it, one of ACTIVATIONS; the aggregation is built with the same.
        needs_words: Whether it has a meaning only where words are labelled.
    """

    activation: ClassVar[str]
    needs_words: ClassVar[bool] = False

    def fit(self, documents: DocumentLogits, gold: Gold) -> Self:
        """Return the decoding with what it learns from a validation split; itself if that is nothing.

        Args:
            documents: Logits of the validation split.
            gold: Its right answers.
        """
        return self

    @abstractmethod
    def __call__(self, documents: DocumentLogits) -> Prediction:
        """Return the answer for each document or word.

        Args:
            documents: (num_documents or num_words, num_labels) logits.
        """

    @abstractmethod
    def losses(self, documents: DocumentLogits, gold: Gold) -> np.ndarray:
        """Return how far off each document's logits are.

        Args:
            documents: (num_documents or num_words, num_labels) logits.
            gold: The right answers.

        Returns:
            (num_documents,) float64, NaN where no window held the document. No class weight, no smoothing.
        """


@dataclass(frozen=True)
class Tempered(Decoding, ABC):
    """A decoding whose probabilities are those of logits / temperature.

    Its losses are those of the logits as they are, so that they compare whatever the temperature. Its
    activation is softmax or sigmoid, for which a temperature can be fitted.

    Args:
        temperature: Finite and above 0, and stays as it is; None: 1.0 until `fit` chooses it on validation.

    Raises:
        ConfigError: The temperature isn't finite and above 0.
    """

    temperature: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.temperature is None:
            return
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ConfigError(
                f"`task.decoding.temperature` must be finite and above 0, got {self.temperature}; use null "
                "to fit it on validation, or 1 to leave probabilities as they are"
            )
        object.__setattr__(self, "temperature", float(self.temperature))

    def fit(self, documents: DocumentLogits, gold: Gold) -> Self:
        """Return the decoding with the likeliest temperature for what was seen; see `fit_temperature`."""
        if self.temperature is not None:
            return self
        seen = documents.seen
        fitted = fit_temperature(documents.logits[seen], gold.values[seen], activation=self.activation)
        return replace(self, temperature=fitted)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Return the probabilities after temperature.

        Args:
            logits: (rows, num_labels) of any float type.

        Returns:
            (rows, num_labels) float64.
        """
        temperature = UNCHANGED if self.temperature is None else self.temperature
        return activation_named(self.activation).probabilities(logits.astype(np.float64) / temperature)


@dataclass(frozen=True)
class Argmax(Tempered):
    """The label with the largest logit, for each document, or for each word by itself.

    The temperature changes no answer.

    Args:
        temperature: See Tempered.
    """

    roles: ClassVar[frozenset[str]] = frozenset({"label", "tags"})
    activation: ClassVar[str] = "softmax"

    def __call__(self, documents: DocumentLogits) -> Prediction:
        """Return label numbers, (num_documents or num_words,) int64, and softmax of logits / temperature."""
        best = documents.logits.argmax(axis=-1)
        return Prediction(
            values=np.where(documents.seen, best, NOTHING).astype(np.int64),
            probabilities=_where_seen(self.probabilities(documents.logits), documents.seen),
            word_offsets=documents.word_offsets,
        )

    def losses(self, documents: DocumentLogits, gold: Gold) -> np.ndarray:
        """Return the negative log-likelihood of gold before temperature; of words, the mean of those seen."""
        likelihood = log_softmax(documents.logits)[np.arange(len(gold.values)), gold.values]
        return _per_document(-likelihood, documents)


@dataclass(frozen=True)
class Thresholds(Tempered):
    """Every label whose probability, after temperature, is above its threshold.

    Args:
        values: One threshold a label, each in [0, 1]; None: 0.5 for all until `fit` chooses them on
            validation. Given values, and those once fitted, stay as they are.
        objective: What fitting the thresholds maximises, "f1_micro" or "f1_macro".
        temperature: See Tempered. It is fitted before the thresholds.

    Raises:
        ConfigError: A threshold isn't in [0, 1], the objective is another, or the temperature isn't finite
            and above 0.
    """

    roles: ClassVar[frozenset[str]] = frozenset({"labels"})
    activation: ClassVar[str] = "sigmoid"

    values: Sequence[float] | None = None
    objective: str = "f1_micro"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.objective not in OBJECTIVES:
            raise ConfigError(
                f"`task.decoding.objective` must be one of {', '.join(OBJECTIVES)}, got {self.objective!r}; "
                "name one"
            )
        if self.values is None:
            return
        for value in self.values:
            if not 0 <= value <= 1:
                raise ConfigError(
                    f"`task.decoding.values` must be in [0, 1], got {value}; use null to fit them"
                )
        object.__setattr__(self, "values", tuple(float(value) for value in self.values))

    def fit(self, documents: DocumentLogits, gold: Gold) -> Self:
        """Return the decoding with what isn't given: the temperature, then the thresholds of the highest F1.

        See `fit_temperature` and `best_thresholds`.
        """
        tempered = super().fit(documents, gold)
        if tempered.values is not None:
            return tempered
        probabilities = tempered.probabilities(documents.logits)
        fitted = best_thresholds(probabilities, gold.values, seen=documents.seen, objective=self.objective)
        return replace(tempered, values=fitted)

    def __call__(self, documents: DocumentLogits) -> Prediction:
        """Return 0 and 1, (num_documents, num_labels) int64, and sigmoid of logits / temperature.

        Raises:
            ConfigError: There isn't one threshold a label.
        """
        num_labels = documents.logits.shape[1]
        values = (DEFAULT_THRESHOLD,) * num_labels if self.values is None else self.values
        if len(values) != num_labels:
            raise ConfigError(
                f"`task.decoding.values` must hold {num_labels} thresholds, one a label, got {len(values)}; "
                f"use null to fit them on validation"
            )
        probabilities = self.probabilities(documents.logits)
        answers = probabilities > np.asarray(values)  # (num_documents, num_labels)
        return Prediction(
            values=np.where(documents.seen[:, None], answers, NOTHING).astype(np.int64),
            probabilities=_where_seen(probabilities, documents.seen),
        )

    def losses(self, documents: DocumentLogits, gold: Gold) -> np.ndarray:
        """Return the binary cross-entropy, before temperature, averaged over the labels."""
        signed = np.where(gold.values == 1, 1.0, -1.0) * documents.logits
        return _per_document(np.logaddexp(0.0, -signed).mean(axis=1), documents)


@dataclass(frozen=True)
class Identity(Decoding):
    """The one logit is the score."""

    roles: ClassVar[frozenset[str]] = frozenset({"score"})
    activation: ClassVar[str] = "identity"

    def __call__(self, documents: DocumentLogits) -> Prediction:
        """Return scores, (num_documents,) float64, without probabilities."""
        scores = documents.logits[:, 0].astype(np.float64)
        return Prediction(values=np.where(documents.seen, scores, np.nan), probabilities=None)

    def losses(self, documents: DocumentLogits, gold: Gold) -> np.ndarray:
        """Return the squared error."""
        return _per_document((documents.logits[:, 0] - gold.values) ** 2, documents)


def _where_seen(probabilities: np.ndarray, seen: np.ndarray) -> np.ndarray:
    return np.where(seen[:, None], probabilities, 0.0).astype(np.float32)


def _per_document(losses: np.ndarray, documents: DocumentLogits) -> np.ndarray:
    """Average the losses of each document's seen rows, (num_documents,) float64; NaN where there are none."""
    offsets, seen = documents.word_offsets, documents.seen
    if offsets is None:
        return np.where(seen, losses, np.nan)
    num_documents = len(offsets) - 1
    document = np.repeat(np.arange(num_documents), np.diff(offsets))  # (num_words,)
    total = np.bincount(document[seen], weights=losses[seen], minlength=num_documents)
    count = np.bincount(document[seen], minlength=num_documents)
    mean: np.ndarray = np.full(num_documents, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean
