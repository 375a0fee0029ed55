"""Freed memory stays with the process where the C library can be told so."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROBE = """
import sys, time
import numpy as np
from headway.allocator import keep_freed_memory

def faults():
    import resource
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

if sys.argv[1] == "kept":
    assert keep_freed_memory()
np.ones(1 << 23)  # 64 MiB, above what glibc ever keeps by itself
before = faults()
for _ in range(4):
    np.ones(1 << 23)
print(faults() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_a_large_block_that_was_freed_is_not_asked_of_the_kernel_again():
    faults = {}
    for how in ("kept", "given back"):
        command = [sys.executable, "-c", PROBE, how]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        faults[how] = int(done.stdout)
    assert faults["kept"] * 5 < faults["given back"]
