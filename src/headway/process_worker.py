"""One of the processes that `headway.processes` starts: trains with the first, and writes nothing."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import yaml

from headway.stop_signals import ignore_signals
from headway.types import HeadwayError, Stopped


def main() -> int:
    """Run what standard input says.

    Returns:
        Exit status, as the command's.
    """
    size = int(sys.stdin.buffer.readline())
    told = yaml.safe_load(sys.stdin.buffer.read(size))
    ignore_signals()  # the first process is asked, saves with this one, and then ends it
    threading.Thread(target=_end_with_the_first, daemon=True).start()
    from headway.run import run

    try:
        run(told["cfg"], Path(told["folder"]))
    except HeadwayError as error:
        print(f"process {os.environ.get('RANK')}: error: {error}", file=sys.stderr)
        return error.exit_status
    except Stopped as stop:
        return stop.exit_status
    return 0


def _end_with_the_first() -> None:
    """Wait for the first process to be gone, also by kill -9; then end this one."""
    while os.read(sys.stdin.fileno(), 1024):  # no buffer's lock is held when this process ends
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
