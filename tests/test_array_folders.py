"""What a killed writer has left in a cache is removed by the next one, once it is surely nobody's."""

from __future__ import annotations

import errno
import os
import time

import numpy as np
import pytest

from headway import array_folders


def test_what_was_abandoned_long_ago_goes(tmp_path):
    for name, age in ((".key.aaaa", 2), (".key.bbbb", 0), (".other.cccc", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ids.npy").write_bytes(b"half")
        before = time.time() - age * array_folders.ABANDONED
        for path in (tmp_path / name / "ids.npy", tmp_path / name):
            os.utime(path, (before, before))
    array_folders.save(
        tmp_path / "key", lambda folder: array_folders.save_array(folder / "ids.npy", np.arange(3)), format=1
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [".key.bbbb", ".other.cccc", "key"]
    assert array_folders.load(tmp_path / "key", format=1, needed=["ids"])["ids"].tolist() == [0, 1, 2]


def test_a_writer_that_still_writes_keeps_its_folder(tmp_path):
    (tmp_path / ".key.aaaa").mkdir()
    long_ago = time.time() - 2 * array_folders.ABANDONED
    (tmp_path / ".key.aaaa" / "ids.npy").write_bytes(b"new")
    os.utime(tmp_path / ".key.aaaa", (long_ago, long_ago))
    array_folders.save(
        tmp_path / "key", lambda folder: array_folders.save_array(folder / "ids.npy", np.arange(3)), format=1
    )
    assert (tmp_path / ".key.aaaa" / "ids.npy").is_file()


def test_too_few_file_handles_say_nothing_of_the_arrays(tmp_path, monkeypatch):
    folder = tmp_path / "key"
    array_folders.save(
        folder, lambda place: array_folders.save_array(place / "ids.npy", np.arange(3)), format=1
    )

    def refuse(*_, **__):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), "ids.npy")

    monkeypatch.setattr(np, "load", refuse)
    with pytest.raises(OSError, match="Too many open files") as caught:
        array_folders.cached(folder, lambda: pytest.fail("it is kept already"), format=1, needed=["ids"])
    assert caught.value.errno == errno.EMFILE
    assert (folder / "ids.npy").is_file()
