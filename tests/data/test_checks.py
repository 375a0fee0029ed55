import pytest

from headway.data.checks import check_splits
from headway.data.columns import canonical
from headway.data.roles import Roles


@pytest.fixture
def rows(make_table):
    """Return a function: (texts, role, values) -> canonical table; a text of None is dropped."""

    def make(texts, role, values, **more):
        words = role == "tags"
        return canonical(
            make_table({"x": [text and text.split() for text in texts] if words else texts, "y": values}),
            Roles(**{"tokens" if words else "text": "x", role: "y"}, **more),
            replace={},
            on_empty="drop",
            drop_unlabelled=False,
            require_target=True,
        )

    return make


def found(splits, role, **more):
    return [(finding.level, finding.message) for finding in check_splits(splits, role=role, **more)]


def only(findings):
    assert len(findings) == 1, findings
    return findings[0]


def test_sound_splits_have_no_findings(rows):
    splits = {
        "train": rows(["a", "b", "c"], "label", ["x", "y", "x"]),
        "validation": rows(["d", "e"], "label", ["x", "y"]),
        "test": rows(["f", "g"], "label", ["x", "y"]),
    }
    assert found(splits, "label", label_names=("x", "y")) == []


def test_an_empty_split_is_an_error(rows):
    splits = {"train": rows(["a", "b"], "label", ["x", "y"]), "test": rows([None], "label", ["x"])}
    level, message = only(found(splits, "label"))
    assert level == "error"
    assert message.startswith("`data.test` must have at least one row, got none")


@pytest.mark.parametrize(
    ("split", "level"), [("train", "error"), ("validation", "error"), ("test", "warning")]
)
@pytest.mark.parametrize(
    ("role", "same", "mixed"),
    [
        ("label", ["x", "x"], ["x", "y"]),
        ("score", ["1", "1.0"], ["1", "2"]),
        ("labels", ["", ""], ["x", ""]),
        ("tags", [["O"], ["O"]], [["O"], ["N"]]),
    ],
)
def test_a_constant_target_tells_nothing(rows, split, level, role, same, mixed):
    splits = {
        name: rows([f"{name} 1"[-1] + name, name], role, same if name == split else mixed)
        for name in ("train", "validation", "test")
    }
    findings = [one for one in found(splits, role) if "more than one value" in one[1]]
    assert only(findings)[0] == level
    assert f"`data.{split}` must hold more than one value of data.{role}" in only(findings)[1]


def test_errors_come_first(rows):
    splits = {
        "train": rows(["a", "a", "b"], "label", ["x", "x", "y"]),
        "validation": rows(["c"], "label", ["x"]),
    }
    assert [level for level, _ in found(splits, "label")] == ["error", "warning"]


def test_shared_rows_are_counted(rows):
    splits = {
        "train": rows(["a b", "c", "d"], "label", ["x", "y", "x"]),
        "test": rows(["A  b", "a B", "e"], "label", ["x", "y", "x"]),
    }
    level, message = only(found(splits, "label"))
    assert level == "warning"
    assert message.startswith("2 of 3 rows of test are in train too")


def test_repeats_and_contradictions_in_train_are_counted(rows):
    train = rows(["a", "A", "a ", "b"], "label", ["x", "x", "y", "y"])
    assert only(found({"train": train}, "label"))[1].startswith("2 of 4 rows of train repeat")
    assert "1 of them with another answer" in only(found({"train": train}, "label"))[1]


def test_labels_that_never_occur_are_listed(rows):
    train = rows(["a", "b"], "label", ["x", "y"])
    message = only(found({"train": train}, "label", label_names=("x", "y", "z")))[1]
    assert message.startswith("`data.label_names`: no row of train holds z")


def test_an_inside_tag_may_never_occur(rows):
    train = rows(["a", "b"], "tags", [["O"], ["B-PER"]], scheme="IOB2")
    assert found({"train": train}, "tags", label_names=("O", "B-PER", "I-PER")) == []
    message = only(found({"train": train}, "tags", label_names=("O", "B-LOC", "I-LOC", "B-PER", "I-PER")))[1]
    assert "no row of train holds B-LOC (" in message


def test_a_label_of_every_row_is_listed(rows):
    train = rows(["a", "b"], "labels", ["x,y", "x"])
    assert only(found({"train": train}, "labels"))[1].startswith("`data.labels`: every row of train holds x,")


def test_spellings_of_one_label_are_listed(rows):
    train = rows(["a", "b", "c"], "label", ["Sport", "sport", "money"])
    assert "'Sport', 'sport' differ only in case or blanks" in only(found({"train": train}, "label"))[1]


def test_as_many_labels_as_rows_are_suspected(rows):
    train = rows([f"text {n}" for n in range(60)], "label", [f"{n / 7:.3f}" for n in range(60)])
    assert "got 60 different values in 60 rows" in only(found({"train": train}, "label"))[1]
