"""A training that was interrupted goes on in another folder, unless something still trains it."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from headway.resume import take_over
from headway.tracking.checkpoint_io import LAST, load, save

HOLD = (
    "import sys; from pathlib import Path; from headway.resume import only_run_in\n"
    "with only_run_in(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def folders(tmp_path):
    """An interrupted run's folder, and a new one."""
    earlier, new = tmp_path / "earlier", tmp_path / "new"
    (earlier / "checkpoints").mkdir(parents=True)
    new.mkdir()
    (earlier / "config.yaml").write_text("seed: 1\n", encoding="utf-8")
    save({"weights": torch.arange(3)}, earlier / "checkpoints" / LAST)
    return earlier, new


def test_checkpoints_and_config_move(folders):
    earlier, new = folders
    take_over(earlier, new)
    assert load(new / "checkpoints" / LAST)["weights"].tolist() == [0, 1, 2]
    assert (new / "config.yaml").read_text(encoding="utf-8") == "seed: 1\n"
    assert not (earlier / "checkpoints").exists()


def test_a_run_that_still_trains_keeps_its_checkpoints(folders, caplog):
    earlier, new = folders
    command = [sys.executable, "-c", HOLD, str(earlier)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        take_over(earlier, new)
        process.stdin.close()
    assert load(earlier / "checkpoints" / LAST)["weights"].tolist() == [0, 1, 2]
    assert list(new.iterdir()) == []
    assert "begins anew" in caplog.text
    assert f"a process trains in {earlier}" in caplog.text


def test_a_damaged_checkpoint_is_left_where_it_is(folders, caplog):
    earlier, new = folders
    path = earlier / "checkpoints" / LAST
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    take_over(earlier, new)
    assert list(new.iterdir()) == []
    assert "begins anew" in caplog.text
