"""Text of strangers, such as labels, made harmless for a terminal and a log."""

from __future__ import annotations

import copy
import logging
import re

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a terminal may act on; tabs and line feeds stay."""


def printable(text: str) -> str:
    r"""Return a text with control characters written out, such as \x1b for the one that begins an escape.

    Args:
        text: Any.
    """
    return CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


def one_line(text: str) -> str:
    r"""Return a text as `printable` does, with line feeds written out as \\n: none of it begins a line.

    Args:
        text: Any.
    """
    return printable(text).replace("\n", "\\n")


class PrintableFormatter(logging.Formatter):
    """Formats records without control characters; conf/hydra/job_logging names it.

    What is put into a message, such as a label, can't begin a line either.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's text."""
        if isinstance(record.args, tuple):
            record = copy.copy(record)
            record.args = tuple(
                one_line(each) if isinstance(each, str) else each for each in record.args or ()
            )
        return printable(super().format(record))
