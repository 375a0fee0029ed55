"""Faults of the machine are one line that says what to do; a mistake in the code is none of them."""

from __future__ import annotations

import errno
import os

import pytest
import torch

from headway.cli.main import main
from headway.faults import ADVICE, fault_message
from headway.named_errors import naming


@pytest.mark.parametrize("number", ADVICE)
def test_the_system_s_refusals_name_the_file_and_what_to_do(number):
    message = fault_message(OSError(number, os.strerror(number), "some/file"))
    assert message.startswith(f"some/file can't be used: {os.strerror(number)}; ")
    assert message.endswith(ADVICE[number])


def test_what_is_written_is_named_where_the_system_names_nothing(tmp_path):
    with pytest.raises(OSError) as caught, naming(tmp_path / "x"):
        os.write(os.open("/dev/full", os.O_WRONLY), b"x")
    assert fault_message(caught.value).startswith(f"{tmp_path / 'x'} can't be used: No space left on device")
    with pytest.raises(FileNotFoundError) as caught, naming(tmp_path / "x"):
        (tmp_path / "y").open()
    assert caught.value.filename == str(tmp_path / "y")


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (RuntimeError("DataLoader worker (pid(s) 12, 13) exited unexpectedly"), "data.num_workers"),
        (RuntimeError("DataLoader worker (pid 12) is killed by signal: Killed. "), "data.num_workers"),
        (MemoryError(), "batching.batch_size"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9 bytes"),
            "batching.batch_size",
        ),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB. Of 3"), "CUDA out of memory;"),
    ],
)
def test_other_faults_say_which_key_to_set(error, part):
    assert part in fault_message(error)


@pytest.mark.parametrize(
    "error", [ValueError("x"), RuntimeError("shape mismatch"), OSError("x"), OSError(errno.EINVAL, "x")]
)
def test_what_may_be_a_bug_keeps_its_traceback(error):
    assert fault_message(error) is None


def test_a_command_ends_with_the_line_and_status_1(capsys, monkeypatch):
    def full(words):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), f"{words[0]}\nerror: made up")

    monkeypatch.delenv("HEADWAY_TRACEBACK", raising=False)
    monkeypatch.setattr("headway.cli.train.main", full)
    assert main(["train", "folder"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: folder\\nerror: made up can't be used: No space left on device; make room")
    assert said.count("\n") == 1
    assert "headway train --resume RUN" in said
    monkeypatch.setenv("HEADWAY_TRACEBACK", "1")
    with pytest.raises(OSError, match="No space left"):
        main(["train", "folder"])
