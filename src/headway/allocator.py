"""The C library's memory allocator, told to keep what training frees and asks for again a moment later."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # malloc.h
_LARGEST_INT = 2**31 - 1


def settle_memory() -> bool:
    """Give back what reading the data has left free, and keep what training frees from now on.

    Rows pass through Python and Arrow on their way to the mapped arrays; kept by the process, what they took
    would grow its peak with the number of rows.

    Returns:
        As `keep_freed_memory`.
    """
    arrow = sys.modules.get("pyarrow")
    if arrow is not None:
        arrow.default_memory_pool().release_unused()
    trim = _c_function("malloc_trim")
    if trim is not None:
        trim(0)
    return keep_freed_memory()


def keep_freed_memory() -> bool:
    """Let freed blocks stay with the process, for its next allocation.

    By default glibc gives a large block back at once, and the kernel hands out zeroed pages for the next one:
    with windows of 512 tokens on a CPU, a fifth of the training time went there. The process then holds its
    peak of memory until it ends.

    Returns:
        Whether the allocator is one that takes the advice; nothing is changed otherwise.
    """
    mallopt = _c_function("mallopt")
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, _LARGEST_INT))


def _c_function(name: str) -> Callable[..., int] | None:
    """Return a function of glibc's; None with another C library."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        function: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):
        return None
    return function
