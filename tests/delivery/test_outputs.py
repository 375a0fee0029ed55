"""An output file replaces nothing unasked, and what was interrupted goes on as if it hadn't been."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from headway.delivery.outputs import Output, check_output, open_output
from headway.delivery.progress import Origin, progress_file, read_progress
from headway.delivery.writers import answer_schema
from headway.types import ConfigError

SCHEMA = partial(answer_schema, "score", ())
ORIGIN = Origin("a" * 64, "b" * 64, {"--id": None, "columns": {"text": "body"}})
SUFFIXES = (".jsonl", ".csv", ".parquet")
CHUNKS = [[{"id": f"{10 * chunk + row}", "prediction": row / 4} for row in range(5)] for chunk in range(4)]


class TestCheck:
    def test_an_existing_file_is_refused_and_kept(self, tmp_path):
        output = Output(tmp_path / "a.jsonl")
        output.path.write_text("mine")
        with pytest.raises(ConfigError, match=r"--output must be a new file, got .*a.jsonl.*--overwrite"):
            check_output(output, source="-")
        with (
            pytest.raises(ConfigError, match="--output must be a file that can be written"),
            open_output(output, SCHEMA),
        ):
            pass
        assert output.path.read_text() == "mine"

    def test_it_is_replaced_if_that_is_said(self, tmp_path):
        output = Output(tmp_path / "a.jsonl", overwrite=True)
        output.path.write_text("mine, and longer than what comes")
        check_output(output, source="-")
        with open_output(output, SCHEMA) as writer:
            writer.write([{"id": "1", "prediction": -0.5}])
        assert output.path.read_text() == '{"id": "1", "prediction": -0.5}\n'

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("a.json", r"--output must end in one of .*\(did you mean '.jsonl'\?\)"),
            ("a", "--output must end in one of"),
            ("missing/a.csv", "--output must lie in a folder that exists"),
            ("folder.csv", "--output must be a new file, got .*, a folder"),
            ("file.jsonl", "--output must not be FILE itself"),
            ("link.jsonl", "--output must not be FILE itself"),
        ],
    )
    def test_a_wrong_place_is_refused_even_to_overwrite(self, name, message, tmp_path):
        (tmp_path / "folder.csv").mkdir()
        (tmp_path / "file.jsonl").write_text("{}")
        (tmp_path / "link.jsonl").symlink_to(tmp_path / "file.jsonl")
        output = Output(tmp_path / name, overwrite=True)
        with pytest.raises(ConfigError, match=message):
            check_output(output, source=str(tmp_path / "file.jsonl"))

    def test_stdout_needs_no_check(self):
        check_output(Output(), source="-")

    @pytest.mark.parametrize(
        ("changes", "source"),
        [({"path": None}, "in.csv"), ({"overwrite": True}, "in.csv"), ({}, "-"), ({}, "pipe")],
    )
    def test_resume_needs_files(self, changes, source, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        Path("in.csv").write_text("a")
        output = replace(Output(Path("a.csv"), resume=True), **changes)
        with pytest.raises(ConfigError, match="--resume must come with --output"):
            check_output(output, source=source)


def interrupted(path, *, chunks=CHUNKS[:1], tail=b""):
    """Write some chunks and leave it as a killed process does: no end, and half of something behind it."""
    output = Output(path, resume=True)
    with (
        suppress(KeyboardInterrupt),
        open_output(output, SCHEMA, origin=ORIGIN, begun=output.begun(ORIGIN)) as writer,
    ):
        for rows in chunks:
            writer.write(rows)
        raise KeyboardInterrupt
    with output.data(path).open("ab") as stream:
        stream.write(tail)
    return output


def content(path):
    return pq.read_table(path).to_pylist() if path.suffix == ".parquet" else path.read_bytes()


@pytest.fixture
def whole(tmp_path):
    """suffix -> what an uninterrupted run leaves."""

    def made(suffix):
        path = tmp_path / f"whole{suffix}"
        with open_output(Output(path), SCHEMA, origin=ORIGIN) as writer:
            for rows in CHUNKS:
                writer.write(rows)
        return content(path)

    return made


@pytest.mark.parametrize("after", [0, 1, 3])
@pytest.mark.parametrize("tail", [b"", b'{"id": "5", "pre', b"\xff\x00\xff\xff\x10\x00"])
@pytest.mark.parametrize("suffix", SUFFIXES)
class TestResume:
    def test_it_ends_as_if_uninterrupted(self, suffix, tail, after, whole, tmp_path):
        output = interrupted(tmp_path / f"a{suffix}", chunks=CHUNKS[:after], tail=tail)
        begun = output.begun(ORIGIN)
        assert begun.rows == 5 * after
        with open_output(output, SCHEMA, origin=ORIGIN, begun=begun) as writer:
            for rows in CHUNKS[after:]:
                writer.write(rows)
        assert content(output.path) == whole(suffix)
        assert {path.name for path in tmp_path.iterdir()} == {f"a{suffix}", f"whole{suffix}"}


@pytest.mark.parametrize("suffix", SUFFIXES)
class TestInterrupted:
    def test_what_was_written_is_valid(self, suffix, tmp_path):
        path = interrupted(tmp_path / f"a{suffix}", chunks=CHUNKS[:2]).path
        if suffix == ".parquet":
            assert pq.read_table(path).num_rows == 10
        else:
            assert len(path.read_text().splitlines()) == 10 + (suffix == ".csv")

    def test_it_goes_on_twice(self, suffix, whole, tmp_path):
        interrupted(tmp_path / f"a{suffix}", chunks=CHUNKS[:1])
        output = interrupted(tmp_path / f"a{suffix}", chunks=CHUNKS[1:2], tail=b"{")
        with open_output(output, SCHEMA, origin=ORIGIN, begun=output.begun(ORIGIN)) as writer:
            for rows in CHUNKS[2:]:
                writer.write(rows)
        assert content(output.path) == whole(suffix)

    def test_without_resume_it_is_refused_and_can_be_begun_anew(self, suffix, whole, tmp_path):
        path = interrupted(tmp_path / f"a{suffix}").path
        with pytest.raises(
            ConfigError, match="--output must be a new file, got .*was interrupted; give --resume"
        ):
            check_output(Output(path), source="-")
        output = Output(path, overwrite=True)
        check_output(output, source="-")
        with open_output(output, SCHEMA, origin=ORIGIN) as writer:
            for rows in CHUNKS:
                writer.write(rows)
        assert content(path) == whole(suffix)
        assert not progress_file(path).exists()

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"input": "c" * 64}, "the same FILE"),
            ({"model": "c" * 64}, "the same RUN"),
            ({"options": {**ORIGIN.options, "--id": "key"}}, "got --id='key', was None"),
        ],
    )
    def test_something_else_is_refused(self, changes, message, suffix, tmp_path):
        output = interrupted(tmp_path / f"a{suffix}")
        before = {path: path.read_bytes() for path in tmp_path.iterdir()}
        with pytest.raises(ConfigError, match=f"--resume must have .*{message}.*--overwrite"):
            output.begun(replace(ORIGIN, **changes))
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before

    @pytest.mark.parametrize("damage", ["changed", "shorter", "missing"])
    def test_other_bytes_are_refused(self, damage, suffix, tmp_path):
        output = interrupted(tmp_path / f"a{suffix}")
        data = output.data(output.path)
        bytes_ = data.read_bytes()
        if damage == "missing":
            data.unlink()
        else:
            data.write_bytes(bytes_[:-1] if damage == "shorter" else bytes_[:9] + b"?" + bytes_[10:])
        with pytest.raises(ConfigError, match="--resume must find the first .* bytes"):
            output.begun(ORIGIN)


def test_resume_of_nothing_begins(tmp_path):
    assert Output(tmp_path / "a.jsonl", resume=True).begun(ORIGIN) is None


def test_resume_of_a_finished_file_is_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("mine")
    with pytest.raises(
        ConfigError, match=r"--resume must be of a file that was interrupted.*a.jsonl.progress"
    ):
        Output(path, resume=True).begun(ORIGIN)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"rows": 1}', '{"origin": {"x": 1}}'])
def test_damaged_notes_are_refused(text, tmp_path):
    path = tmp_path / "a.jsonl"
    progress_file(path).write_text(text)
    with pytest.raises(ConfigError, match=r"--resume must find .*a.jsonl.progress.* as predict wrote it"):
        read_progress(path, path, ORIGIN)


def test_notes_say_how_far_it_is(tmp_path):
    output = interrupted(tmp_path / "a.jsonl", chunks=CHUNKS[:2])
    notes = json.loads(progress_file(output.path).read_text())
    assert (notes["rows"], notes["size"]) == (10, output.path.stat().st_size)
