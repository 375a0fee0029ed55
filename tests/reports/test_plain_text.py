"""Nothing that data hold takes effect where it is shown."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.reports.csv_file import table_text
from headway.reports.plain_text import csv_cell, one_line, shown


@pytest.mark.parametrize(
    "text", ["\x1b[31mred\x1b[0m", "\x1b]0;title\x07red", "\x1b]8;;http://x\x1b\\red", "\x9b31mred"]
)
def test_escape_sequences_go(text):
    assert shown(text) == "red"


def test_what_is_left_of_controls_is_seen():
    assert (
        shown("a\x08b\x00c\rd")
        == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c\N{REPLACEMENT CHARACTER}d"
    )
    assert shown("a\u202eb") == "a\N{REPLACEMENT CHARACTER}b"  # would turn what follows round
    assert shown("a\tb\nc") == "a\tb\nc"


@given(st.text())
def test_no_escape_survives(text):
    assert not set(shown(text)) & {"\x1b", "\x9b", "\x07", "\x08", "\r"}


def test_one_line():
    assert one_line("a\n b\x1b[2J\t c") == "a b c"
    assert one_line("abcdef", 4) == "abc…"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "=cmd|'/c calc'!A0"]
)
def test_formulas_become_texts(text):
    assert csv_cell(text) == f"'{text}"


def test_numbers_stay_numbers():
    assert (csv_cell(-1.5), csv_cell(3), csv_cell(True), csv_cell(None)) == (-1.5, 3, True, "")
    assert csv_cell("a=b") == "a=b"


@given(
    st.lists(
        st.text(alphabet=st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\r")), min_size=1
    )
)
def test_a_table_reads_back_as_texts(row):
    found = next(iter(csv.reader(io.StringIO(table_text(row, [])))), [])
    assert [
        cell.removeprefix("'") if cell != kept else cell for cell, kept in zip(found, row, strict=False)
    ] == (row if any(row) or len(row) > 1 else found)
