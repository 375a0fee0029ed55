"""A checkpoint file is whole or not there, is known by its sha256, and holds no objects."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import signal
import time

import pytest
import torch

from headway.tracking.checkpoint_io import AtomicCheckpointIO, load, save, sum_file, verify
from headway.types import CheckpointError


class Custom:
    """An object that no checkpoint may bring along."""


class Unwritable:
    """Fails in the middle of being saved."""

    def __reduce__(self):
        raise RuntimeError("no such state")


def _names(folder):
    return sorted(child.name for child in folder.iterdir())


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "new" / "best.ckpt"
    save({"state_dict": {"w": torch.arange(3)}, "epoch": 4}, path)
    loaded = load(path)
    assert loaded["epoch"] == 4
    assert loaded["state_dict"]["w"].tolist() == [0, 1, 2]
    assert _names(path.parent) == ["best.ckpt", "best.ckpt.sha256"]


def test_the_sum_is_that_of_sha256sum(tmp_path):
    path = tmp_path / "best.ckpt"
    save({"epoch": 1}, path)
    assert sum_file(path).read_text() == f"{hashlib.sha256(path.read_bytes()).hexdigest()}  best.ckpt\n"


def test_a_failed_write_leaves_the_previous_checkpoint_and_nothing_else(tmp_path):
    path = tmp_path / "best.ckpt"
    save({"epoch": 1}, path)
    with pytest.raises(RuntimeError, match="no such state"):
        save({"epoch": 2, "more": Unwritable()}, path)
    assert load(path)["epoch"] == 1
    assert _names(tmp_path) == ["best.ckpt", "best.ckpt.sha256"]


@pytest.mark.parametrize("weights_only", [None, False, True])
def test_objects_are_refused_whatever_the_caller_asks_for(tmp_path, weights_only):
    path = tmp_path / "foreign.ckpt"
    torch.save({"object": Custom()}, path)
    sum_file(path).write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  foreign.ckpt\n")
    with pytest.raises(Exception, match="Weights only load failed"):
        AtomicCheckpointIO().load_checkpoint(path, weights_only=weights_only)


def test_removing_takes_the_sum_along_and_what_is_gone_is_no_error(tmp_path):
    path = tmp_path / "old.ckpt"
    save({}, path)
    AtomicCheckpointIO().remove_checkpoint(path)
    AtomicCheckpointIO().remove_checkpoint(path)
    assert _names(tmp_path) == []


def test_every_flipped_byte_is_found(tmp_path):
    path = tmp_path / "best.ckpt"
    save({"weights": torch.randn(50)}, path)
    whole = path.read_bytes()
    draw = random.Random(0)
    for place in [0, len(whole) - 1, *draw.sample(range(len(whole)), 40)]:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << draw.randrange(8)]) + whole[place + 1 :])
        with pytest.raises(CheckpointError, match=r"best\.ckpt is damaged.*best\.ckpt\.sha256"):
            load(path)
    path.write_bytes(whole[:-1])
    with pytest.raises(CheckpointError, match=r"best\.ckpt is damaged"):
        verify(path)


def test_a_checkpoint_without_its_sum_is_refused(tmp_path):
    path = tmp_path / "best.ckpt"
    save({}, path)
    sum_file(path).unlink()
    with pytest.raises(CheckpointError, match=r"best\.ckpt can't be trusted: best\.ckpt\.sha256 is missing"):
        load(path)


def test_what_a_killed_process_left_is_removed(tmp_path):
    path = tmp_path / "last.ckpt"
    (tmp_path / ".last.ckpt.123").write_bytes(b"half")
    save({}, path)
    assert _names(tmp_path) == ["last.ckpt", "last.ckpt.sha256"]


def _forked(function):
    pid = os.fork()
    if pid == 0:
        try:
            function()
        finally:
            os._exit(3)
    return pid


def test_a_full_disk_leaves_the_previous_checkpoint(tmp_path):
    path, said = tmp_path / "last.ckpt", tmp_path / "said"
    save({"step": 1}, path)

    def fill():
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        try:
            save({"step": 2, "weights": torch.zeros(100_000)}, path)
        except CheckpointError as error:
            said.write_text(str(error))

    os.waitpid(_forked(fill), 0)
    assert "last.ckpt can't be written: File too large; the one before it is still there" in said.read_text()
    assert load(path)["step"] == 1
    assert _names(tmp_path) == ["last.ckpt", "last.ckpt.sha256", "said"]


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "checkpoints").write_text("")
    with pytest.raises(CheckpointError, match=r"last\.ckpt can't be written: File exists"):
        save({}, tmp_path / "checkpoints" / "last.ckpt")


def test_a_kill_at_any_moment_leaves_a_checkpoint_that_loads(tmp_path):
    path = tmp_path / "last.ckpt"
    save({"step": 0, "weights": torch.zeros(20_000)}, path)
    draw = random.Random(0)

    def save_for_ever():
        for step in range(1, 10_000):
            save({"step": step, "weights": torch.full((20_000,), float(step))}, path)

    for _ in range(15):
        pid = _forked(save_for_ever)
        time.sleep(draw.uniform(0.005, 0.08))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        loaded = load(path)
        assert loaded["weights"].eq(loaded["step"]).all()
