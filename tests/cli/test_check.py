"""`headway check` as a user types it: what it prints, its status, and that nothing is left but caches."""

from __future__ import annotations

import json

import pytest

from headway.cli.main import main

ANIMALS = ("dog", "fox", "farmer")
SECTIONS = ["labels", "rows", "tokenizer", "lengths", "training", "cost", "disk", "findings"]


def _write(path, rows):
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), encoding="utf-8")


@pytest.fixture
def words(tiny_bert, here):
    """Words of a sound run on files in the current folder, but that its model is small and its rows few."""
    for name, count in (("my", 60), ("dev", 30)):
        rows = [(f"the {ANIMALS[i % 3]} jumps over {name} number {i}", ANIMALS[i % 3]) for i in range(count)]
        _write(here / f"{name}.csv", rows)
    return (
        *("backbone=local", f"backbone.name={tiny_bert}", "data=files", "data.train=my.csv"),
        *("data.validation=dev.csv", "data.label=label", "data.max_length=32", "batching.batch_size=4"),
        *("trainer.max_epochs=4", "trainer.accelerator=cpu", "trainer.precision=32-true"),
        *("trainer.enable_progress_bar=false", "num_threads=1", "backbone.trainable=last_n"),
        "backbone.last_n=1",
    )


@pytest.fixture
def check(headway, here, words):
    """(*words) -> the outcome of a check, which leaves no file behind."""

    def run(*more):
        before = sorted(here.rglob("*"))
        outcome = headway("check", *words, *more)
        assert sorted(here.rglob("*")) == before
        return outcome

    return run


@pytest.fixture
def found(check):
    """(*words) -> what --json says of the findings, and the status."""

    def run(*more):
        outcome = check("--json", "--no-step", *more)
        findings = json.loads(outcome.out)["findings"]
        return outcome.status, [f"{finding['level']}: {finding['message']}" for finding in findings]

    return run


def _of(findings, key):
    return [finding for finding in findings if f"`{key}`" in finding]


