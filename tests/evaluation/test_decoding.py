"""Logits -> answers, losses and what is stored of it."""

import itertools
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from headway.evaluation.activations import ACTIVATIONS, sigmoid
from headway.evaluation.aggregation import Aggregation, MajorityVote, MeanLogits, TopKMean, WordFarthest
from headway.evaluation.decoding import Argmax, Decoding, Identity, Thresholds
from headway.evaluation.thresholds import best_thresholds
from headway.types import ConfigError, DocumentLogits, Gold


def documents_of(logits, *, seen=None, offsets=None):
    logits = np.array(logits, dtype=np.float32)
    seen = np.ones(len(logits), dtype=bool) if seen is None else np.array(seen)
    return DocumentLogits(logits, None if offsets is None else np.array(offsets), seen)


def test_argmax_answers_nothing_for_what_was_not_seen():
    prediction = Argmax()(documents_of([[0, np.log(3)], [0, 0]], seen=[True, False]))
    np.testing.assert_array_equal(prediction.values, [1, -1])
    np.testing.assert_allclose(prediction.probabilities, [[0.25, 0.75], [0, 0]], rtol=1e-6)


def test_argmax_keeps_the_words_of_documents():
    prediction = Argmax()(documents_of([[0, 1], [1, 0], [0, 1]], offsets=[0, 1, 3]))
    np.testing.assert_array_equal(prediction.values, [1, 0, 1])
    np.testing.assert_array_equal(prediction.word_offsets, [0, 1, 3])


def test_argmax_loss_is_torchs():
    logits = np.random.default_rng(0).normal(0, 20, (30, 5)).astype(np.float32)
    gold = np.arange(30) % 5
    expected = cross_entropy(torch.tensor(logits).double(), torch.tensor(gold), reduction="none")
    np.testing.assert_allclose(Argmax().losses(documents_of(logits), Gold(gold)), expected, rtol=1e-9)


def test_loss_of_words_is_the_mean_of_those_seen():
    # Documents of 2, 0, 1 and 1 words; the second word of the first and the last word were not seen.
    offsets = np.array([0, 2, 2, 3, 4])
    documents = documents_of([[0, 0], [9, 0], [0, np.log(3)], [0, 0]], seen=[1, 0, 1, 0], offsets=offsets)
    documents = DocumentLogits(documents.logits, offsets, documents.seen.astype(bool))
    losses = Argmax().losses(documents, Gold(np.array([0, 0, 1, 1]), offsets))
    np.testing.assert_allclose(losses, [np.log(2), np.nan, np.log(4 / 3), np.nan], rtol=1e-6)


def test_thresholds_before_fit_cut_at_one_half():
    prediction = Thresholds()(documents_of([[-1, 1], [0, 2], [5, 5]], seen=[True, True, False]))
    np.testing.assert_array_equal(prediction.values, [[0, 1], [0, 1], [-1, -1]])
    np.testing.assert_allclose(prediction.probabilities[:2], sigmoid(np.array([[-1, 1], [0, 2]])), rtol=1e-6)


def test_thresholds_given_are_used_and_kept():
    decoding = Thresholds([0.2, 0.9], temperature=1.0)
    documents = documents_of([[-1, 1]])
    assert decoding.fit(documents, Gold(np.array([[1, 0]]))) is decoding
    np.testing.assert_array_equal(decoding(documents).values, [[1, 0]])


def test_multilabel_loss_is_torchs():
    rng = np.random.default_rng(0)
    logits, gold = rng.normal(0, 20, (30, 5)).astype(np.float32), rng.integers(0, 2, (30, 5))
    each = binary_cross_entropy_with_logits(
        torch.tensor(logits).double(), torch.tensor(gold).double(), reduction="none"
    )
    np.testing.assert_allclose(
        Thresholds().losses(documents_of(logits), Gold(gold)), each.mean(dim=1), rtol=1e-9
    )


def test_identity_answers_the_score():
    documents = documents_of([[1.5], [0]], seen=[True, False])
    prediction = Identity()(documents)
    np.testing.assert_array_equal(prediction.values, [1.5, np.nan])
    assert prediction.probabilities is None
    np.testing.assert_array_equal(Identity().losses(documents, Gold(np.array([1.0, 1.0]))), [0.25, np.nan])


def fit_one(probabilities, gold, seen=None):
    seen = np.ones(len(gold), dtype=bool) if seen is None else np.array(seen)
    return best_thresholds(np.array(probabilities)[:, None], np.array(gold)[:, None], seen=seen)[0]


def test_threshold_stays_at_one_half_where_that_is_best():
    assert fit_one([0.2, 0.9], [0, 1]) == 0.5


def test_threshold_goes_between_the_neighbours():
    assert fit_one([0.1, 0.2, 0.4, 0.6], [0, 1, 1, 1]) == pytest.approx(0.15)
    assert fit_one([0.6, 0.7, 0.9], [0, 0, 1]) == pytest.approx(0.8)


def test_threshold_can_admit_everything():
    assert fit_one([0.2, 0.3], [1, 1]) == pytest.approx(0.1)


def test_of_equal_thresholds_the_one_nearest_to_one_half_is_taken():
    # One hit of one answer or two hits of four: F1 is 2/3 at 0.4 and at 0.125.
    assert fit_one([0.42, 0.38, 0.3, 0.2, 0.05], [1, 0, 0, 1, 0]) == pytest.approx(0.4)


