"""Read plain text: every line is a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from headway.data.sources.source import Record


def read_lines(lines: Iterable[str], *, origin: str) -> Iterator[Record]:  # noqa: ARG001 - as the other readers
    """Yield each line, blank ones too, as a record with the column `text`.

    Args:
        lines: Of the file.
        origin: What error messages would name; a line can't be wrong.
    """
    for line, text in enumerate(lines, start=1):
        yield Record(line, {"text": text.rstrip("\r\n")})
