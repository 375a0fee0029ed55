"""`headway train --resume RUN`: the words that began a run, said again for its folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from headway.tracking.record import REDACTED, is_finished
from headway.types import ConfigError

FLAG = "--resume"


def resumed_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Replace `--resume RUN` by what began the run.

    Args:
        words: Of the command line.

    Returns:
        The user's words, those of the run before them; and overrides of the program's own.

    Raises:
        ConfigError: There is no such run, it is finished, or the command can't resume.
    """
    rest = [*words]
    place = next((i for i, word in enumerate(rest) if word.split("=", 1)[0] == FLAG), None)
    if place is None:
        return rest, []
    _, sign, name = rest.pop(place).partition("=")
    if not sign:
        name = rest.pop(place) if place < len(rest) else ""
    folder = Path(name).absolute()
    began = _words_of(folder, name)
    if "-m" in rest or "--multirun" in rest:
        raise ConfigError(f"{FLAG} must name one run, got {name} and -m; a sweep goes on by its own command")
    said = {_key(word) for word in rest}
    hidden = [word for word in began if REDACTED in word and _key(word) not in said]
    if hidden:
        print(f"not kept in the run, say them again if they are needed: {', '.join(hidden)}", file=sys.stderr)
    began = [word for word in began if _key(word) not in said and REDACTED not in word]
    return [*began, *rest], [f"hydra.run.dir={_quoted(str(folder))}", "hydra.mode=RUN"]


def _words_of(folder: Path, name: str) -> list[str]:
    if not name or not (folder / "overrides.yaml").is_file():
        raise ConfigError(
            f"{FLAG} must name a run's folder, got {name or 'nothing'!r}, which holds no overrides.yaml; "
            "give the folder that headway train printed"
        )
    if is_finished(folder):
        raise ConfigError(f"{FLAG} must name a run that stopped, got {name}, which is finished; train anew")
    words = yaml.safe_load((folder / "overrides.yaml").read_text(encoding="utf-8")) or []
    return [str(word) for word in words]


def _key(word: str) -> str:
    return word.partition("=")[0].lstrip("+~")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
