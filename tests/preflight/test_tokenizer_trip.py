"""To pieces and back, with every kind of tokenizer."""

from __future__ import annotations

import pytest

from headway.data.pieces import prepare
from headway.preflight.tokenizer_trip import SAMPLE, RoundTrip, round_trip, tokenizer_findings

TEXTS = ["The quick brown fox.", "they do not  agree, don't they", "short"]


def test_what_a_tokenizer_knows_is_read_back(tokenizer, table):
    trip = round_trip(prepare(tokenizer), table(text=TEXTS), seed=0)
    assert (trip.documents, trip.words) == (3, 11)
    assert (trip.unknown, trip.unknown_words, trip.read_back) == (0, {}, 3)
    expected = sum(len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in TEXTS)
    assert trip.pieces == expected


def test_words_are_read_back(tokenizer, table):
    words = [["The", "quick", "fox"], ["short"]]
    trip = round_trip(prepare(tokenizer), table(tokens=words), seed=0)
    assert (trip.words, trip.wordless, trip.read_back) == (4, 0, 2)


def test_unknown_pieces_are_counted_and_named(wordpiece_tokenizer, table):
    trip = round_trip(
        prepare(wordpiece_tokenizer), table(text=["the \u0436\u0436 fox \u0436\u0436", "the fox"]), seed=0
    )
    assert (trip.unknown, trip.unknown_words, trip.read_back) == (2, {"\u0436\u0436": 2}, 1)
    words = table(tokens=[["the", "\u0436"], ["fox"]])
    assert round_trip(prepare(wordpiece_tokenizer), words, seed=0).unknown_words == {"\u0436": 1}


def test_words_without_a_piece_are_counted(wordpiece_tokenizer, table):
    trip = round_trip(prepare(wordpiece_tokenizer), table(tokens=[["the", "\u200b", "fox"]]), seed=0)
    assert (trip.words, trip.wordless) == (3, 1)


def test_both_texts_of_a_pair_count(wordpiece_tokenizer, table):
    trip = round_trip(prepare(wordpiece_tokenizer), table(text=["the fox"], text_pair=["the \u0436"]), seed=0)
    assert (trip.documents, trip.words, trip.unknown, trip.read_back) == (1, 4, 1, 0)


def test_a_large_split_is_sampled_by_the_seed(wordpiece_tokenizer, table):
    rows = table(text=[" ".join(["the"] * (1 + number % 7)) for number in range(SAMPLE + 500)])
    tokenization = prepare(wordpiece_tokenizer)
    first, again, other = (round_trip(tokenization, rows, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert first.documents == SAMPLE


@pytest.mark.parametrize(("unknown", "count"), [(10, 0), (11, 1)])
def test_backbone_that_knows_too_little(unknown, count):
    trip = RoundTrip(5, 500, 1000, unknown, {"x" * 30: 9, "y": 1}, 0, 0)
    findings = list(tokenizer_findings({"train": trip}))
    assert len(findings) == count
    for finding in findings:
        assert finding.level == "warning"
        assert "`backbone` should know at least 99% of the pieces, got 1.1% unknown ones" in finding.message
        assert f"in train, most often '{'x' * 20}', 'y'" in finding.message
