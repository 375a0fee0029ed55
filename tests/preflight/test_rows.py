"""Rows that repeat and rows without text, one by one."""

from __future__ import annotations

import pytest

from headway.preflight.rows import KINDS, kinds_of, row_facts, row_findings

ODD = {
    "": ["blank"],
    " \t\n": ["blank"],
    "\x07\x1b": ["control"],
    "\u200b\u200d": ["zero_width"],
    " \ufeff": ["zero_width"],
    "a\x00b": ["nul"],
    "\x00": ["nul", "control"],
    "caf\ufffd": ["replacement"],
    "x" * 1001: ["long_word"],
    "=-" * 30 + " ab": ["symbols"],
}


@pytest.mark.parametrize("text", list(ODD))
def test_odd_texts(text):
    assert list(kinds_of(text)) == ODD[text]


@pytest.mark.parametrize(
    "text",
    [
        "plain words, and a number: 12.5 %",
        ":-)",  # short
        "\u6f22\u5b57" * 600,  # Chinese parts no words
        "\u0e01\u0e34\u0e19" * 400,  # nor does Thai, whose vowels are no letters to Unicode
        "\u0928\u092e\u0938\u094d\u0924\u0947 " * 20,
        "x" * 1000,
        "caf\u00e9 \u200dwith an invisible one",
    ],
)
def test_texts_that_are_not_odd(text):
    assert list(kinds_of(text)) == []


def test_every_kind_has_its_words():
    assert {kind for kinds in ODD.values() for kind in kinds} == set(KINDS)


def test_repeats_and_overlaps_are_counted(table):
    tables = {
        "train": table(text=["a  b", "A b", "c", "a b"], label=["x", "x", "y", "y"]),
        "validation": table(text=["c", "c", "d"], label=["y", "y", "x"]),
        "test": table(text=["e"], label=["x"]),
    }
    splits = row_facts(tables, role="label").splits
    train, validation = splits["train"], splits["validation"]
    assert (train.documents, train.repeats, train.contradictions) == (4, 2, 1)
    assert train.also_in == {"validation": 1, "test": 0}
    assert (validation.repeats, validation.also_in) == (1, {"train": 2, "test": 0})


def _message(tables, role="label"):
    (finding,) = row_findings(row_facts(tables, role=role))
    assert finding.level == "warning"
    return finding.message


def test_data_text_names_file_row_and_count(table):
    texts = ["fine", "caf\ufffd", "na\ufffdve"]
    message = _message({"train": table(text=texts, label=["x", "y", "x"])})
    assert "`data.text` should hold readable text, got the replacement character U+FFFD" in message
    assert "in 2 rows of train, first in rows.csv, line 3" in message


def test_data_text_pair_is_looked_at(table):
    tables = {"test": table(text=["a"], text_pair=["\u200b"], label=["x"])}
    assert "`data.text_pair` should hold readable text, got only characters without width" in _message(tables)


def test_data_tokens_are_looked_at_word_by_word(table):
    tables = {"train": table(tokens=[["a", "b"], ["\u200b", "b"]], tags=[["O", "O"], ["O", "O"]])}
    message = _message(tables, role="tags")
    assert "`data.tokens`" in message
    assert "in a word in 1 row of train, first in rows.csv, line 3" in message


def test_a_word_of_symbols_is_fine_and_a_document_of_them_is_not(table):
    def facts(words):
        return row_facts({"train": table(tokens=[words], tags=[["O"] * len(words)])}, role="tags").odd

    assert facts(["-" * 30, *["word"] * 10]) == ()
    assert [odd.kind for odd in facts(["-" * 30, "word"])] == ["symbols"]
