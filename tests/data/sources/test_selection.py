import pytest

from headway.data.sources.selection import Selection, selected, split_spec
from headway.data.sources.source import Record
from headway.types import DataError

RECORDS = [Record(2, {"split": "train", "a": "x"}), Record(3, {"split": "test", "a": "y"})]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("all.csv", ("all.csv", None)),
        ("all.csv@split:train", ("all.csv", ("split", "train"))),
        ("a.tar.gz!b.csv@is it:", ("a.tar.gz!b.csv", ("is it", ""))),
        ("me@home/all.csv", ("me@home/all.csv", None)),
        ("a@b.csv@time:12:30", ("a@b.csv", ("time", "12:30"))),
    ],
)
def test_a_spec_is_a_file_and_perhaps_rows_of_it(spec, expected):
    assert split_spec(spec) == expected


def test_rows_are_taken_by_a_column():
    assert list(selected(iter(RECORDS), Selection("split", "test"), "my.csv")) == [RECORDS[1]]


def test_a_missing_column_is_an_error():
    with pytest.raises(
        DataError,
        match=r"my\.csv, line 2: .* one of \['split', 'a'\], got 'spilt' \(did you mean 'split'\?\)",
    ):
        list(selected(iter(RECORDS), Selection("spilt", "test"), "my.csv"))


def test_a_value_that_never_comes_is_an_error():
    with pytest.raises(
        DataError,
        match=r"column 'split' must hold 'tset' .*got \['test', 'train'\] \(did you mean 'test'\?\)",
    ):
        list(selected(iter(RECORDS), Selection("split", "tset"), "my.csv"))
