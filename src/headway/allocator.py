"""The C library's memory allocator, told to keep what training frees and asks for again a moment later."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # malloc.h
_LARGEST_INT = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let freed blocks stay with the process, for its next allocation.

    By default glibc gives a large block back at once, and the kernel hands out zeroed pages for the next one:
    with windows of 512 tokens on a CPU, a fifth of the training time went there. The process then holds its
    peak of memory until it ends.

    Returns:
        Whether the allocator is one that takes the advice; nothing is changed otherwise.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, _LARGEST_INT))
