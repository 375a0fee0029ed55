"""Text of strangers, such as labels, made harmless for a terminal and a log."""

from __future__ import annotations

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


class PrintableFormatter(logging.Formatter):
    """Formats records without control characters; conf/hydra/job_logging names it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's text."""
        return printable(super().format(record))
