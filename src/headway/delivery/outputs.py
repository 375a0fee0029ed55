"""The file that predictions go to: checked, opened, noted as it grows, and finished."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from headway.delivery.progress import BLOCK, Origin, Progress, progress_file, read_progress, write_progress
from headway.delivery.writers import ArrowWriter, CsvWriter, JsonlWriter, Rows, Writer, to_parquet
from headway.types import ConfigError, nearest

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".jsonl", ".csv", ".parquet")


@dataclass(frozen=True)
class Output:
    """Where answers go.

    Attributes:
        path: A file ending in .jsonl, .csv or .parquet; None: jsonl on stdout.
        overwrite: Whether a file may be replaced.
        resume: Whether an interrupted file goes on.
    """

    path: Path | None = None
    overwrite: bool = False
    resume: bool = False

    def data(self, path: Path) -> Path:
        """Return where rows are written: the file itself, or what becomes parquet.

        Args:
            path: `self.path`.
        """
        return path.with_name(path.name + ".rows") if path.suffix == ".parquet" else path

    def begun(self, origin: Origin | None) -> Progress | None:
        """Return how far the file has come that goes on; None where one begins.

        Args:
            origin: What decides it; None where nothing is noted.

        Raises:
            ConfigError: It can't go on.
        """
        if not self.resume or self.path is None or origin is None:
            return None
        return read_progress(self.path, self.data(self.path), origin)


def check_output(output: Output, *, source: str) -> None:
    """Check where predictions shall go, before anything is loaded; nothing is written.

    Args:
        output: Where.
        source: The file that is read, or "-".

    Raises:
        ConfigError: The suffix is unknown, the folder isn't there, the file is and may not be replaced, or
            nothing can go on.
    """
    if output.resume and (output.path is None or output.overwrite or not Path(source).is_file()):
        raise ConfigError(
            "--resume must come with --output, a FILE that can be read again, and without --overwrite, got "
            f"FILE {source!r} and --output {None if output.path is None else str(output.path)!r}; name "
            "both, or leave --resume out"
        )
    target = output.path
    if target is None:
        return
    if target.suffix not in SUFFIXES:
        raise ConfigError(
            f"--output must end in one of {list(SUFFIXES)}, got {str(target)!r}"
            f"{nearest(target.suffix, list(SUFFIXES))}; rename it"
        )
    if not target.parent.is_dir():
        raise ConfigError(
            f"--output must lie in a folder that exists, got {str(target)!r}; create {target.parent}"
        )
    _check_target(output, target, source)


def _check_target(output: Output, target: Path, source: str) -> None:
    if source != "-" and target.exists() and target.samefile(source):
        raise ConfigError(f"--output must not be FILE itself, got {str(target)!r}; name another file")
    if target.is_dir():
        raise ConfigError(f"--output must be a new file, got {str(target)!r}, a folder; or name another")
    if output.overwrite or output.resume:
        return
    if progress_file(target).exists():
        raise ConfigError(
            f"--output must be a new file, got {str(target)!r}, which was interrupted; give --resume to go "
            "on with it, or --overwrite to begin anew"
        )
    if target.exists():
        raise ConfigError(
            f"--output must be a new file, got {str(target)!r}, one that is there; give --overwrite to "
            "replace it; or name another"
        )


class _SummedFile:
    """A file that knows its size and sum, since both are noted with every chunk."""

    def __init__(self, stream: IO[bytes], begun: Progress | None) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.size = 0
        if begun is not None:
            stream.truncate(begun.size)  # what lies behind was being written as it was interrupted
            while block := stream.read(BLOCK):
                self._digest.update(block)
                self.size += len(block)

    @property
    def sha256(self) -> str:
        """The sum of all bytes so far, in hexadecimal."""
        return self._digest.hexdigest()

    def write(self, content: bytes, /) -> None:
        """Append bytes."""
        self._stream.write(content)
        self._digest.update(content)
        self.size += len(content)

    def flush(self) -> None:
        """Hand the bytes to the system."""
        self._stream.flush()


class _NotedWriter(Writer):
    """Writes rows, then notes that they are written."""

    def __init__(self, writer: Writer, stream: _SummedFile, output: Path, begun: Progress) -> None:
        self._writer, self._stream, self._output = writer, stream, output
        self._progress = begun
        self._note(0)

    def write(self, rows: Rows) -> None:
        """Append rows."""
        self._writer.write(rows)
        self._note(len(rows))

    def _note(self, num_rows: int) -> None:
        stream, before = self._stream, self._progress
        self._progress = replace(before, rows=before.rows + num_rows, size=stream.size, sha256=stream.sha256)
        write_progress(self._output, self._progress)


@contextmanager
def open_output(
    output: Output,
    schema: Callable[[], pa.Schema],
    *,
    origin: Origin | None = None,
    begun: Progress | None = None,
) -> Iterator[Writer]:
    """Open what a suffix names.

    Args:
        output: As `check_output` wants it.
        schema: Gives that of the rows; called only for a file, so that stdout doesn't wait for pyarrow.
        origin: What decides the file, which is noted beside it until it is finished; None: nothing is noted.
        begun: How far it has come; None: it is new.

    Yields:
        The writer. After an error what was written is valid all the same, and can go on.

    Raises:
        ConfigError: The file can't be opened.
    """
    path = output.path
    if path is None:
        sys.stdout.flush()
        yield JsonlWriter(sys.stdout.buffer)
        return
    columns, data = schema(), output.data(path)
    if begun is None and output.overwrite:
        progress_file(path).unlink(missing_ok=True)
    # What becomes parquet isn't the user's: a left one is of a run that was killed before it noted anything.
    mode = "r+b" if begun is not None else "wb" if output.overwrite or data != path else "xb"
    try:
        stream = data.open(mode)
    except OSError as error:
        raise ConfigError(
            f"--output must be a file that can be written, got {str(path)!r} ({error})"
        ) from error
    done = False
    try:
        with stream:
            summed = _SummedFile(stream, begun)
            writer = _writer_to(summed, path.suffix, columns, begun=begun is not None)
            if origin is not None:
                writer = _NotedWriter(writer, summed, path, begun or Progress(origin))
            yield writer
        done = True
    finally:
        _finish(path, data, columns, done=done)


def _finish(path: Path, data: Path, schema: pa.Schema, *, done: bool) -> None:
    if data != path:
        with suppress(*(() if done else (OSError,))):  # the first error is the one to tell
            to_parquet(data, path, schema)
    if done:
        if data != path:
            data.unlink()
        progress_file(path).unlink(missing_ok=True)


def _writer_to(stream: _SummedFile, suffix: str, schema: pa.Schema, *, begun: bool) -> Writer:
    if suffix == ".jsonl":
        return JsonlWriter(stream)
    return CsvWriter(stream, schema.names, begun=begun) if suffix == ".csv" else ArrowWriter(stream, schema)
