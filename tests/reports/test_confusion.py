"""Confusion matrices, tables of labels, and the worst errors."""

import pytest
from sklearn import metrics as sk

from headway.reports.answers import read_answers
from headway.reports.confusion import MOST, NONE, OTHERS, class_rows, confusion
from headway.reports.errors import answer_text, worst_errors


def read(folder):
    return read_answers(folder, "test", with_texts=True)


def test_counts_are_those_of_scikit_learn(written_run):
    right, given = list("aabbcca"), list("abbbcaa")
    answers = read(written_run("a", right, given, labels="abc"))
    found = confusion(answers)
    expected = sk.confusion_matrix(right, given)
    assert [[cell.count for cell in row] for row in found.cells] == expected.tolist()
    assert (found.rows, found.columns) == (("a", "b", "c"), ("a", "b", "c"))
    assert set(found.worst) == {("a", "b", 1), ("c", "a", 1)}
    assert [cell.level for cell in found.cells[1]] == [0, 10, 0]  # all of the b
    precision, recall, f1, support = sk.precision_recall_fscore_support(right, given)
    rows = class_rows(answers)
    assert [row.precision for row in rows] == pytest.approx(precision.tolist())
    assert [row.recall for row in rows] == pytest.approx(recall.tolist())
    assert [row.f1 for row in rows] == pytest.approx(f1.tolist())
    assert [row.actual for row in rows] == support.tolist()


def test_no_answer_has_a_column(written_run):
    found = confusion(read(written_run("a", ["no", "yes"], [None, "yes"])))
    assert found.columns == ("no", "yes", NONE)
    assert found.cells[0][2].count == 1


def test_labels_with_few_errors_are_put_together(written_run):
    labels = [f"l{number:02}" for number in range(30)]
    right = labels * 2
    given = labels + ["l07"] * 3 + labels[3:]
    found = confusion(read(written_run("a", right, given, labels=labels)))
    assert len(found.rows) == MOST
    assert found.rows[-1] == OTHERS
    assert {"l00", "l01", "l02", "l07"} <= set(found.rows)
    assert sum(cell.count for row in found.cells for cell in row) == 60


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["entities", "words", "labels", "score"])
def test_other_kinds(finished_run, kind):
    answers = read(finished_run(kind).folder)
    found, rows = confusion(answers), class_rows(answers)
    if kind in ("entities", "words"):
        assert sum(cell.count for row in found.cells for cell in row) == len(answers.gold.values)
        assert found.unit == "words"
    else:
        assert found is None
    assert [row.name for row in rows] == {
        "entities": ["NAME"], "words": ["lower", "upper"], "labels": ["even", "third"], "score": [],
    }[kind]  # fmt: skip
    errors = worst_errors(answers, [answers])
    assert errors
    assert all(bool(error.words) == (kind in ("entities", "words")) for error in errors)
    if kind == "score":
        off = [abs(float(error.right) - float(error.given)) for error in errors]
        assert off == sorted(off, reverse=True)


def test_the_worst_errors_come_first_and_say_in_how_many_runs(written_run):
    right = ["no"] * 4
    first = read(written_run("a", right, ["yes", "yes", "no", "yes"], losses=[1.0, 3.0, 9.0, 2.0],
                             chances=[[0.2, 0.8]] * 4))  # fmt: skip
    second = read(written_run("b", right, ["no", "yes", "no", "yes"]))
    found = worst_errors(first, [first, second], number=2)
    assert [(error.id, error.wrong_runs) for error in found] == [("1", 2), ("3", 2)]
    assert (found[0].right, found[0].given, found[0].sure) == ("no", "yes", pytest.approx(0.8))
    assert found[0].parts == {"text": "text 1"}


def test_long_texts_are_cut_and_escapes_are_gone(written_run):
    answers = read(written_run("a", ["no"], ["yes"], texts=["\x1b[31m" + "x" * 5_000]))
    (found,) = worst_errors(answers, [answers])
    assert (found.parts["text"], found.cut) == ("x" * 1_500, True)


def test_answers_in_words():
    assert [answer_text(each) for each in (None, ["a", None], [], 0.5, "\x1b[1mb")] == [
        "no answer", "a, no answer", "no label", "0.5", "b",
    ]  # fmt: skip
