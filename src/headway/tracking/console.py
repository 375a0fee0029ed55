"""The terminal's log handler."""

from __future__ import annotations

import logging
import sys


class StdoutHandler(logging.Handler):
    """Writes to what sys.stdout is at the time.

    logging.StreamHandler keeps the stream that it found at first; while a progress bar is live, rich puts its
    own in place, which moves lines above the bar.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        print(self.format(record), file=sys.stdout, flush=True)
