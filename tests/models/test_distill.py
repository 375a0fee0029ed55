"""Distillation's loss is its formula, and what a teacher thinks reaches the right window and token."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from headway.data.collator import WindowBatches
from headway.data.encoding import EncodingSpec, encode
from headway.data.pieces import prepare
from headway.data.plans import plan_evaluation
from headway.models.losses.distill import Distill
from headway.types import ConfigError

LOGITS = torch.tensor([[0.0, math.log(3)], [1.0, -1.0]])
TEACHER = torch.tensor([[0.0, 0.0], [math.log(9), 0.0]])
TARGETS = torch.tensor([1, 0])


def test_by_hand():
    """The first row: student (1/4, 3/4) against teacher (1/2, 1/2); the second at T=2: teacher (3/4, 1/4)."""
    loss = Distill("run", temperature=1.0, alpha=1.0)
    kl = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert loss(LOGITS, TARGETS, TEACHER)[0].item() == pytest.approx(kl, abs=1e-6)
    soft = Distill("run", temperature=2.0, alpha=0.25)
    student = 1 / (1 + math.exp(-1.0))  # softmax of (1, -1) / 2
    kl = 0.75 * math.log(0.75 / student) + 0.25 * math.log(0.25 / (1 - student))
    hard = -math.log(1 / (1 + math.exp(-2.0)))
    assert soft(LOGITS, TARGETS, TEACHER)[1].item() == pytest.approx(0.25 * 4 * kl + 0.75 * hard, abs=1e-6)


def test_the_gradient_is_that_of_the_paper():
    """Eq. 2 of Hinton et al. 2015, times T^2: T (softmax(z / T) - softmax(v / T))."""
    logits = LOGITS.clone().requires_grad_()
    Distill("run", temperature=3.0, alpha=1.0)(logits, TARGETS, TEACHER).sum().backward()
    expected = 3 * ((LOGITS / 3).softmax(-1) - (TEACHER / 3).softmax(-1))
    torch.testing.assert_close(logits.grad, expected)


def test_without_a_share_it_is_cross_entropy():
    found = Distill("run", temperature=5.0, alpha=0.0)(LOGITS, TARGETS, TEACHER)
    torch.testing.assert_close(found, cross_entropy(LOGITS, TARGETS, reduction="none"))


def test_where_the_teacher_is_silent_cross_entropy_counts_whole():
    silent = TEACHER.clone()
    silent[0] = math.nan
    logits = LOGITS.clone().requires_grad_()
    loss = Distill("run", temperature=2.0, alpha=0.5)
    found = loss(logits, TARGETS, silent)
    found.sum().backward()
    assert logits.grad.isfinite().all()
    assert found[0] == cross_entropy(LOGITS, TARGETS, reduction="none")[0]
    assert found[1] == loss(LOGITS, TARGETS, TEACHER)[1]


def test_it_is_computed_in_float32():
    found = Distill("run")(LOGITS.bfloat16(), TARGETS, TEACHER)
    assert found.dtype == torch.float32


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"temperature": 0}, "task.loss.temperature"),
        ({"temperature": -1}, "task.loss.temperature"),
        ({"temperature": math.nan}, "task.loss.temperature"),
        ({"alpha": 1.5}, "task.loss.alpha"),
        ({"alpha": "half"}, "task.loss.alpha"),
        ({"teacher": None}, "task.loss.teacher"),
        ({"teacher": " "}, "task.loss.teacher"),
    ],
)
def test_values_are_checked(changes, key):
    with pytest.raises(ConfigError, match=key):
        Distill(**{"teacher": "run", **changes})


def test_without_a_teacher_it_says_so():
    with pytest.raises(ValueError, match="the teacher's logits"):
        Distill("run")(LOGITS, TARGETS)


@pytest.fixture
def words(wordpiece_tokenizer, corpus_words):
    """Documents of words in several windows, whose words have one piece or more."""
    documents = [corpus_words[:9], ["unbelievably", "goalkeeper"], corpus_words[3:20]]
    spec = EncodingSpec(12, "windows", 3, "all", token_type_ids=False)
    return documents, encode(prepare(wordpiece_tokenizer), {"tokens": documents}, spec)


def test_each_piece_gets_its_words_logits(words):
    documents, encoded = words
    count = sum(map(len, documents))
    teacher = np.arange(2 * count, dtype=np.float32).reshape(count, 2)
    batches = WindowBatches(encoded, None, token_level=True, teacher=teacher)
    starts = np.cumsum([0, *map(len, documents)])
    seen = set()
    for plan in plan_evaluation(encoded.window_lengths, batch_size=4):
        batch = batches[plan]
        token = 0
        for window in plan.windows.tolist():
            first, last = encoded.offsets[window], encoded.offsets[window + 1]
            for word in encoded.words[first:last].tolist():
                row = batch.teacher_logits[token].tolist()
                token += 1
                if word < 0:
                    assert all(map(math.isnan, row))
                    continue
                place = int(starts[encoded.documents[window]]) + word
                assert row == teacher[place].tolist()
                seen.add(place)
        assert token == len(batch.teacher_logits)
    assert seen == set(range(count))


def test_each_window_gets_its_documents_logits(wordpiece_tokenizer, corpus_words):
    texts = [" ".join(corpus_words[:n]) for n in (30, 2, 14)]
    spec = EncodingSpec(12, "windows", 3, "first", token_type_ids=False)
    encoded = encode(prepare(wordpiece_tokenizer), {"text": texts}, spec)
    teacher = np.array([[1, 2], [3, 4], [5, 6]], dtype=np.float32)
    batches = WindowBatches(encoded, None, token_level=False, teacher=teacher)
    for plan in plan_evaluation(encoded.window_lengths, batch_size=3):
        batch = batches[plan]
        assert batch.teacher_logits.tolist() == teacher[batch.documents.numpy()].tolist()
