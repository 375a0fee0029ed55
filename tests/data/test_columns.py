import logging

import numpy as np
import pytest

from headway.data.columns import canonical
from headway.data.roles import Roles
from headway.data.table import Table
from headway.types import DataError


def run(table, roles, *, replace=None, on_empty="error", drop_unlabelled=False, require_target=True):
    roles.validate(replace=replace, on_empty=on_empty)
    return canonical(
        table,
        roles,
        replace=replace or {},
        on_empty=on_empty,
        drop_unlabelled=drop_unlabelled,
        require_target=require_target,
    )


def test_columns_get_their_canonical_names_and_nothing_else_stays(make_table):
    table = make_table(
        {"body": ["NA", "007"], "more": ["x", "None"], "topic": ["01", "null"], "junk": ["", ""]}
    )
    done = run(table, Roles(text="body", text_pair="more", label="topic"))
    assert done.column_names == ["id", "text", "text_pair", "label"]
    assert done.rows[:] == {
        "id": ["2", "3"],
        "text": ["NA", "007"],
        "text_pair": ["x", "None"],
        "label": ["01", "null"],
    }
    assert done.where(1) == table.where(1) == "rows.csv, line 3"


def test_numbers_name_columns_without_header(make_table):
    done = run(make_table({"0": ["a"], "1": ["x"]}), Roles(text=0, label=1))
    assert done.rows[0] == {"id": "2", "text": "a", "label": "x"}


def test_a_missing_column_lists_those_there_are(make_table):
    table = make_table({"body": ["a"], "topic": ["x"]})
    message = (
        r"`data.label` must be a column of rows.csv \(body, topic\), got 'topics' \(did you mean 'topic'\?\)"
    )
    with pytest.raises(DataError, match=message):
        run(table, Roles(text="body", label="topics"))


@pytest.mark.parametrize("blank", [None, "", " \t\n"])
@pytest.mark.parametrize("role", ["text", "text_pair"])
def test_blank_text_stops_or_is_dropped(make_table, caplog, blank, role):
    columns = {"text": ["a", "b", "c"], "text_pair": ["d", "e", "f"], "y": ["1", "2", "1"]}
    columns[role] = ["a", blank, "c"]
    roles = Roles(text="text", text_pair="text_pair", label="y")
    message = rf"rows.csv, line 3, column '{role}' must hold text .* 1 of 3 rows; .* data.on_empty=drop"
    with pytest.raises(DataError, match=message):
        run(make_table(columns), roles)
    with caplog.at_level(logging.INFO):
        done = run(make_table(columns), roles, on_empty="drop")
    assert done.column("id") == ["2", "4"]
    assert done.where(1) == "rows.csv, line 4"
    assert "dropped 1 rows without text" in caplog.text


@pytest.mark.parametrize(
    ("target", "values"),
    [("label", ["x", ""]), ("label", ["x", None]), ("score", ["1", " "]), ("labels", ["x", None])],
)
def test_rows_without_target_stop_or_are_dropped(make_table, target, values):
    table = make_table({"text": ["a", "b"], "y": values})
    roles = Roles(text="text", **{target: "y"})
    with pytest.raises(
        DataError, match=f"line 3, column 'y' must hold a target .data.{target}.*data.drop_unlabelled"
    ):
        run(table, roles)
    assert run(table, roles, drop_unlabelled=True).column("id") == ["2"]


def test_prediction_needs_no_target(make_table):
    roles = Roles(text="text", label="y")
    assert run(make_table({"text": ["a"]}), roles, require_target=False).column_names == ["id", "text"]
    blank = make_table({"text": ["a"], "y": [""]})
    assert run(blank, roles, require_target=False).column_names == ["id", "text"]