def test_positives_that_were_not_seen_make_recall_dearer():
    probabilities, gold = [0.9, 0.8, 0.7, 0.65, 0.6, 0.1], [1, 0, 0, 0, 1, 0]
    assert fit_one(probabilities, gold) == pytest.approx(0.85)
    assert fit_one(probabilities + [0.0] * 4, gold + [1] * 4, seen=[True] * 6 + [False] * 4) == 0.5


def test_threshold_of_a_label_without_positives_is_one_half():
    assert fit_one([0.2, 0.9], [0, 0]) == 0.5
    assert fit_one([0.2, 0.9], [0, 1], seen=[True, False]) == 0.5
    assert fit_one([0.2, 0.9], [0, 1], seen=[False, False]) == 0.5


probability = st.integers(1, 19).map(lambda twentieths: twentieths / 20)


def f1(scores, gold, threshold):
    predicted = scores > threshold
    return 2 * (predicted & (gold == 1)).sum() / max(predicted.sum() + gold.sum(), 1)


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.tuples(probability, st.integers(0, 1)), min_size=1, max_size=15))
def test_no_threshold_on_a_fine_grid_is_better(rows):
    scores, gold = (np.array(column) for column in zip(*rows, strict=True))
    grid = np.arange(41) / 40
    best = max(f1(scores, gold, threshold) for threshold in grid)
    assert f1(scores, gold, fit_one(scores, gold)) == pytest.approx(best)


def test_fit_gives_each_label_its_own_threshold_and_leaves_the_decoding_alone():
    decoding = Thresholds()
    documents = documents_of([[-3, 3], [-2, 2], [-1, 1]])
    fitted = decoding.fit(documents, Gold(np.array([[0, 1], [1, 1], [1, 0]])))
    np.testing.assert_array_equal(fitted(documents).values, [[0, 1], [1, 1], [1, 0]])
    assert decoding.values is None


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_threshold_outside_0_1_is_refused(value):
    with pytest.raises(ConfigError, match=r"`task.decoding.values` must be in \[0, 1\], got"):
        Thresholds([0.5, value])


def test_too_few_thresholds_are_refused():
    with pytest.raises(
        ConfigError, match="`task.decoding.values` must hold 3 thresholds, one a label, got 2"
    ):
        Thresholds([0.5, 0.5])(documents_of([[0, 0, 0]]))


@pytest.mark.parametrize(
    "thing",
    [
        Argmax(),
        Argmax(temperature=1.7),
        Thresholds(),
        Thresholds([0.1, 1 / 3], temperature=2 / 3),
        Identity(),
        MeanLogits(),
        TopKMean(3),
        MajorityVote("sigmoid"),
    ],
)
def test_a_spec_survives_json(thing):
    family = Decoding if isinstance(thing, Decoding) else Aggregation
    assert family.from_spec(json.loads(json.dumps(thing.to_spec()))) == thing


def test_a_spec_names_its_class_as_the_yaml_does():
    assert WordFarthest().to_spec() == {
        "_target_": "headway.evaluation.aggregation.word_farthest.WordFarthest"
    }


@pytest.mark.parametrize("target", ["os.system", "headway.evaluation.decoding.Decoding", None])
def test_a_spec_builds_nothing_but_its_family(target):
    with pytest.raises(ConfigError, match="`_target_` must be one of .*Thresholds.*, got"):
        Decoding.from_spec({"_target_": target})


def test_a_spec_with_other_fields_is_refused():
    spec = Thresholds().to_spec() | {"cut": 2}
    with pytest.raises(ConfigError, match=r"must be \['objective', 'temperature', 'values'\], got \['cut', "):
        Decoding.from_spec(spec)


@pytest.mark.parametrize("kind", [Argmax, Thresholds, Identity])
def test_every_decoding_names_an_activation(kind):
    assert kind.activation in ACTIVATIONS


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_activations_go_there_and_back_at_any_size(activation):
    logits = np.array([[-800.0, 0.0, 800.0], [1.0, 2.0, 3.0]])
    functions = ACTIVATIONS[activation]
    probabilities = functions.probabilities(logits)
    again = functions.probabilities(functions.logits(probabilities))
    np.testing.assert_allclose(again, probabilities, atol=1e-15)
    assert np.isfinite(functions.logits(probabilities)).all()


@pytest.mark.parametrize("seed", range(5))
def test_micro_thresholds_are_the_best_of_all_combinations(seed):
    rng = np.random.default_rng(seed)
    probabilities = rng.random((12, 3)).round(2)
    gold = (rng.random((12, 3)) < 0.4 * probabilities + 0.1).astype(int)
    seen = np.arange(12) != 5
    probabilities[5] = 0

    def micro(thresholds):
        predicted = (probabilities > np.array(thresholds)) & seen[:, None]
        return 2 * (predicted & (gold == 1)).sum() / (predicted.sum() + gold.sum())

    grids = [np.concatenate([[0.0, 0.5], np.unique(probabilities[:, label])]) for label in range(3)]
    best = max(micro(thresholds) for thresholds in itertools.product(*grids))
    found = best_thresholds(probabilities, gold, seen=seen, objective="f1_micro")
    assert micro(found) == pytest.approx(best)


def test_objective_must_be_known():
    with pytest.raises(ConfigError, match=r"task\.decoding\.objective"):
        Thresholds(objective="accuracy")
