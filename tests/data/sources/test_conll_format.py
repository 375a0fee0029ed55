import pytest

from headway.data.sources.conll_format import read_conll
from headway.types import DataError

CORPUS = """-DOCSTART- -X- O

EU NNP B-ORG
rejects VBZ O

Peter NNP B-PER

-DOCSTART- -X- O

Rare\u00a0 JJ O
"""


def read(text, **options):
    return list(read_conll(text.splitlines(keepends=True), origin="my.conll", **options))


def test_sentences_are_lists_and_document_starts_are_no_tokens():
    assert read(CORPUS) == [
        (3, {"0": ["EU", "rejects"], "1": ["NNP", "VBZ"], "2": ["B-ORG", "O"]}),
        (6, {"0": ["Peter"], "1": ["NNP"], "2": ["B-PER"]}),
        (10, {"0": ["Rare\u00a0"], "1": ["JJ"], "2": ["O"]}),
    ]


def test_documents_join_their_sentences():
    tokens = [record.values["0"] for record in read(CORPUS, by_document=True)]
    assert tokens == [["EU", "rejects", "Peter"], ["Rare\u00a0"]]


def test_a_document_start_ends_a_sentence_without_a_blank_line():
    assert [record.values["0"] for record in read("a X\n-DOCSTART- O\nb X\n")] == [["a"], ["b"]]


def test_runs_of_blanks_divide_columns_unless_a_delimiter_is_set():
    assert read("a \t  b\r\n") == [(1, {"0": ["a"], "1": ["b"]})]
    assert read("New York\tLOC\n\t\n", delimiter="\t") == [(1, {"0": ["New York"], "1": ["LOC"]})]


def test_columns_may_have_names():
    assert read("a b\n", columns=["token", "tag"]) == [(1, {"token": ["a"], "tag": ["b"]})]


def test_blank_lines_in_a_row_make_no_sentence():
    assert [record.line for record in read("\n\na X\n \n\t\nb X\n\n\n")] == [3, 6]


def test_a_ragged_line_is_an_error():
    with pytest.raises(DataError, match=r"my\.conll, line 3 must have 2 columns.*got 3"):
        read("a X\n\nb X Y\n")


def test_documents_need_a_start():
    with pytest.raises(DataError, match=r"my\.conll, line 2: a -DOCSTART- line must stand before.*'a'"):
        read("\na X\n\nb X\n", by_document=True)
