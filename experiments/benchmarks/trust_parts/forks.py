"""Runs a function in a forked process, which may be killed without harm to this one."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def start(function: Callable[[], None], log: Path) -> int:
    """Fork a process that runs a function and ends with 0, or what the exception says; return its id.

    Args:
        function: What to run.
        log: Gets what it prints.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.setsid()
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.stdout = sys.stderr = log.open("a", buffering=1)
        function()
        status = 0
    except BaseException as error:
        status = _status(error)
        if not isinstance(error, SystemExit):
            with suppress(OSError):
                traceback.print_exc()
    finally:
        with suppress(OSError):  # the log may be as full as the disk that a case simulates
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _status(error: BaseException) -> int:
    """Return what a process ends with after an exception, as Python or headway's command line has it."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    return 130 if isinstance(error, KeyboardInterrupt) else int(getattr(error, "exit_status", 1))


def end(pid: int, seconds: float = 120.0) -> int:
    """Wait for a process; return its exit status, -N for a signal.

    Raises:
        TimeoutError: It takes too long; it is killed first.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    raise TimeoutError(f"process {pid} took longer than {seconds} s")


def in_process(function: Callable[[], None], log: Path) -> int:
    """Run a function in a forked process; return its exit status, -N for a signal."""
    return end(start(function, log))
