import gzip
import io

import pytest

from headway.data.sources.options import FileOptions
from headway.types import ConfigError, DataError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "cvs"}, r"`data\.source\.format` must be null or one of .* \(did you mean 'csv'\?\)"),
        ({"format": 1}, r"`data\.source\.format` must be str or null, got 1"),
        (
            {"delimiter": "dash"},
            r"`data\.source\.delimiter` must be null, one character or one of .* got 'dash'",
        ),
        ({"header": "yes"}, r"`data\.source\.header` must be bool, got 'yes'"),
        ({"skip_rows": True}, r"`data\.source\.skip_rows` must be int, got True"),
        ({"skip_rows": -1}, r"`data\.source\.skip_rows` must be 0 or more"),
        ({"quoted": None}, r"`data\.source\.quoted` must be bool, got None"),
        ({"by_document": 1}, r"`data\.source\.by_document` must be bool"),
        ({"columns": "text"}, r"`data\.source\.columns` must be null or a list of str, got 'text'"),
        ({"columns": [0, 1]}, r"`data\.source\.columns` must be null or a list of str"),
        ({"columns": ["a", "a"]}, r"`data\.source\.columns` must be null or names that differ"),
        ({"columns": []}, r"`data\.source\.columns` must be null or names that differ"),
        (
            {"format": "csv", "columns": ["a"]},
            r"`data\.source\.columns` must be null where data\.source\.header",
        ),
        (
            {"encoding": "utf-9"},
            r"`data\.source\.encoding` must be an encoding that Python knows, got 'utf-9'",
        ),
        ({"fallback_encoding": "x"}, r"`data\.source\.fallback_encoding` must be an encoding"),
        ({"rename": ["a"]}, r"`data\.source\.rename` must be null or a mapping"),
        (
            {"format": "jsonl", "delimiter": ";"},
            r"`data\.source\.delimiter` must be left out for the format jsonl",
        ),
        (
            {"format": "conll", "header": False},
            r"`data\.source\.header` must be left out for the format conll",
        ),
        (
            {"format": "csv", "by_document": True},
            r"`data\.source\.by_document` must be left out for the format csv",
        ),
        (
            {"format": "parquet", "encoding": "cp1252"},
            r"`data\.source\.encoding` must be left out for the format",
        ),
        (
            {"format": "folder", "rename": {"a": "b"}},
            r"`data\.source\.rename` must be left out for the format folder",
        ),
    ],
)
def test_wrong_options_are_errors_at_construction(options, message):
    with pytest.raises(ConfigError, match=message):
        FileOptions(**options)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", "csv"),
        ("a.TSV", "tsv"),
        ("a.tab", "tsv"),
        ("a.json", "json"),
        ("a.jsonl.gz", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.parquet", "parquet"),
        ("a.conll", "conll"),
    ],
)
def test_the_suffix_tells_the_format(name, expected):
    assert FileOptions().format_of(name) == expected


def test_a_set_format_goes_before_the_suffix():
    assert FileOptions(format="conll").format_of("train.txt") == "conll"


def test_a_suffix_that_tells_nothing_is_an_error():
    with pytest.raises(ConfigError, match=r"`data\.source\.format` must be set for 'train\.txt'"):
        FileOptions().format_of("train.txt")


def test_options_are_checked_against_the_suffix_too():
    with pytest.raises(ConfigError, match=r"`data\.source\.delimiter` must be left out for the format json"):
        FileOptions(delimiter=";").format_of("a.json")


def read(content, name, **options):
    return list(FileOptions(**options).records(io.BytesIO(content), name=name))


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.csv", b"text,label\nx,y\n", {}),
        ("a.csv", b"text;label\nx;y\n", {"delimiter": ";"}),
        ("a.csv", b"text;label\nx;y\n", {"delimiter": "semicolon"}),
        ("a.csv", b"text\tlabel\nx\ty\n", {"delimiter": "tab"}),
        ("a.csv", b"# made by us\nx,y\n", {"skip_rows": 1, "header": False, "columns": ["text", "label"]}),
        ("a.tsv", b"text\tlabel\nx\ty\n", {}),
        ("a.json", b'[{"text": "x", "label": "y"}]', {}),
        ("a.jsonl", b'{"text": "x", "label": "y"}\n', {}),
        ("a.csv.gz", gzip.compress(b"text,label\nx,y\n", mtime=0), {}),
        ("a.csv", "text,label\nx,y\n".encode("utf-16"), {"encoding": "utf-16"}),
        ("a.csv", b"body,topic\nx,y\n", {"rename": {"body": "text", "topic": "label", "other": "z"}}),
    ],
)
def test_every_format_gives_the_same_record(name, content, options):
    assert [record.values for record in read(content, name, **options)] == [{"text": "x", "label": "y"}]


def test_lines_are_texts():
    assert read(b"one\r\n\ntwo", "stdin", format="lines") == [
        (1, {"text": "one"}),
        (2, {"text": ""}),
        (3, {"text": "two"}),
    ]


def test_a_new_name_must_not_be_taken():
    with pytest.raises(DataError, match=r"a\.csv, line 2: `data\.source\.rename` .* got \['b'\]"):
        read(b"a,b\n1,2\n", "a.csv", rename={"a": "b"})


def test_records_come_as_the_stream_is_read():
    class Endless(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            row = b'{"text": "x"}\n'
            buffer[: len(row)] = row
            return len(row)

    records = FileOptions(format="jsonl").records(io.BufferedReader(Endless(), 64), name="stdin")
    assert [next(records).line for _ in range(3)] == [1, 2, 3]
