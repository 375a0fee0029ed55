"""Weighted documents give what the metric gives on the documents repeated that often."""

import numpy as np
import pytest

from headway.evaluation.metrics import Classification, Entities, Multilabel, Regression, Words
from headway.evaluation.statistics.bootstrap import document_weights
from headway.evaluation.statistics.document_metric import mean, on_all, quotient
from headway.types import Gold, Prediction

DOCUMENTS, RESAMPLES = 40, 25
TAGS = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
CLASSES = ["a", "b", "c"]


def take(answers, rows):
    """Repeat the documents `rows` of a Gold or Prediction, one after the other."""
    if answers.word_offsets is None:
        chances = getattr(answers, "probabilities", None)
        more = {} if not hasattr(answers, "probabilities") else {"probabilities": chances}
        if chances is not None:
            more = {"probabilities": chances[rows]}
        return type(answers)(answers.values[rows], **more)
    parts = [answers.values[answers.word_offsets[row] : answers.word_offsets[row + 1]] for row in rows]
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    if isinstance(answers, Gold):
        return Gold(np.concatenate(parts), offsets)
    return Prediction(np.concatenate(parts), None, offsets)


def check(metrics, prediction, gold, labels, names):
    weights = np.concatenate(list(document_weights(DOCUMENTS, num_resamples=RESAMPLES, seed=0)))
    assert (weights.sum(axis=1) == DOCUMENTS).all()
    expected = []
    for row in weights.astype(int):
        repeated = np.repeat(np.arange(DOCUMENTS), row)
        expected.append(metrics(take(prediction, repeated), take(gold, repeated), labels))
    for name in names:
        metric = metrics.by_document(name, prediction, gold, labels)
        assert metric.num_documents == DOCUMENTS
        assert on_all(metric) == pytest.approx(metrics(prediction, gold, labels)[name], abs=1e-6)
        # Where a class occurs nowhere in a resample, the metrics leave its F1 out and this gives 0.
        assert metric(weights) == pytest.approx([each.get(name, 0.0) for each in expected], abs=1e-6), name


@pytest.mark.parametrize("number", [2, 3])
def test_classes(number):
    rng = np.random.default_rng(number)
    labels = CLASSES[:number]
    gold = rng.integers(number, size=DOCUMENTS)
    chances = rng.dirichlet(np.ones(number), size=DOCUMENTS).round(1)  # ties
    predicted = np.where(rng.random(DOCUMENTS) < 0.1, -1, chances.argmax(axis=1))
    names = [*Classification.names, "f1/a", f"f1/{labels[-1]}"]
    check(Classification(), Prediction(predicted, chances), Gold(gold), labels, names)


def test_any_number_of_labels():
    rng = np.random.default_rng(0)
    gold, predicted = rng.integers(2, size=(2, DOCUMENTS, 3))
    gold[:, 2] = predicted[:, 2] = 0
    check(Multilabel(), Prediction(predicted, None), Gold(gold), CLASSES, [*Multilabel.names, "f1/b", "f1/c"])


def test_scores():
    rng = np.random.default_rng(0)
    gold = rng.integers(5, size=DOCUMENTS).astype(float)  # ties, which share a rank
    predicted = (gold + rng.normal(size=DOCUMENTS)).round(1) + 100
    check(Regression(), Prediction(predicted, None), Gold(gold), [], list(Regression.names))


def test_a_score_of_a_document_that_no_window_held():
    gold, predicted = Gold(np.arange(4.0)), Prediction(np.array([0.0, np.nan, 1.0, 5.0]), None)
    assert on_all(Regression().by_document("mae", predicted, gold, [])) == pytest.approx(
        (0 + 1 + 1 + 2) / 4
    )  # the mean of the others is 2


def test_constant_scores_have_no_correlation():
    gold, predicted = Gold(np.arange(4.0)), Prediction(np.full(4, 0.1), None)
    for name in ("pearson", "spearman"):
        assert on_all(Regression().by_document(name, predicted, gold, [])) == 0


@pytest.mark.parametrize(("metrics", "more"), [(Words(), ["f1/O", "f1/I-PER"]), (Entities(), ["f1/LOC"])])
def test_words(metrics, more):
    rng = np.random.default_rng(0)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(0, 9, size=DOCUMENTS))])  # some have no word
    gold = rng.integers(5, size=offsets[-1])
    predicted = np.where(rng.random(offsets[-1]) < 0.3, rng.integers(-1, 5, size=offsets[-1]), gold)
    names = [*(name for name in metrics.names if name != "entity_coverage"), *more]
    check(metrics, Prediction(predicted, None, offsets), Gold(gold, offsets), TAGS, names)


def test_names_that_nothing_is_known_of():
    gold, labels = Gold(np.array([0, 1])), ["a", "b"]
    prediction = Prediction(np.array([0, 1]), None)
    assert Classification().by_document("f1/c", prediction, gold, labels) is None
    assert Classification().by_document("auroc", prediction, gold, labels) is None
    words = Gold(np.array([0, 1]), np.array([0, 2])), Prediction(np.array([0, 1]), None, np.array([0, 2]))
    assert Entities().by_document("entity_coverage", words[1], words[0], TAGS) is None


def test_quotients_and_means():
    assert on_all(quotient(np.array([1.0, 2.0]), np.array([2.0, 4.0]))) == 0.5
    assert on_all(quotient(np.array([1.0]), np.array([0.0]))) == 0
    assert on_all(mean(np.array([1.0, np.nan, 3.0]))) == 2
