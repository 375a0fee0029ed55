"""Numbers on a command line, with messages that say what is allowed."""

from __future__ import annotations

import argparse


def positive(word: str) -> int:
    """Return a whole number of at least 1.

    Args:
        word: As it came.

    Raises:
        argparse.ArgumentTypeError: It is something else.
    """
    if word.isdecimal() and int(word) >= 1:
        return int(word)
    raise argparse.ArgumentTypeError(f"must be a whole number >= 1, got {word!r}")


def share(word: str) -> float:
    """Return a number between 0 and 1, without these.

    Args:
        word: As it came.

    Raises:
        argparse.ArgumentTypeError: It is something else.
    """
    try:
        value = float(word)
    except ValueError:
        value = 0.0
    if 0 < value < 1:
        return value
    raise argparse.ArgumentTypeError(f"must be a number in (0, 1), got {word!r}")
