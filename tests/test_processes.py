"""Who is who among several processes, by what Lightning, torchrun and SLURM set."""

from __future__ import annotations

import pytest

from headway.processes import (
    RANK_VARIABLES,
    WORLD_VARIABLES,
    all_processes,
    local_processes,
    process_rank,
    started_by_others,
)


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    for name in (*RANK_VARIABLES, *WORLD_VARIABLES):
        monkeypatch.delenv(name, raising=False)


def trainer(devices, accelerator="cpu", **more):
    return {"devices": devices, "accelerator": accelerator, **more}


@pytest.mark.parametrize(
    ("devices", "count"),
    [(1, 1), (2, 2), ("2", 2), ([0, 3], 2), ("0,3", 2), ("0,", 1), ("auto", 1), (-1, 1), ("-1", 1)],
)
def test_local_processes_on_a_cpu(devices, count):
    assert local_processes(trainer(devices)) == count


def test_machines_multiply():
    assert all_processes(trainer(4, num_nodes=2)) == 8
    assert all_processes(trainer(4)) == 4


def test_alone_it_is_the_first():
    assert (process_rank(), started_by_others()) == (0, False)


@pytest.mark.parametrize(
    "variables",
    [
        {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1"},
        {"SLURM_PROCID": "3", "SLURM_NTASKS": "4"},
        {"LOCAL_RANK": "3", "WORLD_SIZE": "4"},
    ],
)
def test_started_by_others(variables, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (process_rank(), started_by_others()) == (3, True)
    assert all_processes(trainer(1)) == 4


def test_one_task_of_slurms_is_alone(monkeypatch):
    monkeypatch.setenv("SLURM_NTASKS", "1")
    monkeypatch.setenv("SLURM_PROCID", "0")
    assert not started_by_others()
    assert all_processes(trainer(2)) == 2
