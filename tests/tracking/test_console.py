"""Output that can't be written never ends the work, and is said once."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys

import pytest

from headway.tracking.console import RunLog, SteadyStream, steady_output


def _stream(descriptor, encoding="utf-8"):
    return io.TextIOWrapper(os.fdopen(descriptor, "wb"), encoding=encoding, line_buffering=True)


def test_a_reader_that_has_gone_is_said_once():
    reader, writer = os.pipe()
    os.close(reader)
    other = io.StringIO()
    stream = SteadyStream(_stream(writer), other)
    for _ in range(3):
        print("a line", file=stream, flush=True)
    assert other.getvalue().count("can't be written: Broken pipe; the work goes on\n") == 1
    stream.close()  # what waited in its buffers has gone nowhere


def test_a_full_disk_is_said_once():
    other = io.StringIO()
    stream = SteadyStream(_stream(os.open("/dev/full", os.O_WRONLY)), other)
    for _ in range(3):
        print("a line", file=stream, flush=True)
    assert other.getvalue().count("No space left on device") == 1
    stream.close()


def test_what_an_encoding_lacks_is_written_as_an_escape():
    reader, writer = os.pipe()
    stream = SteadyStream(_stream(writer, "ascii"), io.StringIO())
    print("größe ±", file=stream)
    stream.close()
    with os.fdopen(reader, "rb") as given:
        assert given.read() == rb"gr\xf6\xdfe \xb1" + b"\n"


def test_the_streams_are_back_after_the_block(capsys):
    before = sys.stdout, sys.stderr
    with steady_output():
        assert sys.stdout.encoding == before[0].encoding
        print("a line")
    assert (sys.stdout, sys.stderr) == before
    assert capsys.readouterr().out == "a line\n"


@pytest.mark.parametrize("place", ["a folder that isn't there/run.log", "full"])
def test_a_run_log_that_cannot_be_written_is_said_once(tmp_path, capsys, place):
    (tmp_path / "full").symlink_to("/dev/full")
    handler = RunLog(tmp_path / place, delay=True)
    for _ in range(3):
        handler.handle(logging.makeLogRecord({"msg": "a line", "levelno": logging.INFO}))
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith(f"warning: lines are missing in {tmp_path / place}: ")
    handler.close()


def test_a_run_log_goes_on_once_there_is_room(tmp_path, capsys):
    log = tmp_path / "run.log"
    log.symlink_to("/dev/full")
    handler = RunLog(log, delay=True)
    for number in range(3):
        handler.handle(logging.makeLogRecord({"msg": f"line {number}", "levelno": logging.INFO}))
        if number == 1:
            log.unlink()
    handler.close()
    assert log.read_text() == "line 2\n"
    assert capsys.readouterr().err.count("\n") == 1


def test_a_record_that_cannot_be_formatted_is_told_as_python_does(tmp_path, capsys):
    handler = RunLog(tmp_path / "run.log", delay=True)
    handler.handle(logging.makeLogRecord({"msg": "%d", "args": ("x",), "levelno": logging.INFO}))
    handler.close()
    assert "Logging error" in capsys.readouterr().err


def test_descriptors_that_are_closed_are_opened_before_files_take_their_place(tmp_path):
    code = (
        "from headway.tracking.console import open_streams; open_streams(); "
        f"file = open({str(tmp_path / 'file')!r}, 'w'); print('lost'); file.write(str(file.fileno()))"
    )
    done = subprocess.run(["sh", "-c", f'"{sys.executable}" -c "$0" <&- >&- 2>&-', code], check=False)
    assert done.returncode == 0
    assert (tmp_path / "file").read_text() == "3"
