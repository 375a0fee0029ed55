import pytest

from headway.data.roles import Roles
from headway.types import ConfigError


@pytest.mark.parametrize(
    ("roles", "target"),
    [
        (Roles(text="body", label="topic"), "label"),
        (Roles(text="a", text_pair="b", score="s", id="n"), "score"),
        (Roles(text="a", labels=["x", "y"]), "labels"),
        (Roles(text="a", labels="names"), "labels"),
        (Roles(tokens=0, tags=3, scheme="IOB1"), "tags"),
        (Roles(tokens="words", label="topic"), "label"),
    ],
)
def test_roles_that_fit_have_a_target(roles, target):
    roles.validate(target=target)
    assert roles.target == target


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        (
            Roles(text="a"),
            "exactly one of data.label, data.labels, data.score, data.tags must be set, got none",
        ),
        (Roles(text="a", label="b", score="c"), "exactly one of .* got data.label='b', data.score='c'"),
        (Roles(label="b"), "`data.text` or `data.tokens` must name a column"),
        (
            Roles(text="a", tokens="w", label="b"),
            "only one of `data.text` and `data.tokens` .* data.text=null",
        ),
        (Roles(tokens="w", text_pair="p", label="b"), "`data.text_pair` must stand beside data.text"),
        (Roles(text="a", tags="t"), "`data.tokens` must name the column of words"),
        (Roles(tokens="w", tags="t", scheme="IOB"), "`data.scheme` must be IOB1, IOB2, BIOES .* got 'IOB'"),
        (Roles(text="a", label="b", scheme="IOB2"), "`data.scheme` must be .* null otherwise"),
        (Roles(text="a", labels=[]), r"`data.labels` must name at least one column, got \[\]"),
        (Roles(text="a", labels="l", label_delimiter=""), "`data.label_delimiter` must be text, got ''"),
        (Roles(text="a", label=" "), "`data.label` must be a column's name"),
        (Roles(text=True, label="b"), "`data.text` must be a column's name"),
        (Roles(text="a", labels=["x", -1]), "`data.labels` must be a column's name"),
        (Roles(text="a", label="a"), "each column one role, got 'a' more than once"),
        (Roles(text="1", label=1), "each column one role, got '1' more than once"),
    ],
)
def test_roles_that_do_not_fit_are_refused(roles, message):
    with pytest.raises(ConfigError, match=message):
        roles.validate()


def test_the_task_must_fit_the_target():
    with pytest.raises(ConfigError, match="`data.tags` must be set for this task, got data.label='b'"):
        Roles(text="a", label="b").validate(target="tags")


def test_replace_must_name_columns_in_use():
    roles = Roles(text="a", labels=["x", 3])
    roles.validate(replace={"x": {"2": "1"}, 3: {"2": "1"}})
    with pytest.raises(
        ConfigError, match=r"`data.replace` must name columns that have a role \(a, x, 3\), got 'z'"
    ):
        roles.validate(replace={"z": {"2": "1"}})


def test_on_empty_must_be_known():
    with pytest.raises(ConfigError, match="`data.on_empty` must be error or drop, got 'keep'"):
        Roles(text="a", label="b").validate(on_empty="keep")


def test_columns_are_named_by_text():
    roles = Roles(tokens=0, labels=["x", 3], text_pair=None)
    assert (roles.columns_of("tokens"), roles.columns_of("text_pair")) == (("0",), ())
    assert roles.label_columns == ("x", "3")
    assert Roles(labels="names").label_columns is None
