"""Expected calibration error, likelihood and reliability diagram: by hand and by plain loops."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest

from headway.evaluation.calibration_table import calibration
from headway.evaluation.decoding import Argmax, Identity, Thresholds
from headway.types import DocumentLogits, Gold


def documents_of(logits, *, seen=None, offsets=None):
    logits = np.array(logits, dtype=np.float32)
    seen = np.ones(len(logits), dtype=bool) if seen is None else np.array(seen)
    return DocumentLogits(logits, None if offsets is None else np.array(offsets), seen)


def logits_of(probabilities):
    """Two logits a row whose softmax is (p, 1 - p)."""
    return [[math.log(p / (1 - p)), 0.0] for p in probabilities]


def loop_claims(logits, gold, temperature):
    """Confidence and truth, and the likelihood of gold, by the formulas and one row at a time."""
    claims, losses = [], []
    for row, right in zip(logits.astype(float).tolist(), gold.tolist(), strict=True):
        if isinstance(right, list):
            for logit, there in zip(row, right, strict=True):
                p = 1 / (1 + math.exp(-logit / temperature))
                claims.append((p, there == 1))
                losses.append(-math.log(p if there else 1 - p))
        else:
            powers = [math.exp(logit / temperature) for logit in row]
            chances = [power / sum(powers) for power in powers]
            claims.append((max(chances), chances.index(max(chances)) == right))
            losses.append(-math.log(chances[right]))
    return claims, sum(losses) / len(losses)


def loop_ece(claims):
    error = 0.0
    for m in range(15):
        inside = [claim for claim in claims if m / 15 < claim[0] <= (m + 1) / 15 or (m == 0 == claim[0])]
        if inside:
            confidence = sum(p for p, _ in inside) / len(inside)
            accuracy = sum(right for _, right in inside) / len(inside)
            error += len(inside) / len(claims) * abs(accuracy - confidence)
    return error


def test_by_hand():
    # Confidences 0.9 and 0.92, one right, are in bin 13 (0.867, 0.933]; 0.599, right, is in bin 8 (to 0.6].
    documents = documents_of(logits_of([0.9, 0.92, 0.599]))
    table = calibration(documents, Gold(np.array([0, 1, 0])), decoding=Argmax(temperature=1.0))
    assert table.ece == pytest.approx((2 * abs(0.5 - 0.91) + abs(1 - 0.599)) / 3, rel=1e-5)
    assert table.nll == pytest.approx(-(math.log(0.9) + math.log(0.08) + math.log(0.599)) / 3, rel=1e-5)
    assert (table.ece_before, table.nll_before, table.temperature) == (table.ece, table.nll, 1.0)
    assert table.rows == 3
    assert [(place, each.count) for place, each in enumerate(table.bins) if each.count] == [(8, 1), (13, 2)]
    bin_13 = table.bins[13]
    assert (bin_13.low, bin_13.high) == (13 / 15, 14 / 15)
    assert bin_13.confidence == pytest.approx(0.91)
    assert bin_13.accuracy == 0.5
    assert (table.bins[0].confidence, table.bins[0].accuracy) == (0, 0)


def test_of_pairs_by_hand():
    # Both pairs claim 0.25, of bin 3 (0.2, 0.267], and one label is there.
    documents = documents_of([[math.log(1 / 3), math.log(1 / 3)]])
    table = calibration(documents, Gold(np.array([[1, 0]])), decoding=Thresholds([0.9, 0.1], temperature=1.0))
    assert table.ece == pytest.approx(0.25)
    assert table.nll == pytest.approx(-(math.log(0.25) + math.log(0.75)) / 2)
    assert table.rows == 1
    assert table.bins[3].count == 2


def test_probabilities_of_0_and_1_are_in_the_first_and_the_last_bin():
    documents = documents_of([[0.0, -2000.0, 2000.0]])
    table = calibration(documents, Gold(np.array([[1, 0, 1]])), decoding=Thresholds())
    assert [place for place, each in enumerate(table.bins) if each.count] == [0, 7, 14]


@pytest.mark.parametrize("kind", [Argmax, Thresholds])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_is_what_a_loop_gives(kind, temperature):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (200, 4)).astype(np.float32)
    gold = rng.integers(0, 4, 200) if kind is Argmax else rng.integers(0, 2, (200, 4))
    seen = rng.random(200) < 0.8
    table = calibration(documents_of(logits, seen=seen), Gold(gold), decoding=kind(temperature=temperature))
    claims, nll = loop_claims(logits[seen], gold[seen], temperature)
    before, nll_before = loop_claims(logits[seen], gold[seen], 1.0)
    assert table.ece == pytest.approx(loop_ece(claims))
    assert table.ece_before == pytest.approx(loop_ece(before))
    assert table.nll == pytest.approx(nll)
    assert table.nll_before == pytest.approx(nll_before)
    assert table.rows == seen.sum()
    assert sum(each.count for each in table.bins) == len(claims)


@pytest.mark.parametrize("kind", [Argmax, Thresholds])
@pytest.mark.parametrize("seed", range(5))
def test_fitting_makes_what_it_was_fitted_on_no_less_likely(kind, seed):
    rng = np.random.default_rng(seed)
    documents = documents_of(rng.normal(0, rng.uniform(0.1, 9), (60, 3)), seen=rng.random(60) < 0.9)
    gold = Gold(rng.integers(0, 3, 60) if kind is Argmax else rng.integers(0, 2, (60, 3)))
    table = calibration(documents, gold, decoding=kind().fit(documents, gold))
    assert table.temperature != 1
    assert table.nll <= table.nll_before


def test_a_temperature_calibrates_what_was_too_sure():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (5000, 2))
    gold = Gold((rng.random(5000) > 1 / (1 + np.exp(logits[:, 1] - logits[:, 0]))).astype(np.int64))
    documents = documents_of(3 * logits)
    table = calibration(documents, gold, decoding=Argmax().fit(documents, gold))
    assert table.temperature == pytest.approx(3, rel=0.1)
    assert table.ece < 0.03 < 0.08 < table.ece_before


def test_every_word_counts_alike():
    # Documents of one and of three words: the mean over documents would be another.
    offsets = np.array([0, 1, 4])
    documents = documents_of(logits_of([0.9, 0.6, 0.6, 0.6]), seen=[True, True, True, False], offsets=offsets)
    table = calibration(documents, Gold(np.zeros(4, dtype=np.int64), offsets), decoding=Argmax())
    assert table.rows == 3
    assert table.nll == pytest.approx(-(math.log(0.9) + 2 * math.log(0.6)) / 3)


def test_where_nothing_can_be_believed_there_is_no_table():
    scores = documents_of([[1.0], [2.0]])
    assert calibration(scores, Gold(np.array([1.0, 2.0])), decoding=Identity()) is None
    unseen = documents_of([[1.0, 0.0]], seen=[False])
    assert calibration(unseen, Gold(np.array([0])), decoding=Argmax()) is None


@pytest.mark.parametrize("temperature", [None, 2, 1.5])
def test_it_survives_json(temperature):
    table = calibration(
        documents_of([[1, 0], [0, 3]]), Gold(np.array([0, 0])), decoding=Argmax(temperature=temperature)
    )
    plain = asdict(table)
    again = json.loads(json.dumps(plain, allow_nan=False))
    assert again == plain | {"bins": list(plain["bins"])}
    assert type(table.temperature) is float
    assert {type(value) for each in table.bins for value in vars(each).values()} == {int, float}
