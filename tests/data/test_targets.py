import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data.columns import canonical
from headway.data.roles import Roles
from headway.data.targets import ClassTarget, MultiTarget, ScoreTarget, TagTarget
from headway.types import ConfigError, DataError


@pytest.fixture
def rows(make_table):
    """Return a function: (role, values) -> canonical table with these targets."""

    def make(role, values, *, labels="y", scheme=None):
        words = role == "tags"
        tokens = (
            [["w"] * len(tags or []) for tags in values] if words else [f"t{n}" for n in range(len(values))]
        )
        roles = Roles(**{"tokens" if words else "text": "x", role: labels, "scheme": scheme})
        return canonical(
            make_table({"x": tokens, "y": values}),
            roles,
            replace={},
            on_empty="error",
            drop_unlabelled=False,
            require_target=True,
        )

    return make


def test_classes_are_learned_sorted_and_then_frozen(rows):
    names = ClassTarget().learn(rows("label", ["b", "a", "b"]), label_names=None)
    assert names == ("a", "b")
    gold = ClassTarget().encode(rows("label", ["a", "b", "a"]), names)
    assert gold.values.tolist() == [0, 1, 0]
    assert gold.values.dtype == np.int64
    assert gold.word_offsets is None


def test_whole_numbers_are_sorted_by_value(rows):
    assert ClassTarget().learn(rows("label", ["10", "9", "-1"]), label_names=None) == ("-1", "9", "10")
    assert ClassTarget().learn(rows("label", ["10", "9", "a"]), label_names=None) == ("10", "9", "a")


def test_declared_names_keep_their_order(rows):
    table = rows("label", ["1", "0"])
    names = ClassTarget().learn(table, label_names=[1, 0])  # yaml's numbers are the file's texts
    assert names == ("1", "0")
    assert ClassTarget().encode(table, names).values.tolist() == [0, 1]


@pytest.mark.parametrize("names", [[], ["a"], ["a", "a"]])
def test_declared_names_are_two_or_more_and_different(rows, names):
    with pytest.raises(ConfigError, match="`data.label_names` must hold 2 or more different names"):
        ClassTarget().learn(rows("label", ["a", "b"]), label_names=names)


def test_one_class_cannot_be_learned(rows):
    with pytest.raises(
        DataError, match=r"`data.label` must hold 2 or more .* rows.csv, got \['a'\] in 2 rows"
    ):
        ClassTarget().learn(rows("label", ["a", "a"]), label_names=None)


@pytest.mark.parametrize(
    ("target", "values", "label"),
    [
        (ClassTarget(), ["sport", "sports"], "sports"),
        (MultiTarget(), ["sport", "money,sports"], "sports"),
        (TagTarget(), [["sport"], ["money", "sports"]], "sports"),
    ],
)
def test_an_undeclared_label_is_named_with_row_and_nearest(rows, target, values, label):
    allowed = f"rows.csv, line 3: data.{target.role} must be one of money, sport"
    message = rf"{allowed}, got '{label}' \(did you mean 'sport'\?\)"
    with pytest.raises(DataError, match=message):
        target.encode(rows(target.role, values), ("money", "sport"))


def test_labels_become_0_and_1(rows):
    table = rows("labels", ["b,a", "", "c"])
    names = MultiTarget().learn(table, label_names=None)
    assert names == ("a", "b", "c")
    gold = MultiTarget().encode(table, names)
    assert gold.values.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert gold.values.dtype == np.int64


def test_a_declared_label_may_be_in_no_row(rows):
    table = rows("labels", ["1", "0"], labels=["y"])
    assert MultiTarget().learn(table, label_names=("y",)) == ("y",)
    assert MultiTarget().encode(table, ("never", "y")).values.tolist() == [[0, 1], [0, 0]]


def test_rows_without_any_label_teach_nothing(rows):
    with pytest.raises(DataError, match="`data.labels` must hold 1 or more different names"):
        MultiTarget().learn(rows("labels", ["", ""]), label_names=None)


def test_scores_are_numbers_without_names(rows):
    table = rows("score", ["1.5", "-2"])
    assert ScoreTarget().learn(table, label_names=None) == ()
    gold = ScoreTarget().encode(table, ())
    assert gold.values.tolist() == [1.5, -2.0]
    assert gold.values.dtype == np.float64
    with pytest.raises(ConfigError, match="`data.label_names` must be null for data.score"):
        ScoreTarget().learn(table, label_names=["a", "b"])


def test_span_tags_get_both_tags_of_every_type(rows):
    table = rows("tags", [["O", "I-PER"], ["I-LOC"]], scheme="IOB1")
    assert TagTarget().learn(table, label_names=None) == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


def test_plain_tags_are_sorted(rows):
    assert TagTarget().learn(rows("tags", [["VB", "NN"], ["O"]]), label_names=None) == ("NN", "O", "VB")


def test_declared_span_tags_must_be_complete(rows):
    table = rows("tags", [["O", "B-PER"]], scheme="IOB2")
    with pytest.raises(ConfigError, match="`data.label_names` must hold O, .* got none of I-PER, O"):
        TagTarget().learn(table, label_names=["B-PER", "B-LOC", "I-LOC"])
    assert TagTarget().learn(table, label_names=["B-PER", "I-PER", "O"]) == ("B-PER", "I-PER", "O")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=5), min_size=1, max_size=6))
def test_offsets_give_each_document_its_tags(make_table, documents):
    table = canonical(
        make_table({"w": documents, "t": documents}),
        Roles(tokens="w", tags="t"),
        replace={},
        on_empty="error",
        drop_unlabelled=False,
        require_target=True,
    )
    gold = TagTarget().encode(table, ("c", "a", "b"))
    parts = [
        gold.values[start:end]
        for start, end in zip(gold.word_offsets[:-1], gold.word_offsets[1:], strict=True)
    ]
    assert [["cab"[number] for number in part] for part in parts] == documents
    assert gold.values.dtype == gold.word_offsets.dtype == np.int64
