import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data.sources.csv_format import read_csv
from headway.types import DataError


def records(text, **options):
    return list(read_csv(io.StringIO(text, newline=""), origin="my.csv", **options))


def rows(text, **options):
    return [list(record.values.values()) for record in records(text, **options)]


def test_values_stay_the_text_they_are():
    values = ["NA", "null", "None", "nan", "01", "True", "007", "1.0", "", " x "]
    assert rows("a,b\n" + "".join(f"{value},y\n" for value in values)) == [[value, "y"] for value in values]


def test_quotes_hold_delimiters_quotes_and_line_ends():
    text = 'text,label\r\n"a, ""b""\r\nc",x\r\nd,y\r\n'
    assert records(text) == [(2, {"text": 'a, "b"\r\nc', "label": "x"}), (4, {"text": "d", "label": "y"})]


def test_blank_lines_are_skipped_and_counted():
    assert records("a,b\n\n1,2\n\n\n3,4\n") == [(3, {"a": "1", "b": "2"}), (6, {"a": "3", "b": "4"})]


def test_without_header_columns_are_numbered_or_named():
    assert records("1,2\n", header=False) == [(1, {"0": "1", "1": "2"})]
    assert records("1,2\n", header=False, columns=["x", "y"]) == [(1, {"x": "1", "y": "2"})]


def test_rows_above_the_header_are_skipped():
    assert records("made by\nus,them,you\na,b\n1,2\n", skip_rows=2) == [(4, {"a": "1", "b": "2"})]


def test_quotes_may_mean_nothing():
    assert rows('"a\tb"c\n', header=False, delimiter="\t", quoted=False) == [['"a', 'b"c']]


def test_a_field_may_be_longer_than_the_csv_module_likes():
    text = "x" * 10_000_000
    assert rows(f'a,b\n"{text}",1\n') == [[text, "1"]]


@pytest.mark.parametrize("row", ["1", "1,2,3"])
def test_a_ragged_row_is_an_error(row):
    count = row.count(",") + 1
    with pytest.raises(DataError, match=rf"my\.csv, line 3 must have 2 columns \['a', 'b'\], got {count}"):
        records(f"a,b\n1,2\n{row}\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a,b\n1,2\n"open,3\n4,5\n6,7\n', 3),
        ('a,b\n"two\nlines","open\nto\nthe end\n', 3),
        ('a,b\n1,2\n3,"open\n4,"closed" and more\n', 3),
        ('a,b\n"say "hi" there",2\n', 2),
    ],
)
def test_a_quote_that_does_not_close_is_named_where_it_opens(text, line):
    with pytest.raises(DataError, match=rf"my\.csv, line {line}: a quoted field must be closed"):
        records(text)


@pytest.mark.parametrize(("mark", "called"), [(";", "semicolon"), ("\t", "tab"), ("|", "bar")])
def test_another_delimiter_is_suspected(mark, called):
    text = f"text{mark}label\nx{mark}y\n"
    with pytest.raises(DataError, match=rf"set data\.source\.delimiter={called}"):
        records(text)


def test_one_column_is_fine():
    assert rows("text\nyes; no\n") == [["yes; no"]]


def test_a_repeated_column_is_an_error():
    with pytest.raises(
        DataError, match=r"my\.csv, line 1: each column must have a name of its own, got \['a'\]"
    ):
        records("a,b,a\n1,2,3\n")


@pytest.mark.parametrize(("text", "skip_rows"), [("", 0), ("\n\n", 0), ("a,b\n", 1)])
def test_an_empty_file_is_an_error(text, skip_rows):
    with pytest.raises(DataError, match=r"my\.csv must hold rows, got none"):
        records(text, skip_rows=skip_rows)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(st.lists(st.lists(texts, min_size=2, max_size=2), min_size=1, max_size=5), st.sampled_from(",;\t|"))
def test_what_the_csv_module_writes_is_read_back(table, delimiter):
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(table)
    assert rows(stream.getvalue(), header=False, delimiter=delimiter) == table


@given(st.lists(st.lists(texts, min_size=2, max_size=2), min_size=1, max_size=5))
def test_each_record_names_the_line_it_starts_on(table):
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
    starts = []
    for row in table:
        text = stream.getvalue().replace("\r\n", "\n").replace("\r", "\n")
        starts.append(text.count("\n") + 1)
        writer.writerow(row)
    assert [record.line for record in records(stream.getvalue(), header=False)] == starts