def test_changes_of_values_are_made_on_whole_values(make_table):
    table = make_table({"text": ["a 2", "2", "b"], "y": ["2", "1", "0"]})
    done = run(table, Roles(text="text", labels=["y"]), replace={"y": {2: True}})
    assert done.column("labels") == [["y"], ["y"], []]
    assert done.column("text") == ["a 2", "2", "b"]
    dropped = run(table, Roles(text="text", label="y"), replace={"y": {"2": None}}, drop_unlabelled=True)
    assert dropped.column("label") == ["1", "0"]


def test_changes_reach_into_lists(make_table):
    table = make_table({"w": [["a", "b"]], "t": [["B-GPE", "O"]]})
    roles = Roles(tokens="w", tags="t", scheme="IOB2")
    assert run(table, roles, replace={"t": {"B-GPE": "B-LOC"}}).column("tags") == [["B-LOC", "O"]]


def test_words_are_lists_or_parted_by_blanks(make_table):
    lists = make_table({"w": [["EU", " ", "rejects"]], "t": [["B-ORG", "O", "O"]]})
    texts = make_table({"w": ["EU  rejects\tit"], "t": ["B-ORG O O"]})
    roles = Roles(tokens="w", tags="t", scheme="IOB2")
    assert run(lists, roles).column("tokens") == [["EU", " ", "rejects"]]  # a blank word keeps its place
    assert run(texts, roles).column("tokens") == [["EU", "rejects", "it"]]


@pytest.mark.parametrize("blank", [None, [], ["", " "]])
def test_rows_without_words_stop_or_are_dropped(make_table, blank):
    table = make_table({"w": [["a"], blank], "y": ["x", "y"]})
    roles = Roles(tokens="w", label="y")
    with pytest.raises(DataError, match=r"line 3, column 'w' must hold words \(data.tokens\)"):
        run(table, roles)
    assert len(run(table, roles, on_empty="drop")) == 1


def test_a_list_written_as_text_is_not_split(make_table):
    table = make_table({"w": ["['EU', 'rejects']"], "y": ["x"]})
    with pytest.raises(
        DataError, match="line 2, column 'w' must hold words parted by blanks, got a list written"
    ):
        run(table, Roles(tokens="w", label="y"))


def test_words_and_tags_must_be_as_many(make_table):
    table = make_table({"w": [["a"], ["b", "c"]], "t": [["NN"], ["NN"]]})
    message = "line 3, column 't' must hold one tag a word .* got 1 tags for the 2 words of column 'w'"
    with pytest.raises(DataError, match=message):
        run(table, Roles(tokens="w", tags="t"))


def test_lists_are_no_text(make_table):
    table = make_table({"text": [["a", "b"]], "y": ["x"]})
    with pytest.raises(
        DataError, match=r"column 'text' must hold text \(data.text\), got \['a', 'b'\]; for words"
    ):
        run(table, Roles(text="text", label="y"))


def test_ids_come_from_their_column_and_are_unique(make_table):
    roles = Roles(id="n", text="text", label="y")
    columns = {"n": ["r1", "r2"], "text": ["a", "b"], "y": ["x", "x"]}
    assert run(make_table(columns), roles).column("id") == ["r1", "r2"]
    with pytest.raises(DataError, match="line 3, column 'n' .* got 'r1' as in rows.csv, line 2"):
        run(make_table(columns | {"n": ["r1", "r1"]}), roles)
    with pytest.raises(DataError, match="line 3, column 'n' must hold a name .* got ''"):
        run(make_table(columns | {"n": ["r1", ""]}), roles)


def test_rows_that_are_files_are_named_after_them(make_table):
    table = make_table({"text": ["a", "b"], "y": ["x", "x"]}, origin="reviews")
    folder = Table(table.rows, "reviews", np.array([1, 1]), files=("pos/1.txt", "neg/1.txt"))
    assert run(folder, Roles(text="text", label="y")).column("id") == ["pos/1.txt", "neg/1.txt"]


def test_no_row_may_be_left(make_table):
    done = run(make_table({"text": [""], "y": ["x"]}), Roles(text="text", label="y"), on_empty="drop")
    assert len(done) == 0
    assert done.column_names == ["id", "text", "label"]
