"""The temperature: what it is fitted to, by a second method, and what it leaves alone."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from headway.evaluation.activations import sigmoid, softmax
from headway.evaluation.calibration import fit_temperature
from headway.evaluation.decoding import Argmax, Identity, Thresholds
from headway.types import ConfigError, DocumentLogits, Gold


def documents_of(logits, *, seen=None, offsets=None):
    logits = np.array(logits, dtype=np.float32)
    seen = np.ones(len(logits), dtype=bool) if seen is None else np.array(seen)
    return DocumentLogits(logits, None if offsets is None else np.array(offsets), seen)


def sampled(activation, *, temperature, rows, labels=4, scale=3.0, seed=0):
    """Logits, and gold drawn from the probabilities of logits / temperature."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, scale, (rows, labels)).astype(np.float32)
    if activation == "sigmoid":
        return logits, (rng.random(logits.shape) < sigmoid(logits / temperature)).astype(np.int64)
    cumulated = softmax(logits / temperature).cumsum(axis=1)
    return logits, (rng.random((rows, 1)) > cumulated[:, :-1]).sum(axis=1)


def likelihood(logits, gold, temperature):
    """The mean negative log-likelihood, written once more."""
    scaled = logits.astype(np.float64) / temperature
    if gold.ndim == 2:
        return -np.log(sigmoid(np.where(gold == 1, scaled, -scaled))).mean()
    return -np.log(softmax(scaled)[np.arange(len(gold)), gold]).mean()


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_a_known_temperature_is_found_again(activation, temperature):
    logits, gold = sampled(activation, temperature=temperature, rows=20_000)
    assert fit_temperature(logits, gold, activation=activation) == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("temperature", [0.2, 0.7, 3.0, 8.0])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_scipy_finds(activation, temperature, seed):
    logits, gold = sampled(activation, temperature=temperature, rows=300, seed=seed)
    expected = minimize_scalar(
        lambda value: likelihood(logits, gold, value),
        bounds=(0.1, 10),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert fit_temperature(logits, gold, activation=activation) == pytest.approx(expected.x, rel=1e-4)


def test_by_hand():
    # Three of four rows are right by 1: softmax(1 / T) is 3/4 where 1 / T is log 3.
    logits = np.array([[1.0, 0.0]] * 4)
    found = fit_temperature(logits, np.array([0, 0, 0, 1]), activation="softmax")
    assert found == pytest.approx(1 / np.log(3))
    found = fit_temperature(logits[:, :1], np.array([[1], [1], [1], [0]]), activation="sigmoid")
    assert found == pytest.approx(1 / np.log(3))


@pytest.mark.parametrize(
    ("logits", "gold", "bound"),
    [([[5.0, 0.0]] * 2, [1, 1], 10.0), ([[0.01, 0.0]] * 9, [0] * 8 + [1], 0.1)],
    ids=["always wrong", "too timid"],
)
def test_it_stays_within_its_bounds(logits, gold, bound):
    one_hot = np.eye(2, dtype=np.int64)[gold][:, :1]
    assert fit_temperature(np.array(logits), np.array(gold), activation="softmax") == pytest.approx(bound)
    assert fit_temperature(np.array(logits)[:, :1], one_hot, activation="sigmoid") == pytest.approx(bound)


@pytest.mark.parametrize("scale", [0.01, 1, 1000])
def test_without_an_error_there_is_nothing_to_fit_on(scale):
    logits = np.random.default_rng(0).normal(0, scale, (50, 3))
    assert fit_temperature(logits, logits.argmax(axis=1), activation="softmax") == 1.0
    assert fit_temperature(logits, (logits > 0).astype(int), activation="sigmoid") == 1.0


def test_without_rows_there_is_nothing_to_fit_on():
    none = np.zeros((0, 3), dtype=np.float32)
    assert fit_temperature(none, np.zeros(0, dtype=np.int64), activation="softmax") == 1.0
    assert fit_temperature(none, np.zeros((0, 3), dtype=np.int64), activation="sigmoid") == 1.0


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_logits_of_any_size_can_be_fitted(activation):
    logits, gold = sampled(activation, temperature=2e4, rows=500, scale=1e4)
    assert fit_temperature(logits, gold, activation=activation) == 10.0


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_many_rows_take_well_under_a_second(activation):
    logits, gold = sampled(activation, temperature=2.5, rows=50_000, labels=50)
    start = time.process_time()
    fit_temperature(logits, gold, activation=activation)
    assert time.process_time() - start < 1


@settings(max_examples=50, deadline=None)
@given(temperature=st.floats(0.01, 100), seed=st.integers(0, 2**32 - 1))
def test_no_temperature_changes_an_answer_or_a_loss_of_argmax(temperature, seed):
    rng = np.random.default_rng(seed)
    documents = documents_of(rng.normal(0, 5, (20, 3)), seen=rng.random(20) < 0.9)
    gold = Gold(rng.integers(0, 3, 20))
    plain, tempered = Argmax(), Argmax(temperature=temperature)
    np.testing.assert_array_equal(plain(documents).values, tempered(documents).values)
    np.testing.assert_array_equal(plain.losses(documents, gold), tempered.losses(documents, gold))
    best = tempered(documents).probabilities.max(axis=1)
    np.testing.assert_array_equal(
        best[documents.seen],
        tempered(documents).probabilities[documents.seen, plain(documents).values[documents.seen]],
    )


def test_probabilities_are_those_of_divided_logits():
    documents = documents_of([[2, 0], [1, 3]])
    np.testing.assert_allclose(
        Argmax(temperature=2)(documents).probabilities, softmax(documents.logits / 2), rtol=1e-6
    )
    np.testing.assert_allclose(
        Thresholds(temperature=4)(documents).probabilities, sigmoid(documents.logits / 4), rtol=1e-6
    )


@pytest.mark.parametrize("kind", [Argmax, Thresholds])
def test_before_it_is_fitted_the_temperature_is_one(kind):
    documents = documents_of(np.random.default_rng(0).normal(0, 5, (20, 3)))
    np.testing.assert_array_equal(
        kind()(documents).probabilities, kind(temperature=1)(documents).probabilities
    )


def test_argmax_is_fitted_on_what_was_seen():
    logits, gold = sampled("softmax", temperature=2.5, rows=400)
    seen = np.arange(400) % 4 > 0
    decoding = Argmax()
    fitted = decoding.fit(documents_of(np.where(seen[:, None], logits, 0), seen=seen), Gold(gold))
    assert fitted == Argmax(temperature=fit_temperature(logits[seen], gold[seen], activation="softmax"))
    assert decoding.temperature is None


def test_argmax_of_words_is_fitted_on_words():
    logits, gold = sampled("softmax", temperature=2.5, rows=400)
    offsets = np.array([0, 0, 150, 400])
    fitted = Argmax().fit(documents_of(logits, offsets=offsets), Gold(gold, offsets))
    assert fitted.temperature == fit_temperature(logits, gold, activation="softmax")


def test_a_given_temperature_stays():
    documents, gold = documents_of([[1, 0], [1, 0]]), Gold(np.array([0, 1]))
    decoding = Argmax(temperature=3)
    assert decoding.fit(documents, gold) is decoding
    assert Identity().fit(documents, gold) == Identity()


def test_temperature_and_thresholds_are_fitted_each_by_itself():
    logits, labels = sampled("sigmoid", temperature=2.5, rows=300, labels=2)
    documents, gold = documents_of(logits), Gold(labels)
    both = Thresholds().fit(documents, gold)
    assert both.temperature == fit_temperature(logits, labels, activation="sigmoid")
    only_temperature = Thresholds([0.3, 0.4]).fit(documents, gold)
    assert only_temperature == Thresholds([0.3, 0.4], temperature=both.temperature)
    only_values = Thresholds(temperature=5.0).fit(documents, gold)
    assert only_values.temperature == 5.0
    # Thresholds cut the probabilities after temperature, so the same documents are cut at other places.
    assert only_values.values != both.values
    np.testing.assert_array_equal(only_values(documents).values, both(documents).values)


def test_thresholds_cut_after_temperature():
    documents = documents_of([[2.0]])  # sigmoid(2) is 0.88 and sigmoid(2 / 4) is 0.62
    assert Thresholds([0.7])(documents).values.item() == 1
    assert Thresholds([0.7], temperature=4)(documents).values.item() == 0


@pytest.mark.parametrize("kind", [Argmax, Thresholds])
@pytest.mark.parametrize("temperature", [0, -1.5, float("nan"), float("inf")])
def test_a_temperature_that_divides_nothing_is_refused(kind, temperature):
    with pytest.raises(ConfigError, match="`task.decoding.temperature` must be finite and above 0, got"):
        kind(temperature=temperature)
