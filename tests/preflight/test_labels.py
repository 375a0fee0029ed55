"""The balance of labels, counted by hand, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest

from headway.preflight.labels import label_facts, label_findings
from headway.types import Gold


def classes(*values):
    return Gold(np.array(values, dtype=np.int64))


def facts(train, names=("a", "b", "c"), *, role="label", **splits):
    gold = {"train": train, **splits}
    return label_facts(gold, label_names=names, role=role, scheme=None)


def messages(found, **more):
    findings = list(label_findings(found, **more))
    assert all(finding.level == "warning" for finding in findings)
    return [finding.message for finding in findings]


def test_classes_are_counted_by_document():
    found = facts(classes(0, 0, 1, 2, 0), validation=classes(0, 2))
    train, validation = found.splits["train"], found.splits["validation"]
    assert (found.unit, found.names, found.num_labels) == ("documents", ("a", "b", "c"), 3)
    assert (train.counts, train.documents, train.total, train.absent) == ((3, 1, 1), (3, 1, 1), 5, ())
    assert (validation.counts, validation.absent, validation.without) == ((1, 0, 1), ("b",), 0)


def test_several_labels_are_shares_of_documents():
    found = facts(Gold(np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]])), role="labels")
    train = found.splits["train"]
    assert (train.counts, train.total, train.without) == ((1, 2, 0), 3, 1)


def test_entities_are_counted_by_type():
    names = ("O", "B-X", "I-X", "B-Y", "I-Y")
    gold = Gold(np.array([1, 2, 0, 1, 3, 0, 0]), np.array([0, 4, 5, 7]))  # X… X | Y | none
    found = facts(gold, names, role="tags")
    train = found.splits["train"]
    assert (found.unit, found.names) == ("entities", ("X", "Y"))
    assert (train.counts, train.documents, train.total, train.without) == ((2, 1), (1, 1), 3, 1)


def test_plain_tags_are_counted_by_word():
    found = facts(Gold(np.array([0, 1, 1, 0]), np.array([0, 3, 4])), ("D", "N"), role="tags")
    assert found.unit == "words"
    assert found.splits["train"].counts == (2, 2)
    assert found.splits["train"].documents == (2, 1)


def test_scores_have_a_spread():
    values = np.array([1.0, 2.0, 6.0])
    spread = facts(Gold(values), (), role="score").splits["train"].scores
    assert spread.mean == pytest.approx(3)
    assert spread.sd == pytest.approx(np.sqrt(14 / 3))
    assert (spread.min, spread.median, spread.max) == (1, 2, 6)
    assert messages(facts(Gold(values), (), role="score")) == []


def test_data_label_with_few_documents():
    (message,) = messages(facts(classes(*[0] * 5, *[1] * 4, *[2] * 6)))
    assert "`data.label` should hold each label in 5 documents" in message
    assert "got fewer for 1 of 3 (b 4); add rows" in message


def test_only_some_of_many_rare_labels_are_named():
    (message,) = messages(facts(classes(*range(9)), tuple("abcdefghi")))
    assert "9 of 9 (a 1, b 1, c 1, d 1, e 1 and 4 more)" in message


@pytest.mark.parametrize(
    ("split", "remedy"), [("validation", "data.validation_ratio"), ("test", "name rows")]
)
def test_data_split_without_a_label_of_train(split, remedy):
    (message,) = messages(facts(classes(*[0, 1, 2] * 5), **{split: classes(0, 0)}))
    assert f"`data.{split}` should hold every label of train, got none of 2 of 3 (b, c)" in message
    assert remedy in message


def test_task_loss_class_weights_of_unlike_labels():
    unlike = facts(classes(*[0] * 101, *[1] * 5), ("a", "b"))
    (message,) = messages(unlike, class_weights=None)
    assert "`task.loss.class_weights` is null" in message
    assert "a 20 times as often as b (101 to 5 rows)" in message
    assert messages(unlike, class_weights="auto") == []
    assert messages(unlike) == []  # a loss that has none
    assert messages(facts(classes(*[0] * 100, *[1] * 5), ("a", "b")), class_weights=None) == []
