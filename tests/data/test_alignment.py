"""Labels of words to labels of tokens, by hand."""

import numpy as np
import pytest

from headway.data.alignment import label_tokens
from headway.data.store import Encoded
from headway.types import IGNORE_INDEX, ConfigError, Gold

NAMES = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
X = IGNORE_INDEX

# Two documents of 3 and 1 words; the first is cut into two windows that share its second word.
ENCODED = Encoded(
    input_ids=np.zeros(14, np.int32),
    token_type_ids=None,
    offsets=np.array([0, 6, 10, 14]),
    documents=np.array([0, 0, 1]),
    lengths=np.array([7, 4]),
    lost=np.array([0, 0]),
    words=np.array([-1, 0, 0, 1, 1, -1, -1, 1, 2, -1, -1, 0, 0, -1], np.int32),
    first_pieces=np.array([0, 1, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0], bool),
    num_words=np.array([3, 1]),
    word_seen=np.ones(4, bool),
)
GOLD = Gold(np.array([1, 2, 0, 3]), word_offsets=np.array([0, 3, 4]))


def test_first_pieces_alone():
    labels = label_tokens(ENCODED, GOLD, label_names=NAMES, subword_labels="first")
    assert labels.dtype == np.int64
    assert labels.tolist() == [X, 1, X, 2, X, X, X, 2, 0, X, X, 3, X, X]


def test_all_pieces_with_the_inside_tag_on_continuations():
    labels = label_tokens(ENCODED, GOLD, label_names=NAMES, subword_labels="all")
    assert labels.tolist() == [X, 1, 2, 2, 2, X, X, 2, 0, X, X, 3, 4, X]


def test_plain_tags_continue_as_they_are():
    labels = label_tokens(ENCODED, GOLD, label_names=("NN", "VB", "DT", "B"), subword_labels="all")
    assert labels.tolist() == [X, 1, 1, 2, 2, X, X, 2, 0, X, X, 3, 3, X]


def test_a_missing_inside_tag_raises():
    with pytest.raises(
        ConfigError, match=r"data\.label_names must hold I-PER beside B-PER for subword_labels=all"
    ):
        label_tokens(ENCODED, GOLD, label_names=NAMES[:4], subword_labels="all")


def test_other_words_raise():
    gold = Gold(GOLD.values, word_offsets=np.array([0, 2, 4]))
    with pytest.raises(ValueError, match="don't have the same words"):
        label_tokens(ENCODED, gold, label_names=NAMES, subword_labels="first")


def test_labels_of_documents_raise():
    with pytest.raises(ValueError, match="a tag for each word"):
        label_tokens(ENCODED, Gold(np.array([0, 1])), label_names=NAMES, subword_labels="first")
