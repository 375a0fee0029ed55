"""What a run says: to a terminal or a pipe that may go away, and to a run.log on a disk that may be full."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


class StdoutHandler(logging.Handler):
    """Writes to what sys.stdout is at the time.

    logging.StreamHandler keeps the stream that it found at first; while a progress bar is live, rich puts its
    own in place, which moves lines above the bar.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        print(self.format(record), file=sys.stdout, flush=True)


class RunLog(logging.FileHandler):
    """run.log; where it can't be written, that is said once and the run goes on: results lie elsewhere."""

    _told = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            super().emit(record)
        except OSError as error:  # of opening the file; what writing raises ends up in handleError
            self._lose(error)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Say once that lines are lost; of a record that can't be formatted, what Python says."""
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            self._lose(error)
        else:
            super().handleError(record)

    def _lose(self, error: OSError) -> None:
        self._open_again()
        if not self._told:
            self._told = True
            why = error.strerror or error
            print(f"warning: lines are missing in {self.baseFilename}: {why}", file=sys.stderr)

    def _open_again(self) -> None:
        """Let go of the file and of what waits in its buffers; the next line opens it again."""
        stream: Any = self.stream
        self.stream = None
        if stream is not None:
            _send_nowhere(stream)
            stream.close()


def _send_nowhere(stream: TextIO) -> None:
    """Let what waits in a stream's buffers, and all that follows, go to no file."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class SteadyStream:
    """A text stream that never ends the work which writes to it.

    What its encoding lacks is written as an escape. Once nobody reads it or nothing more fits, that is said
    on the other stream, and the rest goes nowhere.

    Args:
        stream: stdout or stderr.
        other: Where to say that it is lost.
    """

    def __init__(self, stream: TextIO, other: TextIO) -> None:
        self._stream = stream
        self._other = other

    def __getattr__(self, name: str) -> Any:
        """Return what isn't here from the stream."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text."""
        try:
            return self._stream.write(text)
        except UnicodeEncodeError as error:
            return self._stream.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
        except OSError as error:
            self._lose(error)
            return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        try:
            self._stream.flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        """Send the rest nowhere, also what waits in the stream's buffer and what is written past it."""
        with suppress(OSError, ValueError):  # ValueError: it has no descriptor, as in tests
            _send_nowhere(self._stream)
        name = getattr(self._stream, "name", "a stream")
        with suppress(OSError, ValueError):
            self._other.write(
                f"warning: {name} can't be written: {error.strerror or error}; the work goes on\n"
            )
            self._other.flush()


def open_streams() -> None:
    """Give stdin, stdout and stderr a file each where the process was started without one.

    Else the next file that is opened would take the place of stdout, and get what is printed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free descriptor, which is this one
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w", closefd=False))


@contextmanager
def steady_output() -> Iterator[None]:
    """Let stdout and stderr be steady in a block."""
    before = sys.stdout, sys.stderr
    stdout: Any = SteadyStream(before[0], before[1])
    stderr: Any = SteadyStream(before[1], before[0])
    sys.stdout, sys.stderr = stdout, stderr
    try:
        yield
    finally:
        if sys.stdout is stdout:
            sys.stdout = before[0]
        if sys.stderr is stderr:
            sys.stderr = before[1]
