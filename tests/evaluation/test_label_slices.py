"""Labels by how often train has them, against scikit-learn's averages over the same labels."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from headway.evaluation.metrics import Classification, Multilabel, Words
from headway.evaluation.slices import DocumentFacts, slices
from headway.types import Gold, Prediction

LABELS = [f"label {number}" for number in range(8)]
TRAIN = [0, 1, 9, 10, 99, 100, 999, 1000]
BUCKETS = {
    "0 in train": [0],
    "1-9 in train": [1, 2],
    "10-99 in train": [3, 4],
    "100-999 in train": [5, 6],
    "1000 or more in train": [7],
}


def facts_of(num_documents):
    ones = np.ones(num_documents, dtype=np.int64)
    return DocumentFacts(ones, ones, np.zeros(num_documents, dtype=bool))


def by_frequency(predicted, gold, *, metrics, offsets=None, train=TRAIN):
    num_documents = len(gold) if offsets is None else len(offsets) - 1
    chances = None if metrics is not Classification else np.eye(len(train))[predicted]
    found = slices(
        Prediction(predicted, chances, offsets),
        Gold(gold, offsets),
        facts=facts_of(num_documents),
        metrics=metrics(),
        label_names=LABELS[: len(train)],
        train_label_counts=train,
    )
    return {each.name: each for each in found if each.by == "label_frequency"}


def check_against_scikit_learn(found, predicted, gold):
    assert list(found) == list(BUCKETS)
    for name, labels in BUCKETS.items():
        options = {"labels": labels, "zero_division": 0}
        values = found[name].metrics
        for average, suffix in (("micro", "f1_micro"), ("macro", "f1_macro")):
            assert values[suffix] == pytest.approx(sk.f1_score(gold, predicted, average=average, **options))
        assert values["precision"] == pytest.approx(
            sk.precision_score(gold, predicted, average="micro", **options)
        )
        assert values["recall"] == pytest.approx(sk.recall_score(gold, predicted, average="micro", **options))
        assert found[name].counts["labels"] == len(labels)


@pytest.fixture
def answers():
    rng = np.random.default_rng(0)
    gold = rng.integers(0, 8, 400)
    return np.where(rng.random(400) < 0.6, gold, rng.integers(0, 8, 400)), gold


def test_classes_equal_scikit_learn(answers):
    predicted, gold = answers
    found = by_frequency(predicted, gold, metrics=Classification)
    check_against_scikit_learn(found, predicted, gold)
    for name, labels in BUCKETS.items():
        assert found[name].counts["gold"] == np.isin(gold, labels).sum()
        assert found[name].counts["predicted"] == np.isin(predicted, labels).sum()


def test_words_equal_scikit_learn(answers):
    predicted, gold = answers
    found = by_frequency(predicted, gold, metrics=Words, offsets=np.array([0, 3, 3, 150, 400]))
    check_against_scikit_learn(found, predicted, gold)


def test_several_labels_a_document_equal_scikit_learn():
    gold, predicted = np.random.default_rng(1).integers(0, 2, (2, 50, 8))
    found = by_frequency(predicted, gold, metrics=Multilabel)
    check_against_scikit_learn(found, predicted, gold)
    assert sum(each.counts["gold"] for each in found.values()) == gold.sum()


@pytest.mark.parametrize("metrics", [Classification, Multilabel, Words])
def test_weighted_by_labels_the_slices_average_to_the_splits_f1_macro(metrics):
    # Labels 2 and 3 are in no document: a class that occurs nowhere has no F1, a label has one of 0.
    rng = np.random.default_rng(2)
    predicted, gold = (rng.choice([0, 1, 4, 5, 6, 7], (2, 60)), rng.choice([0, 1, 4, 5, 6], (2, 60)))
    if metrics is Multilabel:
        predicted, gold = (
            np.eye(8, dtype=np.int64)[each].max(axis=0, initial=0) for each in (predicted, gold)
        )
    else:
        predicted, gold = predicted[0], gold[0]
    offsets = np.array([0, 60]) if metrics is Words else None
    found = by_frequency(predicted, gold, metrics=metrics, offsets=offsets).values()
    prediction = Prediction(predicted, np.eye(8)[predicted] if gold.ndim == 1 else None, offsets)
    overall = metrics()(prediction, Gold(gold, offsets), LABELS)["f1_macro"]
    labels = [each.counts["labels"] for each in found]
    assert sum(labels) == (8 if metrics is Multilabel else 6)
    assert np.average([each.metrics["f1_macro"] for each in found], weights=labels) == pytest.approx(overall)


def test_by_hand_with_a_document_that_no_window_held():
    # Label 0 is frequent; labels 1 and 2 are rare. No answer is no one's false alarm.
    found = by_frequency(
        np.array([0, 0, 1, 2, -1]),
        np.array([0, 1, 1, 2, 2]),
        metrics=Words,
        offsets=np.array([0, 5]),
        train=[500, 5, 5],
    )
    rare, frequent = found["1-9 in train"], found["100-999 in train"]
    assert rare.counts == {"labels": 2, "gold": 4, "predicted": 2}
    assert rare.metrics == pytest.approx(
        {"f1_micro": 4 / 6, "precision": 1.0, "recall": 0.5, "f1_macro": 2 / 3}
    )
    assert frequent.counts == {"labels": 1, "gold": 1, "predicted": 2}
    assert frequent.metrics == pytest.approx(
        {"f1_micro": 2 / 3, "precision": 0.5, "recall": 1.0, "f1_macro": 2 / 3}
    )


def test_without_a_denominator_there_is_no_value():
    never_given = by_frequency(np.array([0, 0]), np.array([0, 1]), metrics=Classification, train=[100, 1])
    assert never_given["1-9 in train"].metrics == {"f1_micro": 0.0, "recall": 0.0, "f1_macro": 0.0}
    never_wanted = by_frequency(np.array([0, 1]), np.array([0, 0]), metrics=Classification, train=[100, 1])
    assert never_wanted["1-9 in train"].metrics == {"f1_micro": 0.0, "precision": 0.0, "f1_macro": 0.0}


def test_labels_that_occur_nowhere_have_no_scores():
    assert "0 in train" not in by_frequency(
        np.array([0]), np.array([0]), metrics=Classification, train=[9, 0]
    )
    found = by_frequency(np.array([[1, 0]]), np.array([[1, 0]]), metrics=Multilabel, train=[9, 0])
    assert found["0 in train"].counts == {"labels": 1, "gold": 0, "predicted": 0}
    assert found["0 in train"].metrics == {}


def test_there_must_be_a_count_a_label():
    with pytest.raises(ValueError, match="train_label_counts must hold a count a label, 2, got 1"):
        slices(
            Prediction(np.array([0]), np.eye(2)[[0]]),
            Gold(np.array([0])),
            facts=facts_of(1),
            metrics=Classification(),
            label_names=LABELS[:2],
            train_label_counts=[3],
        )
