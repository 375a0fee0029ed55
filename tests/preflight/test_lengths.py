"""What is said of lengths."""

from __future__ import annotations

import pytest

from headway.data.encoding import EncodingSpec, encode
from headway.data.lengths import length_report
from headway.preflight.lengths import length_facts, length_findings


@pytest.fixture
def facts(wordpiece_tokenizer):
    """Return a function: (words of each document, truncation) -> facts of windows of 10 tokens."""

    def make(counts, truncation="longest_first", overlap=0, limit=64):
        spec = EncodingSpec(10, truncation, overlap, "first", token_type_ids=False)
        texts = [" ".join(["the"] * count) for count in counts]
        report = length_report("train", encode(wordpiece_tokenizer, {"text": texts}, spec))
        return length_facts({"train": report}, spec, num_special=2, model_limit=limit)

    return make


def test_windows_have_a_step_and_a_mean(facts):
    found = facts([8, 12], "windows", overlap=3)
    assert (found.room, found.step) == (8, 5)
    assert found.splits["train"]["mean_windows"] == 1.5
    assert found.splits["train"]["most_windows"] == 2
    assert list(length_findings(found)) == []


def test_data_max_length_that_truncates_too_much(facts):
    found = facts([8] * 18 + [9, 30])
    assert found.step is None
    (finding,) = length_findings(found)
    assert finding.level == "warning"
    assert "`data.max_length` should hold 95% of the documents whole, got 10" in finding.message
    assert "truncates 10.0% of train; raise it to 11, or set data.truncation=windows" in finding.message


def test_a_length_that_the_model_lacks_is_not_advised(facts):
    (finding,) = length_findings(facts([30], limit=20))
    assert "truncates 100.0% of train; set data.truncation=windows" in finding.message


def test_one_document_of_twenty_may_be_truncated(facts):
    assert list(length_findings(facts([8] * 19 + [30]))) == []
