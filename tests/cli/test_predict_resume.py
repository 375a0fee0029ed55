"""A killed `headway predict` goes on where it was, and files that break off are named by their line."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import pty
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.slow
ROWS = 6 * 1024 + 100


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A file of more rows than are read at once."""
    path = tmp_path_factory.mktemp("many") / "many.jsonl"
    words = ["The fox.", "The dog jumps over the farmer.", "A film this long needs a story."]
    path.write_text("".join(json.dumps({"body": f"{words[i % 3]} {i}"}) + "\n" for i in range(ROWS)))
    return path


def command(*words):
    return [sys.executable, "-m", "headway.cli.main", "predict", *map(str, words)]


def kill_halfway(folder, many, output, *options):
    """Start a prediction and kill it, as the kernel does, once a part of its output is noted."""
    notes = output.with_name(output.name + ".progress")
    with subprocess.Popen(command(folder, many, "--output", output, *options)) as process:
        for _ in range(3000):
            if notes.exists() and json.loads(notes.read_text())["rows"] > 0:
                break
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    return json.loads(notes.read_text())["rows"]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_after_a_kill_it_goes_on(suffix, many, finished_run, headway, tmp_path):
    folder = finished_run("class").folder
    whole, output = tmp_path / f"whole{suffix}", tmp_path / f"out{suffix}"
    assert headway("predict", folder, many, "--output", whole).status == 0
    rows = kill_halfway(folder, many, output)
    assert 0 < rows < ROWS
    outcome = headway("predict", folder, many, "--output", output, "--resume")
    assert (outcome.status, outcome.err) == (0, "")
    if suffix == ".parquet":
        assert pq.read_table(output).equals(pq.read_table(whole))
    else:
        assert output.read_bytes() == whole.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"here", "out" + suffix, "whole" + suffix}


def test_several_workers_write_the_same_file(many, finished_run, headway, tmp_path):
    folder = finished_run("class").folder
    for workers in (1, 3):
        words = ("--output", tmp_path / f"{workers}.jsonl", "--workers", workers)
        assert headway("predict", folder, many, *words).status == 0
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "3.jsonl").read_bytes()


class TestRefused:
    @pytest.fixture
    def begun(self, many, finished_run, tmp_path, here):
        folder, source = finished_run("class").folder, here / "in.jsonl"
        source.write_bytes(many.read_bytes())
        output = here / "out.jsonl"
        kill_halfway(folder, source, output)
        return folder, source, output

    def test_what_has_changed(self, begun, refused, finished_run):
        folder, source, output = begun
        words = ("--output", output, "--resume")
        other = finished_run("labels").folder
        assert "--resume must have the same RUN" in refused("predict", other, source, *words)
        assert "got --id='body'" in refused("predict", folder, source, *words, "--id", "body")
        assert "--probabilities=True, was False" in refused(
            "predict", folder, source, *words, "--probabilities"
        )
        assert "was interrupted; give --resume" in refused("predict", folder, source, "--output", output)
        with source.open("ab") as stream:
            stream.write(b'{"body": "one more"}\n')
        assert "--resume must have the same FILE" in refused("predict", folder, source, *words)

    def test_workers_of_none(self, finished_run, refused, many):
        words = (finished_run("class").folder, many, "--workers", 0)
        assert "--workers must be >= 1 threads, got 0" in refused("predict", *words)

    def test_resume_without_output(self, finished_run, refused, many):
        message = refused("predict", finished_run("class").folder, many, "--resume")
        assert "--resume must come with --output" in message


def ids(output):
    """The ids of all rows of a file, each of which must be whole."""
    if output.suffix == ".parquet":
        return pq.read_table(output)["id"].to_pylist()
    if output.suffix == ".csv":
        return [row["id"] for row in csv.DictReader(output.read_text().splitlines())]
    return [json.loads(line)["id"] for line in output.read_text().splitlines()]


