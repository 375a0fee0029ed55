"""Start a command, and say how soon its first line came and what memory it took. Prints JSON.

    python experiments/benchmarks/first_answer.py COMMAND ...

A program of its own: a process begins with the peak memory of the one that started it, so that must be small.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def main() -> None:
    """Start, read, wait."""
    start = time.perf_counter()
    with subprocess.Popen(
        sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        if process.stdout is None:
            raise TypeError("no pipe")
        lines = [process.stdout.readline()]
        first = time.perf_counter() - start
        lines += process.stdout.readlines()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or not lines[0].strip():
        raise SystemExit(f"{sys.argv[1:]} ended with {process.returncode}")
    print(json.dumps({"seconds": first, "peak_mib": usage.ru_maxrss // 1024, "last": lines[-1].strip()}))


if __name__ == "__main__":
    main()
