"""A split by parts: documents that are alike, each scored as if it were a split of its own."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import f1_score as entity_f1
from sklearn import metrics as sk

from headway.evaluation.metrics import Classification, Entities, Multilabel, Regression, Words
from headway.evaluation.slices import DocumentFacts, slices, slices_to_json
from headway.types import Gold, Prediction

LABELS = ["a", "b", "c"]
TAGS = ["O", "B-X", "I-X", "B-Y", "I-Y"]


def facts_of(lengths, windows=None, truncated=None):
    lengths = np.array(lengths)
    windows = np.ones(len(lengths), dtype=np.int64) if windows is None else np.array(windows)
    truncated = np.zeros(len(lengths), dtype=bool) if truncated is None else np.array(truncated)
    return DocumentFacts(lengths, windows, truncated)


def classes(predicted, gold, *, probabilities=None):
    predicted = np.array(predicted)
    if probabilities is None:
        probabilities = np.eye(len(LABELS))[predicted]
    return Prediction(predicted, probabilities), Gold(np.array(gold))


def classify(predicted, gold, facts):
    prediction, right = classes(predicted, gold)
    return slices(prediction, right, facts=facts, metrics=Classification(), label_names=LABELS)


def named(found, by):
    return {each.name: each for each in found if each.by == by}


def test_each_length_is_in_the_bucket_that_names_it():
    lengths = [1, 64, 65, 128, 129, 256, 257, 512, 513, 1024, 1025, 9000]
    found = named(classify([0] * 12, [0, 1] * 6, facts_of(lengths[::-1])), "length")
    assert [(name, each.counts) for name, each in found.items()] == [
        ("<=64 tokens", {"documents": 2}),
        ("65-128 tokens", {"documents": 2}),
        ("129-256 tokens", {"documents": 2}),
        ("257-512 tokens", {"documents": 2}),
        ("513-1024 tokens", {"documents": 2}),
        (">1024 tokens", {"documents": 2}),
    ]
    assert all(each.metrics["accuracy"] == 0.5 for each in found.values())


def test_a_bucket_without_documents_is_left_out():
    assert list(named(classify([0, 1], [0, 1], facts_of([10, 2000])), "length")) == [
        "<=64 tokens",
        ">1024 tokens",
    ]


def test_by_number_of_windows():
    facts = facts_of([9] * 7, windows=[1, 2, 3, 4, 7, 8, 40])
    found = named(classify([0] * 7, [0, 0, 1, 1, 1, 0, 0], facts), "windows")
    assert {name: (each.counts["documents"], each.metrics["accuracy"]) for name, each in found.items()} == {
        "1 window": (1, 1.0),
        "2-3 windows": (2, 0.5),
        "4-7 windows": (2, 0.0),
        "8 or more windows": (2, 1.0),
    }


def test_by_truncation():
    facts = facts_of([9, 9, 9], truncated=[True, False, True])
    found = named(classify([0, 1, 2], [0, 2, 1], facts), "truncated")
    assert {name: (each.counts["documents"], each.metrics["accuracy"]) for name, each in found.items()} == {
        "not truncated": (1, 0.0),
        "truncated": (2, 0.5),
    }


@pytest.mark.parametrize("all_truncated", [True, False])
def test_a_dimension_that_divides_nothing_is_left_out(all_truncated):
    found = classify([0, 1], [0, 1], facts_of([9, 99], truncated=[all_truncated] * 2))
    assert {each.by for each in found} == {"length"}


def test_classification_equals_scikit_learn_on_the_documents_of_a_slice():
    rng = np.random.default_rng(0)
    gold, lengths = rng.integers(0, 3, 200), rng.integers(1, 300, 200)
    probabilities = rng.dirichlet(np.ones(3), 200) + 0.3 * np.eye(3)[gold]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    prediction, right = classes(predicted, gold, probabilities=probabilities)
    found = slices(prediction, right, facts=facts_of(lengths), metrics=Classification(), label_names=LABELS)
    inside = (lengths > 64) & (lengths <= 128)
    values = named(found, "length")["65-128 tokens"].metrics
    assert values["f1_macro"] == pytest.approx(sk.f1_score(gold[inside], predicted[inside], average="macro"))
    assert values["mcc"] == pytest.approx(sk.matthews_corrcoef(gold[inside], predicted[inside]))
    assert values["auroc"] == pytest.approx(
        sk.roc_auc_score(gold[inside], probabilities[inside], multi_class="ovr")
    )


def test_multilabel_equals_scikit_learn_on_the_documents_of_a_slice():
    rng = np.random.default_rng(1)
    gold, predicted = rng.integers(0, 2, (2, 60, 3))
    lengths = rng.integers(1, 129, 60)
    prediction = Prediction(predicted, predicted.astype(np.float32))
    found = slices(prediction, Gold(gold), facts=facts_of(lengths), metrics=Multilabel(), label_names=LABELS)
    inside = lengths <= 64
    values = named(found, "length")["<=64 tokens"].metrics
    assert values["f1_micro"] == pytest.approx(sk.f1_score(gold[inside], predicted[inside], average="micro"))
    assert values["subset_accuracy"] == pytest.approx(sk.accuracy_score(gold[inside], predicted[inside]))


def test_entities_equal_seqeval_on_the_documents_of_a_slice():
    rng = np.random.default_rng(2)
    sizes = rng.integers(1, 9, 40)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    gold = rng.integers(0, len(TAGS), offsets[-1])
    predicted = np.where(rng.random(offsets[-1]) < 0.6, gold, rng.integers(0, len(TAGS), offsets[-1]))
    windows = rng.integers(1, 4, 40)
    found = slices(
        Prediction(predicted, None, offsets),
        Gold(gold, offsets),
        facts=facts_of(sizes, windows),
        metrics=Entities(),
        label_names=TAGS,
    )
    bounds = [(offsets[at], offsets[at + 1]) for at in np.flatnonzero(windows > 1)]
    wanted, given = (
        [[TAGS[tag] for tag in values[start:end]] for start, end in bounds] for values in (gold, predicted)
    )
    several = named(found, "windows")["2-3 windows"]
    assert several.metrics["entity_f1"] == pytest.approx(entity_f1(wanted, given))
    assert several.counts == {"documents": len(bounds), "words": sum(map(len, wanted))}


def test_what_is_not_defined_on_a_slice_is_left_out():
    found = named(classify([0, 1, 0, 1], [0, 0, 0, 1], facts_of([1, 1, 99, 99])), "length")
    same, both = found["<=64 tokens"].metrics, found["65-128 tokens"].metrics
    assert same["accuracy"] == 0.5
    assert not {"auroc", "mcc"} & set(same)
    assert both["auroc"] == both["mcc"] == 1


def test_one_score_has_an_error_and_no_correlation():
    prediction, gold = Prediction(np.array([1.0, 2.0, 4.0]), None), Gold(np.array([1.5, 3.0, 4.0]))
    found = slices(prediction, gold, facts=facts_of([1, 99, 99]), metrics=Regression(), label_names=())
    one, two = named(found, "length").values()
    assert one.metrics == {"rmse": 0.5, "mae": 0.5}
    assert two.metrics["pearson"] == pytest.approx(1)
    assert two.metrics["mae"] == 0.5


def test_a_metric_that_is_not_finite_is_left_out():
    class Odd(Regression):
        def __call__(self, prediction, gold, label_names):
            return {"mae": float("nan"), "rmse": float("inf"), "bias": 0.5}

    gold = Gold(np.array([1.0]))
    (only,) = slices(Prediction(gold.values, None), gold, facts=facts_of([1]), metrics=Odd(), label_names=())
    assert only.metrics == {"bias": 0.5}


def test_documents_without_words_have_no_metrics():
    offsets = np.array([0, 0, 2])
    values = np.array([0, 1])
    found = slices(
        Prediction(values, None, offsets),
        Gold(values, offsets),
        facts=facts_of([2, 99]),
        metrics=Words(),
        label_names=LABELS,
    )
    assert [(each.counts, each.metrics.get("accuracy")) for each in found] == [
        ({"documents": 1, "words": 0}, None),
        ({"documents": 1, "words": 2}, 1.0),
    ]


documents = st.lists(
    st.tuples(st.integers(-1, 2), st.integers(0, 2), st.integers(0, 3000), st.integers(1, 20), st.booleans()),
    min_size=1,
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(documents=documents)
def test_the_slices_of_a_dimension_are_the_split(documents):
    predicted, gold, lengths, windows, truncated = (list(column) for column in zip(*documents, strict=True))
    found = classify(predicted, gold, facts_of(lengths, windows, truncated))
    overall = np.mean(np.array(predicted) == gold)
    for by in {each.by for each in found}:
        parts = list(named(found, by).values())
        sizes = [each.counts["documents"] for each in parts]
        assert sum(sizes) == len(documents)
        assert min(sizes) > 0
        assert np.average([each.metrics["accuracy"] for each in parts], weights=sizes) == pytest.approx(
            overall
        )


@settings(max_examples=100, deadline=None)
@given(documents=st.lists(st.lists(st.tuples(st.integers(-1, 2), st.integers(0, 2)), max_size=6), min_size=1))
def test_the_words_of_the_slices_are_those_of_the_split(documents):
    words = [word for document in documents for word in document]
    predicted, gold = np.array(words, dtype=np.int64).reshape(-1, 2).T
    sizes = [len(document) for document in documents]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    found = slices(
        Prediction(predicted, None, offsets),
        Gold(gold, offsets),
        facts=facts_of([60 * size for size in sizes]),
        metrics=Words(),
        label_names=LABELS,
    )
    assert sum(each.counts["words"] for each in found) == len(words)
    right = sum(each.counts["words"] * each.metrics.get("accuracy", 0) for each in found)
    assert right == pytest.approx(np.sum(predicted == gold))


def test_json_gets_plain_values_only():
    found = classify([0, 1, 2], [0, 1, 1], facts_of([1, 2, 99], truncated=[True, False, False]))
    plain = slices_to_json(found)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain[1]["by"] == "length"
    assert plain[1]["name"] == "65-128 tokens"
    assert plain[1]["counts"] == {"documents": 1}
    assert plain[1]["metrics"]["accuracy"] == 0.0


def test_facts_must_be_of_the_documents_that_are_scored():
    with pytest.raises(ValueError, match="facts must be of gold's 2 documents, got 1"):
        classify([0, 1], [0, 1], facts_of([9]))
    with pytest.raises(ValueError, match="same documents"):
        facts_of([9, 9], windows=[1])
    with pytest.raises(ValueError, match="windows must be at least 1"):
        facts_of([9], windows=[0])
