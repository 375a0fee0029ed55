"""Threads by what is free: the rule at its borders, from files such as Linux has."""

from __future__ import annotations

import os

import pytest
import torch

from headway import threads
from headway.threads import (
    CpuReading,
    ThreadChoice,
    allowed_cores,
    choose_threads,
    quota,
    read_cpus,
    set_threads,
    taken_cores,
)

HZ = os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(
    ("taken", "count"),
    [(0.0, 4), (0.49, 4), (0.5, 3), (1.49, 3), (1.5, 2), (2.49, 2), (2.5, 1), (3.9, 1), (9.0, 1), (None, 4)],
)
def test_a_core_is_taken_where_others_use_half_of_it(taken, count):
    assert choose_threads(cores=4, own=4, taken=taken).count == count


@pytest.mark.parametrize(("quota", "count"), [(None, 4), (8.0, 4), (4.0, 4), (3.99, 3), (1.5, 1), (0.5, 1)])
def test_no_more_than_the_container_may_use(quota, count):
    assert choose_threads(cores=4, own=4, quota=quota).count == count


def test_load_is_taken_from_the_cores_not_from_the_quota_or_torchs_choice():
    assert choose_threads(cores=64, own=32, quota=4.0, taken=10.0).count == 4
    assert choose_threads(cores=64, own=32, taken=10.0).count == 32
    assert choose_threads(cores=64, own=32, taken=40.0).count == 24


def test_the_reason_is_what_bounds():
    assert choose_threads(cores=4, own=2, taken=1.0) == ThreadChoice(2, "torch's own choice on 4 cores")
    assert choose_threads(cores=4, own=4, taken=1.2) == ThreadChoice(3, "others use 1.2 of 4 cores")
    assert choose_threads(cores=4, own=4, quota=1.5, taken=1.2) == ThreadChoice(
        1, "the container may use 1.5 of 4 cores"
    )


def stat(folder, *cores):
    """/proc/stat of so many cores, each (busy, idle) in seconds; a tenth of the busy time is a guest's."""
    rows = ["cpu  1 2 3 4 5 6 7 8 9 10"]
    for number, (busy, idle) in enumerate(cores):
        share = round(busy * HZ / 5)
        rows.append(f"cpu{number} {share} {share} {share} {round(idle * HZ)} 7 {share} 0 {share} {share} 0")
    folder.mkdir(exist_ok=True)
    (folder / "stat").write_text("\n".join([*rows, "intr 5 6", ""]))


def test_only_allowed_cores_are_read(tmp_path):
    stat(tmp_path, (10.0, 90.0), (20.0, 80.0), (40.0, 60.0))
    reading = read_cpus(frozenset({0, 2}), proc=tmp_path)
    assert reading.busy == pytest.approx(50.0)
    assert reading.own == pytest.approx(sum(os.times()[:4]), abs=0.5)
    assert read_cpus(frozenset({5}), proc=tmp_path) is None
    assert read_cpus(frozenset({0}), proc=tmp_path / "none") is None


def test_what_others_use_is_a_mean_without_our_own():
    before = CpuReading(at=100.0, busy=1000.0, own=5.0)
    assert taken_cores(before, CpuReading(at=102.0, busy=1005.0, own=6.0)) == 2.0
    # Clocks of different kinds: ours may seem to have used more than there was.
    assert taken_cores(before, CpuReading(at=102.0, busy=1001.0, own=6.5)) == 0.0


def group(folder, *, cgroup, files):
    (folder / "proc/self").mkdir(parents=True)
    (folder / "proc/self/cgroup").write_text(cgroup)
    for name, text in files.items():
        path = folder / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return quota(proc=folder / "proc", cgroups=folder / "cgroup")


@pytest.mark.parametrize(
    ("cgroup", "files", "expected"),
    [
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2.0),
        ("0::/a\n", {"a/cpu.max": "max 100000\n"}, None),
        ("0::/hosts/path\n", {"cpu.max": "50000 100000\n"}, 0.5),
        (
            "4:memory:/\n3:cpu,cpuacct:/d\n",
            {"cpu/d/cpu.cfs_quota_us": "300000\n", "cpu/d/cpu.cfs_period_us": "100000\n"},
            3.0,
        ),
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ("1:cpu:/\n0::/\n", {}, None),
        ("0::/\n", {"cpu.max": "broken\n"}, None),
    ],
)
def test_the_quota_of_both_versions_of_control_groups(tmp_path, cgroup, files, expected):
    assert group(tmp_path, cgroup=cgroup, files=files) == expected


def test_without_control_groups_there_is_no_quota(tmp_path):
    assert quota(proc=tmp_path, cgroups=tmp_path) is None


@pytest.fixture
def restored():
    count = torch.get_num_threads()
    yield
    torch.set_num_threads(count)


@pytest.mark.usefixtures("restored")
def test_the_config_and_the_variable_override(monkeypatch):
    assert set_threads(2, None) == ThreadChoice(2, "num_threads says so")
    assert torch.get_num_threads() == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert set_threads(None, None).reason == "OMP_NUM_THREADS says so"


@pytest.mark.usefixtures("restored")
def test_what_is_set_is_within_what_is_allowed(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = read_cpus(allowed_cores())
    choice = set_threads(None, before)
    assert 1 <= choice.count <= max(1, len(allowed_cores()))
    assert torch.get_num_threads() == choice.count
    # An earlier run's choice is no bound for the next one's.
    set_threads(1, None)
    assert threads._torchs_choice() >= choice.count
