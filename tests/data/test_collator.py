"""Batches are slices of the store, in the plan's order, with labels and weights that belong to them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from headway.data.collator import WindowBatches
from headway.data.encoding import EncodingSpec, encode
from headway.data.plans import BatchPlan
from headway.types import IGNORE_INDEX

TEXTS = ["The quick fox", "Germany beat the Czech Republic in the final of the championship", "a dog"]
WORDS = [["the", "quick", "championship"], ["Germany", "beat"]]


def _plan(*windows, padding=False):
    return BatchPlan(np.array(windows), 7.5, padding)


@pytest.fixture(scope="module")
def texts(wordpiece_tokenizer):
    spec = EncodingSpec(8, "windows", 0, "first", token_type_ids=True)
    return encode(wordpiece_tokenizer, {"text": TEXTS}, spec)


@pytest.fixture(scope="module")
def words(wordpiece_tokenizer):
    spec = EncodingSpec(20, "longest_first", 0, "first", token_type_ids=False)
    return encode(wordpiece_tokenizer, {"tokens": WORDS}, spec)


def _window(encoded, number):
    return encoded.input_ids[encoded.offsets[number] : encoded.offsets[number + 1]].tolist()


def test_windows_lie_end_to_end_in_the_order_of_the_plan(texts):
    batch = WindowBatches(texts, None, token_level=False)[_plan(2, 0, 1)]
    assert batch.input_ids.tolist() == _window(texts, 2) + _window(texts, 0) + _window(texts, 1)
    assert batch.lengths == tuple(len(_window(texts, number)) for number in (2, 0, 1))
    assert batch.cu_seq_lens.tolist() == np.cumsum([0, *batch.lengths]).tolist()
    assert batch.windows.tolist() == [2, 0, 1]
    assert batch.documents.tolist() == texts.documents[[2, 0, 1]].tolist() == [1, 0, 1]
    assert len(batch.token_type_ids) == len(batch.input_ids)
    assert batch.labels is None
    assert batch.words is None
    assert batch.normalizer == 7.5
    assert {tensor.dtype for tensor in (batch.input_ids, batch.token_type_ids, batch.windows)} == {
        torch.int64
    }


def test_there_are_as_many_items_as_windows(texts):
    assert len(WindowBatches(texts, None, token_level=False)) == texts.num_windows > len(TEXTS)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([4, 5, 6]),
        np.array([[0, 1], [1, 1], [1, 0]], np.float32),
        np.array([0.5, 1.5, 2.5], np.float32),
    ],
)
def test_a_window_has_the_label_of_its_document(texts, labels):
    batch = WindowBatches(texts, labels, token_level=False)[_plan(1, 0, 2)]
    assert batch.labels.tolist() == labels[[1, 0, 1]].tolist()
    assert batch.labels.dtype == torch.from_numpy(labels).dtype


def test_weights_are_one_unless_given_and_those_of_the_windows(texts):
    assert WindowBatches(texts, None, token_level=False)[_plan(0, 1)].weights.tolist() == [1, 1]
    weights = np.linspace(0.5, 1, texts.num_windows)
    batch = WindowBatches(texts, None, token_level=False, weights=weights)[_plan(1, 0)]
    assert batch.weights.tolist() == pytest.approx([weights[1], weights[0]])
    assert batch.weights.dtype == torch.float32


def test_padding_weighs_nothing(texts):
    assert WindowBatches(texts, None, token_level=False)[_plan(1, padding=True)].weights.tolist() == [0]


def test_words_stand_on_their_first_pieces_alone(words, wordpiece_tokenizer):
    labels = np.full(words.num_tokens, IGNORE_INDEX)
    labels[words.first_pieces] = [0, 1, 2, 3, 4]
    batch = WindowBatches(words, labels, token_level=True)[_plan(1, 0)]
    pieces = [[wordpiece_tokenizer.tokenize(word) for word in document] for document in (WORDS[1], WORDS[0])]
    assert max(len(word) for document in pieces for word in document) > 1
    expected_words, expected_labels = [], []
    for document, numbers in zip(pieces, ([3, 4], [0, 1, 2]), strict=True):
        expected_words.append(-1)
        expected_labels.append(IGNORE_INDEX)
        for word, word_pieces in enumerate(document):
            expected_words += [word] + [-1] * (len(word_pieces) - 1)
            expected_labels += [numbers[word]] + [IGNORE_INDEX] * (len(word_pieces) - 1)
        expected_words.append(-1)
        expected_labels.append(IGNORE_INDEX)
    assert batch.words.tolist() == expected_words
    assert batch.labels.tolist() == expected_labels
    assert batch.token_type_ids is None


def test_a_batch_is_a_copy_that_may_be_written_to(texts):
    batch = WindowBatches(texts, None, token_level=False)[_plan(0)]
    before = _window(texts, 0)
    batch.input_ids.zero_()
    assert _window(texts, 0) == before


def test_a_loaders_worker_is_sent_the_arrays_once(texts):
    batches = WindowBatches(texts, np.array([0, 1, 2]), token_level=False)
    sent = pickle.dumps(batches)
    assert len(sent) < len(pickle.dumps(texts)) + 2000
    found, expected = pickle.loads(sent)[_plan(0, 2)], batches[_plan(0, 2)]
    torch.testing.assert_close(found.input_ids, expected.input_ids)
    torch.testing.assert_close(found.labels, expected.labels)
