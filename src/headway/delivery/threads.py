"""How many threads may compute, by what this process is allowed."""

from __future__ import annotations

import os
from math import ceil
from pathlib import Path

from headway.types import ConfigError

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Where Linux says how much processor time a container gets: microseconds, and of how many."""


def free_threads(quota: Path = QUOTA) -> int:
    """Return how many threads have a core of their own.

    More than that wait for one another in every layer, which costs more than it brings.

    Args:
        quota: The file that holds the container's share.

    Returns:
        The least of: cores this process may run on, the container's share rounded up, and OMP_NUM_THREADS
        where it is set; at least 1.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    limits = [len(affinity(0)) if affinity else os.cpu_count() or 1]
    if quota.is_file():
        share, _, period = quota.read_text(encoding="ascii").strip().partition(" ")
        if share.isdigit() and period.isdigit() and int(period):
            limits.append(ceil(int(share) / int(period)))
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit():
        limits.append(int(asked))
    return max(1, min(limits))


def checked_threads(threads: int | None) -> int:
    """Return the threads asked for, or as many as are free.

    Args:
        threads: At least 1; None: as many as are free.

    Raises:
        ConfigError: It is less than 1.
    """
    if threads is None:
        return free_threads()
    if threads < 1:
        raise ConfigError(f"threads must be >= 1, got {threads}; raise it or leave it out")
    return threads
