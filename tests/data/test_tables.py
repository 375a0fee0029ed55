"""Where splits come from: named ones are read, missing ones are cut from train, and train gives way."""

from __future__ import annotations

import logging

import pytest

from headway.data.columns import canonical
from headway.data.roles import Roles
from headway.data.tables import SplitRules, examples_of, read_splits, read_table
from headway.types import ConfigError, DataError

ROLES = Roles(text="text", label="label")


class Shelf:
    """A source that holds tables by name and knows what was asked for."""

    def __init__(self, **tables):
        self.tables = tables
        self.asked = []

    def read(self, spec):
        self.asked.append(spec)
        return self.tables[spec]


@pytest.fixture
def shelf(make_table):
    def rows(first, count):
        texts = [f"text {number}" for number in range(first, first + count)]
        return make_table({"text": texts, "label": ["a", "b"] * (count // 2)})

    return Shelf(all=rows(0, 40), dev=rows(40, 6), exam=rows(46, 4))


def _texts(table):
    return table.column("text")


def test_named_splits_are_read_as_they_are(shelf):
    splits = read_splits(shelf, ROLES, SplitRules("all", "dev", "exam"))
    assert {name: len(table) for name, table in splits.items()} == {"train": 40, "validation": 6, "test": 4}
    assert list(splits) == ["train", "validation", "test"]
    assert shelf.asked == ["all", "dev", "exam"]


def test_a_missing_validation_is_cut_from_train_and_never_from_test(shelf):
    splits = read_splits(shelf, ROLES, SplitRules("all", None, "exam", validation_ratio=0.2))
    assert len(splits["validation"]) == 8
    assert sorted(_texts(splits["train"]) + _texts(splits["validation"])) == sorted(
        _texts(shelf.tables["all"])
    )
    assert _texts(splits["test"]) == _texts(shelf.tables["exam"])


def test_without_test_there_is_none(shelf):
    assert list(read_splits(shelf, ROLES, SplitRules("all", "dev"))) == ["train", "validation"]


def test_test_is_cut_before_validation_which_gets_its_share_of_the_rest(shelf):
    rules = SplitRules("all", validation_ratio=0.25, test_ratio=0.2)
    splits = read_splits(shelf, ROLES, rules)
    assert {name: len(table) for name, table in splits.items()} == {"train": 24, "validation": 8, "test": 8}
    together = [text for table in splits.values() for text in _texts(table)]
    assert sorted(together) == sorted(_texts(shelf.tables["all"]))


def test_the_seed_decides_what_is_cut(shelf):
    def validation(seed):
        return _texts(read_splits(shelf, ROLES, SplitRules("all", seed=seed))["validation"])

    assert validation(1) == validation(1)
    assert validation(1) != validation(2)


def test_train_rows_that_stand_in_another_split_are_dropped_and_counted(shelf, make_table, caplog):
    shelf.tables["dev"] = make_table({"text": ["text 3", "new"], "label": ["a", "b"]})
    rules = SplitRules("all", "dev", "exam", drop_duplicates_of="text")
    with caplog.at_level(logging.INFO):
        splits = read_splits(shelf, ROLES, rules)
    assert "text 3" not in _texts(splits["train"])
    assert (len(splits["train"]), len(splits["validation"])) == (39, 2)
    assert "train: dropped 1 rows whose text stands in another split" in caplog.text


def test_a_split_without_a_used_row_is_refused(shelf, make_table):
    shelf.tables["dev"] = make_table({"text": ["", " "], "label": ["a", "b"]}, origin="dev.csv")
    with pytest.raises(DataError, match=r"dev.csv must hold at least one row that is used, got none of 2"):
        read_splits(shelf, ROLES, SplitRules("all", "dev", on_empty="drop"))


def test_a_table_alone_may_come_without_answers(make_table):
    shelf = Shelf(new=make_table({"text": ["one", "two"]}))
    table = read_table(shelf, "new", ROLES, SplitRules("all"), require_target=False)
    assert table.column_names == ["id", "text"]
    with pytest.raises(DataError, match="label"):
        read_table(shelf, "new", ROLES, SplitRules("all"))


@pytest.mark.parametrize("key", ["validation_ratio", "test_ratio"])
@pytest.mark.parametrize("value", [0.0, 1.0, -0.5, 1, True, "0.1", float("nan")])
def test_a_ratio_out_of_range_names_its_key(key, value):
    with pytest.raises(ConfigError, match=rf"data\.{key}` must be in \(0, 1\)"):
        SplitRules("all", **{key: value})


def test_no_validation_needs_a_ratio():
    with pytest.raises(ConfigError, match=r"data\.validation_ratio` must be in \(0, 1\), got None"):
        SplitRules("all", validation_ratio=None)
    assert SplitRules("all", "dev", validation_ratio=None).validation == "dev"


def test_test_is_either_read_or_cut():
    with pytest.raises(ConfigError, match=r"data\.test_ratio` must be null beside data\.test='exam'"):
        SplitRules("all", test="exam", test_ratio=0.1)


@pytest.mark.parametrize("inputs", [("text",), ("text", "text_pair"), ("tokens",)])
def test_what_is_encoded_are_the_inputs_alone(make_table, inputs):
    raw = make_table({**dict.fromkeys(inputs, ["a b", "c"]), "label": ["x", "y"]})
    roles = Roles(**{"text": None, **{name: name for name in inputs}}, label="label")
    table = canonical(raw, roles, replace={}, on_empty="error", drop_unlabelled=False, require_target=True)
    assert tuple(examples_of(table)) == inputs
    assert examples_of(table)[inputs[0]] == ([["a", "b"], ["c"]] if inputs == ("tokens",) else ["a b", "c"])
