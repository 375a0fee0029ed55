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


PROBE_SETTLED = """
import numpy as np
from headway.allocator import settle_memory

def resident():
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[1]) * 4096

many = [bytes(100_000) + b"1" for _ in range(1000)]  # 100 MB in blocks that glibc takes from its heap
last = bytes(100_000) + b"2"  # after them, so that the heap's end stays in use
before = resident()
del many
assert settle_memory()
print(before - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_what_was_read_and_freed_is_given_back():
    command = [sys.executable, "-c", PROBE_SETTLED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) > 80e6
