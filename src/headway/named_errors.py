"""Lets an error of the system name the file it is about, which those of writing don't."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name a file in what a block raises where nothing is named yet.

    Args:
        path: What the block writes.

    Raises:
        OSError: As the system raised it.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:  # without a number its text would be lost
            error.filename = str(path)
        raise
