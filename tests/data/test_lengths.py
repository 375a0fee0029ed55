"""Lengths and what did not fit, counted by hand."""

import numpy as np
import pytest

from headway.data.encoding import EncodingSpec, encode
from headway.data.ledger import GoldCount, count_gold
from headway.data.lengths import cut_line, length_report
from headway.data.pieces import prepare
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


def test_lines_of_labels():
    gold = Gold(np.array([0, 1]))
    report = length_report("test", make_encoded([5, 9], lost=[0, 3]), gold=gold, label_names=("a", "b"))
    assert report.lines() == [
        "test: 2 documents, 2 windows, 14 tokens; 0 documents of several windows, at most 1",
        "test: tokens a document: median 5, longest 9; max_length=9 holds 95 % of the documents whole",
        "test: 1 of 2 (50.0%) documents truncated, 3 of 14 (21.4%) tokens lost",
        "test: gold labels: 1 of 2 (50.0%) seen whole, 1 truncated (scored by the rest of their documents)",
    ]
    assert length_report("test", make_encoded([5])).gold == ()


@pytest.mark.parametrize(
    ("pair", "spec", "expected"),
    [
        (
            False,
            (128, "longest_first", 0),
            "126 of them text; longer documents are truncated (longest_first)",
        ),
        (False, (128, "windows", 32), "126 of them text; a new one begins every 94 tokens (32 shared)"),
        (
            True,
            (128, "windows", 32),
            "125 of them text; the shorter text stands in each, and of the longer a new window begins every "
            "93 tokens less those of the shorter (32 shared)",
        ),
    ],
)
def test_the_step_between_windows(wordpiece_tokenizer, pair, spec, expected):
    line = cut_line(EncodingSpec(*spec, "first", False), prepare(wordpiece_tokenizer).template, pair=pair)
    assert line == f"windows: at most 128 tokens, {expected}"


def test_the_step_is_the_one_that_windows_have(wordpiece_tokenizer):
    spec = EncodingSpec(20, "windows", 5, "first", False)
    encoded = encode(wordpiece_tokenizer, {"text": ["dog " * 100]}, spec)
    step = int(
        cut_line(spec, prepare(wordpiece_tokenizer).template, pair=False).split("every ")[1].split()[0]
    )
    pieces = int(encoded.lengths[0]) - 2
    assert encoded.num_windows == 1 + -(-(pieces - 18) // step) > 10


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
    words, counted = length_report("test", encoded, gold=gold, label_names=NAMES).gold
    assert (counted.kind, counted.total, counted.total - counted.seen) == ("entities", entities, lost)
    assert (words.kind, words.total, words.seen) == ("words", len(seen), seen.count("1"))


def test_plain_tags_have_words_but_no_entities():
    gold = Gold(np.array([0, 1]), word_offsets=np.array([0, 2]))
    encoded = make_encoded([4], lost=[1], num_words=np.array([2]), word_seen=np.array([True, False]))
    report = length_report("test", encoded, gold=gold, label_names=("NN", "VB"))
    assert report.gold == (GoldCount("words", 2, 1, 1, 0),)
    assert report.lines()[-1] == "test: gold words: 1 of 2 (50.0%) seen, 1 truncated (counted as missed)"


def test_gold_of_several_labels_is_the_labels_that_documents_have():
    gold = Gold(np.array([[1, 1, 0], [0, 0, 0], [1, 0, 0]]))
    assert count_gold(gold, make_encoded([5, 9, 9], lost=[2, 3, 0]), label_names=("a", "b", "c")) == (
        GoldCount("labels", 3, 1, 2, 0),
    )


def test_a_word_without_a_piece_is_no_victim_of_truncation():
    # Five words, the fourth and fifth cut off; the second gave no piece. And a whole document with one such.
    seen = np.array([1, 0, 1, 0, 0, 1, 0], bool)
    encoded = make_encoded([9, 4], lost=[2, 0], num_words=np.array([5, 2]), word_seen=seen)
    tags = ["O", "B-LOC", "I-LOC", "B-PER", "O", "B-LOC", "I-LOC"]
    gold = Gold(np.array([NAMES.index(tag) for tag in tags]), word_offsets=np.array([0, 5, 7]))
    words, entities = count_gold(gold, encoded, label_names=NAMES)
    assert words == GoldCount("words", 7, 3, 2, 2)
    assert entities == GoldCount("entities", 3, 0, 1, 2)
    assert entities.line() == (
        "gold entities: 0 of 3 (0.0%) seen, 1 truncated, 2 without a piece (counted as missed)"
    )
