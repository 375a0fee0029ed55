"""Decode a binary stream into lines, strictly."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from headway.types import DataError

_UNDECODED = re.compile("[\udc80-\udcff]")


def decode_lines(
    stream: BinaryIO,
    *,
    origin: str,
    encoding: str = "utf-8",
    fallback_encoding: str | None = None,
    newline: str = "\n",
) -> Iterator[str]:
    r"""Yield the lines of a stream with their line ends, and without a byte order mark.

    Args:
        stream: Read from where it stands, and left open.
        origin: What error messages name.
        encoding: What the bytes are.
        fallback_encoding: What those lines are that aren't in `encoding`; None if there are none.
        newline: What ends a line: "\n", or "" for any of "\n", "\r\n" and "\r".

    Raises:
        DataError: A line can't be decoded or holds NUL, or the compressed stream is damaged.
    """
    # Undecodable bytes come as lone surrogates, which no valid text decodes to. A strict decoder would
    # raise for a whole block of bytes, and nobody could say which line is wrong.
    text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline=newline)
    number = 0
    try:
        for number, line in enumerate(text, start=1):
            if number == 1:
                line = line.removeprefix("\ufeff")
            if not line.isascii() and _UNDECODED.search(line):
                line = _recode(line, f"{origin}, line {number}", encoding, fallback_encoding)
            if "\0" in line:
                raise DataError(
                    f"{origin}, line {number} must be text, got a NUL character after {line.index(chr(0))} "
                    "characters; remove it, or set data.source.encoding if the file is UTF-16"
                )
            yield line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"{origin} must be a whole gzip file, got one damaged after line {number} ({error}); fetch or "
            "compress it again"
        ) from error
    except UnicodeError as error:
        raise DataError(
            f"{origin}, after line {number}, must be {encoding} text, got other bytes ({error}); save it as "
            "UTF-8 or set data.source.encoding"
        ) from error
    finally:
        if not stream.closed:  # by its owner, while an error's traceback kept this generator
            text.detach()


def _recode(line: str, place: str, encoding: str, fallback_encoding: str | None) -> str:
    if fallback_encoding is not None:
        try:
            return line.encode(encoding, "surrogateescape").decode(fallback_encoding)
        except UnicodeError:
            encoding = f"{encoding} or {fallback_encoding}"
    undecoded = _UNDECODED.search(line)
    position = 0 if undecoded is None else undecoded.start()
    byte = ord(line[position]) - 0xDC00
    raise DataError(
        f"{place} must be {encoding} text, got the byte 0x{byte:02x} after {position} characters; save it as "
        "UTF-8 or set data.source.encoding"
    )
