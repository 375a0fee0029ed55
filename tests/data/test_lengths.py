"""Lengths and what did not fit, counted by hand."""

import numpy as np
import pytest

from headway.data.lengths import length_report
from headway.data.store import Encoded
from headway.types import Gold


def make_encoded(lengths, *, lost=None, windows=None, **columns):
    windows = windows or [1] * len(lengths)
    return Encoded(
        input_ids=np.zeros(0, np.int32),
        token_type_ids=None,
        offsets=np.zeros(sum(windows) + 1, np.int64),
        documents=np.repeat(np.arange(len(lengths)), windows),
        lengths=np.array(lengths),
        lost=np.array(lost or [0] * len(lengths)),
        **columns,
    )


def test_lengths():
    report = length_report("train", make_encoded(range(1, 101), windows=[*[1] * 98, 2, 5]))
    assert (report.documents, report.windows, report.most_windows) == (100, 105, 5)
    assert (report.tokens, report.median, report.max_length_95, report.longest) == (5050, 50, 95, 100)


def test_a_quantile_is_a_length_that_covers_the_share():
    # 1 of 3 documents is over 10: only the longest length covers 95 % of them.
    assert length_report("test", make_encoded([5, 10, 400])).max_length_95 == 400


def test_truncation():
    report = length_report("train", make_encoded([5, 20, 30], lost=[0, 4, 14]))
    assert (report.truncated_documents, report.tokens_lost) == (2, 18)
    assert "train: 2 of 3 (66.7%) documents truncated, 18 of 55 (32.7%) tokens lost" in report.lines()


def test_lengths_alone_for_tasks_without_words():
    report = length_report("test", make_encoded([5]), gold=Gold(np.array([0])), label_names=("a", "b"))
    assert report.words is None
    assert report.entities is None
    assert report.lines() == [
        "test: 1 documents, 1 windows (at most 1 a document), 5 tokens",
        "test: tokens a document: median 5, longest 5; max_length=5 holds 95 % of the documents whole",
        "test: 0 of 1 (0.0%) documents truncated, 0 of 5 (0.0%) tokens lost",
    ]


NAMES = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


@pytest.mark.parametrize(
    ("documents", "seen", "entities", "lost"),
    [
        (["B-LOC I-LOC O B-PER"], "1111", 2, 0),
        (["B-LOC I-LOC O B-PER"], "1001", 2, 1),  # the second word of the first entity
        (["B-LOC I-LOC O B-PER"], "1101", 2, 0),  # a word outside
        (["B-LOC B-LOC"], "10", 2, 1),  # neighbours of one type are two
        (["B-LOC I-PER"], "10", 2, 1),  # another type begins another entity
        (["B-LOC", "I-LOC"], "10", 2, 1),  # no entity crosses documents
        (["O B-LOC I-LOC I-LOC"], "1000", 1, 1),  # counted once however many words are lost
        (["O", "", "B-PER"], "11", 1, 0),
        (["O O"], "00", 0, 0),
    ],
)
def test_entities(documents, seen, entities, lost):
    tags = [document.split() for document in documents]
    flat = np.array([NAMES.index(tag) for document in tags for tag in document], np.int64)
    counts = np.array([len(document) for document in tags])
    gold = Gold(flat, word_offsets=np.concatenate([[0], np.cumsum(counts)]))
    word_seen = np.array([flag == "1" for flag in seen])
    encoded = make_encoded(counts + 2, num_words=counts, word_seen=word_seen)
    report = length_report("test", encoded, gold=gold, label_names=NAMES)
    assert (report.entities, report.entities_lost) == (entities, lost)
    assert (report.words, report.words_lost) == (len(seen), seen.count("0"))
    assert report.lines()[-1].startswith(f"test: {lost} of {entities} ")
    assert report.lines()[-1].endswith("gold entities lost, counted as missed")


def test_plain_tags_have_words_but_no_entities():
    gold = Gold(np.array([0, 1]), word_offsets=np.array([0, 2]))
    encoded = make_encoded([4], num_words=np.array([2]), word_seen=np.array([True, False]))
    report = length_report("test", encoded, gold=gold, label_names=("NN", "VB"))
    assert report.entities is None
    assert report.lines()[-1] == "test: 1 of 2 (50.0%) gold words lost, counted as missed"
