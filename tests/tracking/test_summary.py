"""What a run prints at its end."""

from __future__ import annotations

import io
import shlex
from pathlib import Path

from rich.console import Console

from headway.evaluation.evaluator import Evaluation
from headway.evaluation.metrics import Entities
from headway.tracking.summary import LARGEST, score_table, show_result


def printed(table, *, width=80):
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    return console.file.getvalue()


def lines_with(text, name):
    return [line for line in text.splitlines() if name in line]


def test_a_row_a_metric_and_a_column_a_split():
    text = printed(score_table({"validation": {"accuracy": 0.75}, "test": {"accuracy": 0.5, "mcc": 1.0}}))
    (accuracy,), (mcc,) = lines_with(text, "accuracy"), lines_with(text, "mcc")
    assert accuracy.index("0.7500") < accuracy.index("0.5000")
    assert "1.0000" in mcc
    assert lines_with(text, "validation")


def test_titles_name_the_scheme():
    text = printed(
        score_table({"test": {"entity_f1_strict": 0.5, "token_accuracy": 0.5}}, title=Entities().title)
    )
    assert "entity_f1_strict (IOB2, strict)" in text
    assert "token_accuracy" in text


def test_a_label_that_looks_like_markup_stays():
    text = printed(score_table({"test": {"f1/[red]": 0.5, "f1/[/x]": 0.25}}))
    assert "f1/[red]" in text
    assert "f1/[/x]" in text


def test_many_labels_are_left_to_the_file():
    metrics = {"accuracy": 0.5, **{f"f1/{number}": 0.5 for number in range(LARGEST + 1)}}
    text = printed(score_table({"test": metrics}))
    assert "accuracy" in text
    assert "f1/3" not in text
    assert f"of {LARGEST + 1} labels: see metrics.json" in " ".join(text.split())
    few = printed(score_table({"test": {f"f1/{number}": 0.5 for number in range(LARGEST)}}))
    assert "f1/3" in few


def test_values_are_whole_in_a_narrow_terminal():
    names = {"validation": {"f1/" + "x" * 100: 0.1234}, "test": {"f1/" + "x" * 100: 0.5678}}
    text = printed(score_table(names), width=60)
    assert "0.1234" in text
    assert "0.5678" in text
    assert text.count("x") == 100


def evaluation(**metrics):
    return Evaluation(metrics=metrics, documents=None, prediction=None, losses=None, decoding=None)


def test_the_end_says_where_everything_is(capsys):
    folder = Path("outputs/my runs/1")
    show_result(folder, {"test": evaluation(accuracy=0.5)}, {"fit": 1.25, "score": 0.04}, timing="timing: 5")
    out = capsys.readouterr().out
    assert "0.5000" in out
    assert "seconds: fit 1.2, score 0.0\ntiming: 5\n" in out
    assert "run folder: outputs/my runs/1" in out
    command = out.strip().splitlines()[-1].rpartition("try: ")[2]
    assert shlex.split(command) == ["headway", "predict", str(folder), "FILE"]


def test_without_scores_there_is_no_table(capsys):
    show_result(Path("run"), {}, {"fit": 1.0})
    assert "scores" not in capsys.readouterr().out