ROW = '{"body": "The fox."}\n'


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
class TestBrokenOff:
    """A file that ends in the middle of a line: error with file and line, and what came before is valid."""

    @pytest.mark.parametrize(
        ("name", "content", "line"),
        [
            ("in.jsonl", (ROW * 3 + '{"body": "The f').encode(), 4),
            ("in.csv", b'body,key\nThe fox.,1\nThe fox.,2\nThe fox.,3\n"The dog', 5),
            ("in.tsv", b"key\tbody\n1\tThe fox.\n2\tThe fox.\n3\tThe fox.\n4", 5),
        ],
    )
    def test_text(self, name, content, line, suffix, finished_run, predict, tmp_path):
        (tmp_path / name).write_bytes(content)
        output = tmp_path / f"out{suffix}"
        status, _, error = predict(finished_run("class").folder, tmp_path / name, "--output", output)
        assert status == 2
        assert f"{tmp_path / name}, line {line}" in error
        assert error.count("\n") == 1
        assert len(ids(output)) == 3

    def test_gzip(self, suffix, finished_run, predict, tmp_path):
        content = gzip.compress((ROW * 2000).encode())
        (tmp_path / "in.jsonl.gz").write_bytes(content[:-6])
        output = tmp_path / f"out{suffix}"
        status, _, error = predict(finished_run("class").folder, tmp_path / "in.jsonl.gz", "--output", output)
        assert status == 2
        assert f"{tmp_path / 'in.jsonl.gz'} must be a whole gzip file, got one damaged after line" in error
        if output.exists():
            assert ids(output) == [str(line + 1) for line in range(len(ids(output)))]

    def test_parquet(self, suffix, finished_run, predict, tmp_path):
        stream = io.BytesIO()
        pq.write_table(pa.table({"body": ["The fox."] * 3}), stream)
        (tmp_path / "in.parquet").write_bytes(stream.getvalue()[:-5])
        output = tmp_path / f"out{suffix}"
        status, _, error = predict(finished_run("class").folder, tmp_path / "in.parquet", "--output", output)
        assert status == 2
        assert "in.parquet must be a whole Parquet file" in error
        assert not output.exists()


def on_a_terminal(*words):
    """Run a command whose stderr is a terminal, as a person's is; return its status and what it showed."""
    master, slave = pty.openpty()
    with subprocess.Popen(command(*words), stdout=subprocess.DEVNULL, stderr=slave) as process:
        os.close(slave)
        shown = b""
        while True:
            try:
                part = os.read(master, 4096)
            except OSError:  # Linux's way of saying that the other end is closed
                break
            if not part:
                break
            shown += part
    os.close(master)
    return process.returncode, shown.decode(errors="replace")


def test_a_bar_is_shown_on_a_terminal_alone(many, finished_run, headway, tmp_path):
    folder = finished_run("class").folder
    status, shown = on_a_terminal(folder, many, "--output", tmp_path / "a.jsonl")
    assert status == 0
    assert f"{ROWS:,} rows" in shown
    assert headway("predict", folder, many, "--output", tmp_path / "b.jsonl").err == ""


def test_spans_have_their_characters(finished_run, predict, tmp_path):
    run = finished_run("entities")
    text = "Peter Blackburn  reported from Brussels"
    (tmp_path / "in.txt").write_text(text + "\n")
    status, (answer,), _ = predict(run.folder, tmp_path / "in.txt", "--format", "lines")
    assert status == 0
    assert "spans" in answer
    for span in answer["spans"]:
        assert text[span["start"] : span["end"]] == span["text"]
        assert text.split()[span["start_word"] : span["end_word"]] == span["text"].split()


def test_probabilities_come_if_asked_for(finished_run, headway, predict, tmp_path):
    (tmp_path / "in.jsonl").write_text(ROW)
    run = finished_run("class")
    answer = json.loads(headway("predict", run.folder, tmp_path / "in.jsonl").out)
    assert list(answer) == ["id", "prediction"]
    (with_them,) = predict(run.folder, tmp_path / "in.jsonl")[1]
    assert list(with_them) == ["id", "prediction", "probabilities"]
    words = finished_run("entities")
    (tmp_path / "words.txt").write_text("The fox\n")
    answer = json.loads(headway("predict", words.folder, tmp_path / "words.txt", "--format", "lines").out)
    assert list(answer) == ["id", "prediction", "spans", "tokens"]


def test_what_training_replaced_is_replaced_here(compose_config, tiny_bert, predict, tmp_path):
    """data.replace of a text is in the artifact: the old text gets the answer of the new one."""
    from headway.run import run

    rows = [{"body": f"The fox. {i}" if i else "The fox.", "topic": "ab"[i % 2]} for i in range(24)]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    cfg = compose_config(
        "backbone=local", f"backbone.name={tiny_bert}", "data=files",
        f"data.train={tmp_path / 'train.jsonl'}", "data.text=body", "data.label=topic",
        "data.validation_ratio=0.25", "data.max_length=16", "trainer.max_steps=2", "trainer.accelerator=cpu",
        "trainer.precision=32-true", "trainer.enable_progress_bar=false", "num_threads=1",
        f"cache_dir={tmp_path / 'cache'}",
    )  # fmt: skip
    cfg["data"]["replace"] = {"body": {"The fox.": "Water and food"}}
    folder = run(cfg, tmp_path / "run").folder
    (tmp_path / "in.jsonl").write_text(
        "".join(json.dumps({"body": text}) + "\n" for text in ("The fox.", "Water and food", "The fox"))
    )
    status, (old, new, other), _ = predict(folder, tmp_path / "in.jsonl")
    assert status == 0
    assert old["probabilities"] == pytest.approx(new["probabilities"], abs=1e-7)
    assert old["probabilities"] != pytest.approx(other["probabilities"], abs=1e-7)
