"""As many threads as have a core of their own."""

from __future__ import annotations

import os

import pytest

from headway.delivery.threads import checked_threads, free_threads
from headway.types import ConfigError

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize(
    ("text", "most"),
    [("max 100000\n", CORES), ("100000 100000\n", 1), ("50000 100000\n", 1), ("990000000 100000\n", CORES)],
)
def test_a_containers_share_counts(text, most, tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    (tmp_path / "cpu.max").write_text(text)
    assert free_threads(tmp_path / "cpu.max") == most


def test_what_the_environment_asks_counts(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert free_threads(tmp_path / "none") == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    assert free_threads(tmp_path / "none") == CORES


def test_threads_that_were_asked_for():
    assert checked_threads(3) == 3
    with pytest.raises(ConfigError, match="threads must be >= 1, got 0"):
        checked_threads(0)
