"""A run is made again from its record alone, and what differs is named."""

from __future__ import annotations

import json
import shutil

import pytest
import yaml

from headway.cli.rerun import DIFFERS

pytestmark = pytest.mark.slow


@pytest.fixture
def record_of(finished_run, here):
    """(**changes) -> a record.json by itself, of a finished run, with top-level changes."""

    def record_of(**changes):
        path = here / "record.json"
        record = json.loads((finished_run("class").folder / "record.json").read_text())
        path.write_text(json.dumps({**record, **changes}))
        return path

    return record_of


def test_a_rerun_from_the_record_alone_is_the_same_to_the_bit(headway, record_of, here):
    outcome = headway("train", "--from", record_of())
    assert outcome.status == 0, outcome
    assert "0 fields of the record differ" in outcome.out
    assert "predictions of test, validation: the same to the bit" in outcome.out
    (run,) = (here / "outputs" / "files").iterdir()
    before, after = (json.loads(path.read_text()) for path in (here / "record.json", run / "record.json"))
    for name in ("loss_chain", "weights", "predictions"):
        assert before["results"][name] == after["results"][name]
    assert before["run_id"] == after["run_id"]
    assert "epoch 1" in (run / "run.log").read_text()


def test_what_the_command_changes_is_named(headway, record_of, here):
    outcome = headway("train", f"--from={record_of()}", "optimizer.lr=0.01", "task/loss=focal", "name=other")
    assert outcome.status == DIFFERS
    assert "changed by this command: task/loss=... optimizer.lr=0.01 name=other" in outcome.out
    for field in ("config.optimizer.lr: 0.001 -> 0.01", "config.task.loss._target_", "results.loss_chain"):
        assert field in outcome.out
    assert "NOT the same" in outcome.out
    (run,) = (here / "outputs" / "other").iterdir()
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert (config["optimizer"]["lr"], config["task"]["loss"]["gamma"]) == (0.01, 2.0)


def test_threads_and_precision_are_what_they_were(headway, record_of, finished_run):
    record = json.loads((finished_run("class").folder / "record.json").read_text())
    record["config"] |= {"num_threads": None}
    record["config"]["trainer"] |= {"precision": "auto"}
    outcome = headway("train", "--from", record_of(config=record["config"]))
    assert outcome.status == 0
    assert "as the record says it was: num_threads=1 trainer.precision=32-true" in outcome.out
    assert "predictions of test, validation: the same to the bit" in outcome.out


def test_a_run_that_was_killed_has_nothing_to_compare_with(headway, record_of):
    outcome = headway("train", "--from", record_of(status="running", results={}))
    assert outcome.status == DIFFERS
    assert "the record has none to compare with, its run's status is running" in outcome.out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "RUN must be a run's folder with a record.json"),
        ("{", "must be JSON as headway wrote it"),
        ("[]", "must be a record of schema 1, got None: it is of an older headway"),
        ('{"total_steps": 3}', "must be a record of schema 1, got None: it is of an older headway"),
        ('{"schema": 2}', "must be a record of schema 1, got 2: it is of another headway"),
        ('{"schema": 1}', "must hold the mapping `config`"),
    ],
)
def test_a_record_that_cannot_be_used_is_one_error(refused, here, text, message):
    (here / "run").mkdir()
    if text is not None:
        (here / "run" / "record.json").write_text(text)
    assert message in refused("train", "--from", "run")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--from"], "--from must name one run's folder"),
        (["--from", "a", "--from=b"], "--from must name one run's folder, got ['a', 'b']"),
        (["--from", "a", "-m", "seed=1,2"], "--from must make one run, got a sweep"),
        (["--from", "a", "seeds=3"], "--from must make one run, got a sweep"),
    ],
)
def test_words_that_do_not_go_with_it_are_refused(refused, words, message):
    assert message in refused("train", *words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["experiment=demo"], "`experiment` can't be chosen beside --from"),
        (["data=r88"], "`data` must hold names of data"),
        (["optimizer.lrr=1"], "`optimizer.lrr`"),
        (["optimizer.lr=-1"], "`optimizer.lr` must be a number in (0, 1], got -1"),
    ],
)
def test_wrong_overrides_are_refused(refused, record_of, words, message):
    assert message in refused("train", "--from", record_of(), *words)


def test_secrets_must_be_given(refused, record_of, finished_run):
    record = json.loads((finished_run("class").folder / "record.json").read_text())
    record["config"]["backbone"]["api_key"] = "<redacted>"
    message = refused("train", "--from", record_of(config=record["config"]))
    assert "`backbone.api_key` must be given: the record doesn't hold secrets" in message


def test_a_folder_is_as_good_as_its_record(headway, finished_run, here):
    shutil.copytree(finished_run("class").folder, here / "run")
    assert headway("train", "--from", "run", "--cfg", "job").status == 0
    assert not (here / "outputs").exists()


def test_another_machines_cache_is_not_looked_for(headway, record_of, finished_run, here, tmp_path):
    record = json.loads((finished_run("class").folder / "record.json").read_text())
    record["config"]["cache_dir"] = record["config"]["data"]["cache_dir"] = "/no/such/folder"
    outcome = headway("train", "--from", record_of(config=record["config"]))
    assert outcome.status == 0
    assert "0 fields of the record differ" in outcome.out
    assert (tmp_path / "cache" / "encoded").is_dir()