@pytest.mark.slow
def test_sound_data_end_with_0_and_every_section(check):
    outcome = check()
    assert (outcome.status, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    for title in ("labels", "rows", "tokenizer", "lengths", "training", "cost", "findings"):
        assert title in lines
    assert any(line.startswith("whole run ") for line in lines)
    assert lines[-1].startswith("0 errors, ")


@pytest.mark.slow
def test_json_is_one_object_and_nothing_else(check):
    outcome = check("--json")
    assert (outcome.status, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert [name for name in found if name in SECTIONS] == SECTIONS
    assert found["sound"] is True
    assert found["labels"]["splits"]["train"]["counts"] == [20, 20, 20]
    assert found["training"]["total_steps"] == 60
    assert found["cost"]["time"]["run"] > 0
    assert found["lengths"]["splits"]["validation"]["documents"] == 30


def test_no_step_measures_nothing(check):
    outcome = check("--json", "--no-step")
    assert outcome.status == 0
    assert json.loads(outcome.out)["cost"] is None
    assert "time and memory weren't measured" in check("--no-step").out


def test_findings_stand_on_a_line_each_however_narrow(check, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    outcome = check("--no-step", "optimizer.lr=1e-2")
    (line,) = [line for line in outcome.out.splitlines() if "`optimizer.lr`" in line]
    assert line.startswith("warning: `optimizer.lr` should be in [1e-06, 0.001]")
    assert line.endswith("set backbone.trainable=none")


CONFIG_FINDINGS = {
    "data.max_length": ("data.max_length=8",),
    "optimizer.lr": ("optimizer.lr=1e-2",),
    "trainer.max_epochs": ("trainer.max_epochs=1",),
    "trainer.max_steps": ("trainer.max_steps=9",),
    "schedule.warmup_ratio": ("schedule.warmup_ratio=0",),
    "backbone.trainable": ("backbone.trainable=all", "backbone.last_n=null"),
}


@pytest.mark.parametrize("key", list(CONFIG_FINDINGS))
def test_what_the_config_gives_to_doubt(key, found):
    assert _of(found()[1], key) == []
    status, findings = found(*CONFIG_FINDINGS[key])
    assert status == 0
    (finding,) = _of(findings, key)
    assert finding.startswith("warning: ")


def test_what_the_rows_give_to_doubt(found, here):
    rows = [(f"the fox {i} sleeps", "fox") for i in range(84)]
    rows += [(f"the dog {i} sleeps", "dog") for i in range(4)]
    rows += [
        ("\u0436 \u0447 \u044f", "fox"),
        ("caf\ufffd", "fox"),
        ("\u200b", "fox"),
        ("the fox 1 sleeps", "dog"),
    ]
    _write(here / "odd.csv", rows)
    _write(here / "odd_dev.csv", [("the fox 1 sleeps", "fox"), ("a farmer", "fox"), ("a dog", "dog")])
    _write(here / "odd_test.csv", [("the fox", "fox"), ("a fox", "fox")])
    status, findings = found(
        *("data.train=odd.csv", "data.validation=odd_dev.csv", "data.test=odd_test.csv"),
        *("task/loss=cross_entropy", "data.label_names=[dog,fox,cow]"),
    )
    text = "\n".join(findings)
    assert status == 0
    assert "rows of validation are in train too" in text
    assert "of train repeat an earlier one" in text
    assert "1 of them with another answer" in text
    assert "`data.label_names`: no row of train holds cow" in text
    assert "first in odd.csv, line 91; make the file anew" in text
    assert "only characters without width in 1 row of train, first in odd.csv, line 92" in text
    assert _of(findings, "backbone")[0].startswith("warning: `backbone` should know at least 99%")
    assert "got none of 1 of 3 (dog)" in _of(findings, "data.test")[1]


def test_unlike_labels_and_rare_ones(found, here):
    rows = [(f"the fox {i} sleeps", "fox") for i in range(90)] + [(f"the dog {i}", "dog") for i in range(4)]
    _write(here / "unlike.csv", rows)
    _, findings = found("data.train=unlike.csv", "data.validation=unlike.csv")
    assert "fox 22 times as often as dog (90 to 4 rows)" in _of(findings, "task.loss.class_weights")[0]
    assert "got fewer for 1 of 2 (dog 4)" in _of(findings, "data.label")[0]
    _, findings = found("data.train=unlike.csv", "data.validation=unlike.csv", "task.loss.class_weights=auto")
    assert _of(findings, "task.loss.class_weights") == []


@pytest.mark.slow
def test_a_model_that_gives_no_numbers_is_an_error_with_status_1(check, tiny_bert, tmp_path):
    import torch
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(tiny_bert)
    with torch.no_grad():
        model.embeddings.LayerNorm.weight[0] = float("nan")
    model.save_pretrained(tmp_path / "broken")
    AutoTokenizer.from_pretrained(tiny_bert).save_pretrained(tmp_path / "broken")
    outcome = check("--json", f"backbone.name={tmp_path / 'broken'}")
    assert outcome.status == 1
    found = json.loads(outcome.out)
    assert found["sound"] is False
    assert found["cost"]["first_loss"] is None
    assert found["findings"][0]["level"] == "error"
    assert found["findings"][0]["message"].startswith("`trainer.precision`: the loss of the first batch")
    shown = check(f"backbone.name={tmp_path / 'broken'}")
    assert shown.status == 1
    assert "error: `trainer.precision`" in shown.out
    assert shown.out.splitlines()[-1].startswith("1 error, ")


REFUSED = (
    "optimizer.lrr=1",
    "dta=r8",
    "data=r88",
    "seed=abc",
    "seed=1,2",
    "name=${nme}",
    "task.head.dropout=[0",
    "~optimizer",
    "data=hub",
    "trainer.max_epochs=0",
    "compare_aggregations=[mean_logit]",
    "data.train=mi.csv",
    "data.label=lable",
    "data.max_length=1000",
    "task/head=token",
    "hydra.run.dir=used",
    "+trainer.strategy=dpp",
)


@pytest.mark.parametrize("word", REFUSED)
def test_what_train_refuses_check_refuses_in_the_same_words(word, refused, here, words):
    (here / "used").mkdir()
    (here / "used" / "record.json").write_text("{}", encoding="utf-8")
    base = [each for each in words if each.partition("=")[0] != word.partition("=")[0].lstrip("~")]
    assert refused("check", *base, word) == refused("train", *base, word)


@pytest.mark.parametrize("flag", ["-m", "--multirun", "hydra.mode=MULTIRUN"])
def test_a_sweep_is_refused(flag, refused):
    assert "`headway check` must get one config, got -m" in refused("check", "seed=1,2", flag)


def test_an_output_dir_that_is_a_file(refused, words):
    message = refused("check", *words, "output_dir=my.csv")
    assert "`output_dir` must be a folder in which a run can be made, got 'my.csv' (Not a direc" in message


def test_an_output_dir_without_room_is_an_error_with_status_1(found):
    status, findings = found("output_dir=/proc/nowhere")  # a file system that holds nothing
    assert status == 1
    assert findings[0].startswith("error: `output_dir` must have ")
    assert ", got 0 bytes; make room" in findings[0]


def test_hydras_own_flags_end_as_they_do_for_train(headway, here):
    outcome = headway("check", "--cfg", "job", "-p", "optimizer")
    assert outcome.status == 0
    assert "lr: 5.0e-05" in outcome.out
    assert list(here.iterdir()) == []


def test_help_says_what_it_takes(headway):
    outcome = headway("check", "--help")
    assert outcome.status == 0
    assert "--json" in outcome.out
    assert "--no-step" in outcome.out
    assert "experiment=NAME" in outcome.out


@pytest.mark.slow
def test_a_run_after_a_check_is_the_run(check, words, here):
    steps = json.loads(check("--json").out)["training"]["total_steps"]
    assert main(["train", *words]) == 0
    (run,) = (here / "outputs" / "files").iterdir()
    assert json.loads((run / "record.json").read_text(encoding="utf-8"))["total_steps"] == steps
