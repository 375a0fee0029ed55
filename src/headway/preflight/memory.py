"""How much memory a block of work takes at its peak, on a CPU or a GPU."""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

_STATM = Path("/proc/self/statm")
_PAUSE = 0.002
"""Seconds between two looks at the memory of the process."""


@dataclass
class Peak:
    """What a block took, filled in when the block ends.

    Attributes:
        total: Bytes at the peak: of the process on a CPU, of torch's tensors on a GPU.
        growth: Bytes by which that exceeds what there was before.
    """

    total: int = 0
    growth: int = 0


@contextmanager
def watched(device: torch.device) -> Iterator[Peak]:
    """Watch the memory while a block runs.

    Args:
        device: Where the block computes.

    Yields:
        What is filled in at the end.
    """
    peak = Peak()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        yield peak
        torch.cuda.synchronize(device)
        peak.total = torch.cuda.max_memory_allocated(device)
    else:
        before = resident()
        watcher = _Watcher(before)
        watcher.start()
        try:
            yield peak
        finally:
            watcher.stop()
        peak.total = watcher.peak
    peak.growth = max(0, peak.total - before)


class _Watcher(threading.Thread):
    """Looks at the process's memory again and again; torch lets other threads run while it computes."""

    def __init__(self, start: int) -> None:
        super().__init__(daemon=True)
        self.peak = start
        self._done = threading.Event()

    def run(self) -> None:
        """Look at the resident memory until `stop`."""
        while not self._done.is_set():
            self.peak = max(self.peak, resident())
            time.sleep(_PAUSE)

    def stop(self) -> None:
        """Look a last time and end."""
        self._done.set()
        self.join()
        self.peak = max(self.peak, resident())


def resident() -> int:
    """Return the bytes of memory that the process holds; where no /proc tells, the most it ever held."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
