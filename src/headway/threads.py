"""How many threads torch computes with on a CPU: by what is free, since a thread too many slows all of them.

The rule: as many as torch would take by itself, but no more than the quota of the container, and no more than
the allowed cores that others leave free. A core counts as taken where others use at least half of it, over
the time from the start of the run until its data are ready. What is chosen stays for the whole run. Two runs
that start at the same moment don't see each other; give them `num_threads`.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
VARIABLE = "OMP_NUM_THREADS"
WINDOW = 0.25
"""Seconds between two readings at least: the kernel counts in hundredths."""
_IDLE = (3, 4)  # idle and waiting for a disk, among the numbers of a core in /proc/stat
_LAST = 8  # user, nice, system, idle, iowait, irq, softirq, steal; guests are in user already


@dataclass(frozen=True)
class CpuReading:
    """How much the cores have worked up to a moment.

    Attributes:
        at: Seconds of a clock that never goes back.
        busy: Core-seconds that the allowed cores have worked, for whomever.
        own: Core-seconds that this process and its finished children have used.
    """

    at: float
    busy: float
    own: float


@dataclass(frozen=True)
class ThreadChoice:
    """A number of threads and why it is that.

    Attributes:
        count: Threads.
        reason: In a few words.
    """

    count: int
    reason: str


def allowed_cores() -> frozenset[int]:
    """Return the numbers of the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


def read_cpus(cores: frozenset[int], *, proc: Path = PROC) -> CpuReading | None:
    """Return how much the cores have worked so far.

    Args:
        cores: Their numbers.
        proc: Where Linux tells of it.

    Returns:
        None on a system that doesn't tell.
    """
    try:
        lines = [line.split() for line in (proc / "stat").read_text().splitlines()]
        ticks = {
            int(name[3:]): sum(int(value) for place, value in enumerate(values[:_LAST]) if place not in _IDLE)
            for name, *values in filter(None, lines)
            if name[:3] == "cpu" and name[3:].isdecimal()
        }
        busy = sum(ticks[core] for core in cores) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    used = os.times()
    return CpuReading(time.monotonic(), busy, sum(used[:4]))


def quota(*, proc: Path = PROC, cgroups: Path = CGROUPS) -> float | None:
    """Return how many cores' worth of time the container may use.

    Args:
        proc: Where Linux names the process's control groups.
        cgroups: Where these are.

    Returns:
        The least quota of the process's group and those above it; None for no quota.
    """
    try:
        lines = (proc / "self/cgroup").read_text().splitlines()
    except OSError:
        return None
    found = []
    for line in lines:
        _, names, path = line.split(":", 2)
        if names == "":  # version 2
            root = cgroups
        elif "cpu" in names.split(","):
            root = cgroups / "cpu"
        else:
            continue
        group = root / path.lstrip("/")
        # In a container the path may be the host's, and the files lie at the root.
        for folder in {group, *(p for p in group.parents if p.is_relative_to(root)), root}:
            found += _quota_of(folder)
    return min(found, default=None)


def _quota_of(folder: Path) -> list[float]:
    try:
        if (folder / "cpu.max").exists():
            allowed, period = (folder / "cpu.max").read_text().split()
        else:
            allowed = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu.cfs_period_us").read_text().strip()
        return [] if allowed in ("max", "-1") else [int(allowed) / int(period)]
    except (OSError, ValueError, ZeroDivisionError):
        return []


def taken_cores(before: CpuReading, after: CpuReading) -> float:
    """Return how many cores others used between two readings, on average."""
    seconds = after.at - before.at
    return max(0.0, (after.busy - before.busy) - (after.own - before.own)) / seconds


def choose_threads(
    *, cores: int, own: int, quota: float | None = None, taken: float | None = None
) -> ThreadChoice:
    """Return how many threads to compute with; the rule is at the top of this file.

    Args:
        cores: Allowed.
        own: What torch would take by itself.
        quota: Cores' worth of time that the container may use; None: no bound.
        taken: Cores that others use; None: not known.
    """
    bounds = {own: f"torch's own choice on {cores} cores"}
    if quota is not None:
        bounds.setdefault(max(1, math.floor(quota)), f"the container may use {quota:.2g} of {cores} cores")
    if taken is not None:
        free = max(1, cores - math.floor(taken + 0.5))
        bounds.setdefault(free, f"others use {taken:.1f} of {cores} cores")
    count = min(bounds)
    return ThreadChoice(count, bounds[count])


@cache
def _torchs_choice() -> int:
    return torch.get_num_threads()


def set_threads(requested: int | None, before: CpuReading | None, *, processes: int = 1) -> ThreadChoice:
    """Set torch's threads for this process.

    Args:
        requested: `num_threads` of the config; None: by what is free.
        before: A reading from the start of the run; None: not known.
        processes: That train together here, and share what is free.

    Returns:
        What was set, and why.
    """
    own, cores = _torchs_choice(), allowed_cores()  # torch's, before it is told otherwise
    if requested is not None:
        choice = ThreadChoice(requested, "num_threads says so")
    elif os.environ.get(VARIABLE):
        choice = ThreadChoice(own, f"{VARIABLE} says so")
    else:
        taken = None
        if before is not None:
            time.sleep(max(0.0, before.at + WINDOW - time.monotonic()))
            after = read_cpus(cores)
            taken = None if after is None else taken_cores(before, after)
        choice = choose_threads(cores=len(cores), own=own, quota=quota(), taken=taken)
        if processes > 1:
            choice = ThreadChoice(
                max(1, choice.count // processes), f"{choice.reason}, shared by {processes} processes"
            )
    torch.set_num_threads(choice.count)
    return choice
