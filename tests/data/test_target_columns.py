import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data.roles import Roles
from headway.data.target_columns import READERS
from headway.types import DataError


def read(make_table, columns, **roles):
    """Read the one target among `roles` as canonical() does."""
    wanted = Roles(text="text", **roles)
    count = len(next(iter(columns.values())))
    table = make_table({"text": ["a"] * count, **columns})
    values = [table.column(name) for name in wanted.columns_of(wanted.target)]
    return READERS[wanted.target](table, wanted, values)


def test_labels_are_kept_as_written(make_table):
    assert read(make_table, {"y": [" a", "01", "", None]}, label="y") == [" a", "01", None, None]


def test_a_class_is_one_text(make_table):
    with pytest.raises(DataError, match=r"line 2, column 'y' must hold one class .* data.labels"):
        read(make_table, {"y": [["a", "b"]]}, label="y")


def test_columns_of_0_and_1_name_the_labels(make_table):
    columns = {"x": ["1", "0", "true", ""], "y": ["1", "0", "False", None]}
    assert read(make_table, columns, labels=["y", "x"]) == [["y", "x"], [], ["x"], None]


@pytest.mark.parametrize("value", ["2", "yes", "1.0"])
def test_other_values_than_0_and_1_are_refused(make_table, value):
    columns = {"x": ["1", "0"], "y": ["0", value]}
    with pytest.raises(
        DataError, match=f"line 3, column 'y' must hold 0 or 1 .* got '{value}'.*data.replace.y"
    ):
        read(make_table, columns, labels=["x", "y"])


def test_a_row_labelled_in_part_is_refused(make_table):
    with pytest.raises(DataError, match="line 3, column 'y' must hold 0 or 1 .* got ''"):
        read(make_table, {"x": ["1", "0"], "y": ["0", ""]}, labels=["x", "y"])


def test_delimited_names_are_parted_and_stripped(make_table):
    values = ["a, b", "", " ,a,,a", None]
    assert read(make_table, {"y": values}, labels="y") == [["a", "b"], [], ["a"], None]
    assert read(make_table, {"y": ["a, b|c"]}, labels="y", label_delimiter="|") == [["a, b", "c"]]
    assert read(make_table, {"y": [["a,b", "c"], []]}, labels="y") == [["a,b", "c"], []]


@given(score=st.floats(allow_nan=False, allow_infinity=False))
def test_scores_come_back_exactly(make_table, score):
    assert read(make_table, {"y": [repr(score)]}, score="y") == [score]


@pytest.mark.parametrize("value", ["nan", "inf", "3,5", "1_000", "good", "1e999"])
def test_a_score_is_a_finite_number(make_table, value):
    with pytest.raises(DataError, match=f"line 3, column 'y' must hold a finite number .* got '{value}'"):
        read(make_table, {"y": ["1.5", value]}, score="y")


def test_tags_come_in_their_scheme_and_leave_in_iob2(make_table):
    rows = [["I-PER", "O"], None, "I-LOC B-LOC"]
    tags = read(make_table, {"y": rows[:2]}, tags="y", scheme="IOB1")
    assert tags == [["B-PER", "O"], None]
    assert read(make_table, {"y": rows[2:]}, tags="y", scheme="IOB1") == [["B-LOC", "B-LOC"]]


def test_plain_tags_are_left_alone(make_table):
    assert read(make_table, {"y": [["NN", "-LRB-", "O"]]}, tags="y") == [["NN", "-LRB-", "O"]]


def test_tags_that_break_their_scheme_are_named_with_their_place(make_table):
    message = "line 3, column 'y' must hold tags of data.scheme=IOB2, got 'I-PER' at word 1 cannot follow 'O'"
    with pytest.raises(DataError, match=message):
        read(make_table, {"y": [["O"], ["O", "I-PER"]]}, tags="y", scheme="IOB2")


def test_spans_need_a_scheme(make_table):
    with pytest.raises(DataError, match="`data.scheme` must be one of IOB1, IOB2, BIOES .* got null"):
        read(make_table, {"y": [["O"], ["B-PER", "O"]]}, tags="y")


def test_a_blank_tag_is_refused(make_table):
    with pytest.raises(DataError, match="line 2, column 'y' must hold a tag for every word"):
        read(make_table, {"y": [["NN", ""]]}, tags="y")
