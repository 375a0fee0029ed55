import pytest

from headway.data.sources.source import Record
from headway.data.table import ROWS_PER_CHUNK, Table
from headway.types import DataError


def table_of(*rows, **options):
    records = [Record(line, values) for line, values in enumerate(rows, start=2)]
    return Table.from_records(records, origin="my.jsonl", **options)


def test_columns_hold_text_none_and_lists():
    table = table_of({"a": "x", "b": ["y", "z"]}, {"a": None, "b": None}, {"a": "", "b": []})
    assert table.column_names == ["a", "b"]
    assert table.column("a") == ["x", None, ""]
    assert table.column("b") == [["y", "z"], None, []]


def test_a_key_that_comes_late_is_none_before():
    rows = [{"a": "x"}] * (ROWS_PER_CHUNK + 1)
    table = table_of(*rows, {"a": "y", "b": ["z"]}, {"a": "y"})
    assert len(table) == ROWS_PER_CHUNK + 3
    assert table.column("b") == [None] * (ROWS_PER_CHUNK + 1) + [["z"], None]


def test_a_column_without_any_value_is_none():
    assert table_of({"a": None}, {"a": None}).column("a") == [None, None]


def test_rows_know_where_they_came_from():
    table = table_of({"a": "x"}, {"a": "y"}, {"a": "z"})
    chosen = table.select([2, 0])
    assert table.where(1) == "my.jsonl, line 3"
    assert chosen.column("a") == ["z", "x"]
    assert [chosen.where(row) for row in range(2)] == ["my.jsonl, line 4", "my.jsonl, line 2"]
    assert table_of({"a": "x"}, unit="row").where(0) == "my.jsonl, row 2"


def test_an_unknown_column_lists_those_there_are_and_the_nearest():
    with pytest.raises(
        DataError, match=r"one of \['text', 'label'\], got 'lable' \(did you mean 'label'\?\)"
    ):
        table_of({"text": "x", "label": "y"}).column("lable")


@pytest.mark.parametrize(
    ("late", "message"),
    [
        ({"b": 1}, r"line 2, column 'a' must hold text or a list of text in every row, got \{'b': 1\}"),
        (["x", {"b": 1}], r"line 2, column 'a' must hold text or a list of text"),
    ],
)
def test_a_nested_column_is_an_error_only_if_it_is_used(late, message):
    table = table_of({"a": late, "text": "x"})
    assert table.column("text") == ["x"]
    with pytest.raises(DataError, match=message):
        table.column("a")


def test_a_column_of_two_kinds_names_the_row_that_differs():
    rows = [{"a": "x"}] * ROWS_PER_CHUNK
    table = table_of(*rows, {"a": None}, {"a": ["y"]}, {"a": {"b": 1}})
    line = ROWS_PER_CHUNK + 3
    with pytest.raises(
        DataError, match=rf"my\.jsonl, line {line}, column 'a' must hold text in every row, got a list"
    ):
        table.column("a")
    assert "line" in table.select([0]).flaws["a"]


def test_no_row_is_an_error():
    with pytest.raises(DataError, match=r"my\.jsonl must hold at least one row, got none"):
        table_of()


def test_a_column_s_name_with_nul_is_an_error_that_names_the_line():
    records = [Record(1, {"a": "x"}), Record(2, {"a": "y", "b\0": "z"})]
    with pytest.raises(DataError, match=r"my\.jsonl, line 2: a column's name must be .*got 'b\\x00'"):
        Table.from_records(records, origin="my.jsonl")
