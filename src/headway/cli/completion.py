"""Tab completion: of the verb, and by Hydra of what `headway train` and `headway check` take.

The script that Hydra prints (`headway -sc install=bash`) calls `headway -sc query=bash` with the line so far
in $COMP_LINE. Hydra knows programs without verbs, so the verb is taken out of the line first.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from headway.cli.main import VERBS

LINE_VARIABLE = "COMP_LINE"


def complete(words: Sequence[str]) -> int:
    """Print the script to install, or what the line may go on with.

    Args:
        words: Hydra's flag and its command, such as `-sc query=bash`.

    Returns:
        0.
    """
    line = os.environ.get(LINE_VARIABLE)
    if line is not None and any(word.startswith("query=") for word in words):
        program, verb, rest = _split(line)
        if rest is None:
            print(" ".join(name for name in VERBS if name.startswith(verb)))
            return 0
        if verb not in ("train", "check"):  # files, which the shell itself completes
            return 0
        os.environ[LINE_VARIABLE] = f"{program} {rest}"
    from headway.cli import train

    return train.main(words, program="headway")


def _split(line: str) -> tuple[str, str, str | None]:
    """Return the program, the verb, and what follows it; None where the verb is still being written."""
    program, _, after = line.lstrip().partition(" ")
    verb, blank, rest = after.lstrip().partition(" ")
    return Path(program).name, verb, rest if blank else None
