import datetime
import decimal
import io

import pyarrow as pa
import pytest
from pyarrow import parquet

from headway.data.sources.parquet_format import ROWS_PER_BATCH, read_parquet
from headway.types import DataError


def written(**columns):
    stream = io.BytesIO()
    parquet.write_table(pa.table(columns), stream)
    return stream.getvalue()


def read(content):
    return list(read_parquet(io.BytesIO(content), origin="my.parquet"))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array(["NA", "01", None]), ["NA", "01", None]),
        (pa.array([1, -2, None]), ["1", "-2", None]),
        (pa.array([1.0, 0.1, None]), ["1.0", "0.1", None]),
        (pa.array([0.1, None], pa.float32()), ["0.1", None]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array([datetime.date(2024, 1, 2)]), ["2024-01-02"]),
        (pa.array([decimal.Decimal("1.50")]), ["1.50"]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.array([["a", "b"], [], None]), [["a", "b"], [], None]),
        (pa.array([[1, 2]]), [["1", "2"]]),
        (pa.array([{"x": 1}]), [{"x": 1}]),
    ],
)
def test_typed_values_become_the_text_they_stand_for(column, expected):
    assert [record.values["a"] for record in read(written(a=column))] == expected


def test_rows_are_numbered_across_batches():
    count = 2 * ROWS_PER_BATCH + 1
    records = read(written(a=[str(number) for number in range(count)], b=["x"] * count))
    assert [record.line for record in records] == list(range(1, count + 1))
    assert records[-1].values == {"a": str(count - 1), "b": "x"}


@pytest.mark.parametrize("content", [b"", b"text,label\na,b\n", written(a=["x" * 1000] * 1000)[:-50]])
def test_a_damaged_file_is_an_error(content):
    with pytest.raises(DataError, match=r"my\.parquet must be a whole Parquet file"):
        read(content)


@pytest.mark.parametrize("text", [b"value", b"name"])
def test_bytes_that_are_no_utf8_are_an_error(text):
    content = written(name=["value"])
    damaged = content.replace(text, b"\xff" * len(text))
    assert damaged != content
    with pytest.raises(DataError, match=r"my\.parquet must be a whole Parquet file"):
        read(damaged)
