"""Heads equal transformers' with the same weights, and pooling by hand."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.testing import assert_close
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification

from headway.models.encoder import Encoder
from headway.models.heads.cls import ClsHead
from headway.models.heads.token import TokenHead
from headway.models.losses.cross_entropy import CrossEntropy
from headway.types import ConfigError

LENGTHS = (3, 5, 5, 9)


def with_weights_of(head, classifier):
    head.classifier.load_state_dict(classifier.state_dict())
    return head.eval()


@pytest.mark.parametrize("layout", ["packed", "padded"])
def test_pooler_head_equals_sequence_classification(layout, tiny_model, make_batch, pad):
    batch = make_batch(LENGTHS)
    labels = torch.tensor([0, 2, 1, 2])
    torch.manual_seed(1)
    reference = AutoModelForSequenceClassification.from_config(tiny_model("bert", num_labels=3).config).eval()
    expected = reference(**pad(batch), labels=labels)
    head = with_weights_of(ClsHead("pooler", 0.1, hidden_size=32, num_labels=3), reference.classifier)
    encoder = Encoder(reference.bert, layout=layout).eval()
    logits = head(encoder(batch), batch, encoder)
    assert_close(logits, expected.logits, atol=1e-5, rtol=1e-5)
    assert_close(CrossEntropy()(logits, labels).mean(), expected.loss, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("layout", ["packed", "padded"])
def test_token_head_equals_token_classification(layout, tiny_model, make_batch, pad):
    batch = make_batch(LENGTHS)
    torch.manual_seed(1)
    reference = AutoModelForTokenClassification.from_config(tiny_model("bert", num_labels=3).config).eval()
    labels = torch.randint(0, 3, (sum(LENGTHS),))
    labels[::4] = -100
    rows = torch.full((len(LENGTHS), max(LENGTHS)), -100)
    for row, part in zip(rows, labels.split(LENGTHS), strict=True):
        row[: len(part)] = part
    expected = reference(**pad(batch), labels=rows)
    head = with_weights_of(TokenHead(0.1, hidden_size=32, num_labels=3), reference.classifier)
    encoder = Encoder(reference.bert, layout=layout).eval()
    logits = head(encoder(batch), batch, encoder)
    parts = zip(expected.logits, LENGTHS, strict=True)
    assert_close(logits, torch.cat([row[:length] for row, length in parts]), atol=1e-5, rtol=1e-5)
    seen = labels != -100
    loss = CrossEntropy()(logits[seen], labels[seen]).mean()
    assert_close(loss, expected.loss, atol=1e-5, rtol=1e-5)
    assert_close(loss, cross_entropy(logits, labels), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("pooling", "by_hand"),
    [
        ("cls", lambda window: window[0]),
        ("mean", lambda window: window.sum(0) / len(window)),
        ("max", lambda window: window.max(0).values),
    ],
)
def test_pooling_sees_its_own_window(pooling, by_hand, tiny_model, make_batch):
    batch = make_batch(LENGTHS)
    head = ClsHead(pooling, 0.0, hidden_size=32, num_labels=2)
    states = torch.randn(sum(LENGTHS), 32)
    expected = head.classifier(torch.stack([by_hand(window) for window in states.split(LENGTHS)]))
    assert_close(head(states, batch, Encoder(tiny_model("bert"))), expected)


def test_fresh_weights_are_transformers():
    torch.manual_seed(0)
    for head in (
        ClsHead(hidden_size=400, num_labels=50, initializer_range=0.3),
        TokenHead(hidden_size=400, num_labels=50, initializer_range=0.3),
    ):
        assert head.classifier.weight.std().item() == pytest.approx(0.3, rel=0.05)
        assert head.classifier.bias.count_nonzero() == 0


def test_a_head_says_what_it_labels_and_whether_it_needs_the_pooler():
    assert (ClsHead.token_level, TokenHead.token_level) == (False, True)
    assert ClsHead("pooler", hidden_size=4, num_labels=2).uses_pooler
    assert not ClsHead("mean", hidden_size=4, num_labels=2).uses_pooler
    assert not TokenHead(hidden_size=4, num_labels=2).uses_pooler


@pytest.mark.parametrize("dropout", [-0.1, 1.0, float("nan"), "0.1", True])
def test_dropout_out_of_range_is_refused(dropout):
    for build in (ClsHead, TokenHead):
        with pytest.raises(ConfigError, match=r"`task.head.dropout` must be a number in \[0, 1\)"):
            build(dropout=dropout, hidden_size=4, num_labels=2)


def test_unknown_pooling_is_refused():
    with pytest.raises(ConfigError, match="`task.head.pooling` must be one of"):
        ClsHead("avg", hidden_size=4, num_labels=2)
