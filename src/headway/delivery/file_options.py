"""How the training file was read, and how a file to predict is read after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from headway.data.sources.formats import FORMATS, by_suffix
from headway.data.sources.options import FileOptions

if TYPE_CHECKING:
    from headway.data.text_data import TextData

STDIN = "-"


def training_options(data: TextData) -> dict[str, Any]:
    """Return the format of the training file, and the options that weren't the defaults.

    Args:
        data: Of the run.

    Returns:
        Plain values; {} if the data came from no local file.
    """
    from headway.data.sources.files import Files
    from headway.data.sources.selection import split_spec

    source = data.source
    if not isinstance(source, Files):
        return {}
    form = source.format or by_suffix(split_spec(data.rules.train)[0])
    if form not in FORMATS:
        return {}
    found: dict[str, Any] = {"format": form}
    for option in fields(FileOptions):
        value = getattr(source, option.name)
        if option.name != "format" and value != option.default:
            found[option.name] = value
    return found


def reading_options(
    file: str, *, form: str | None, trained: Mapping[str, Any], given: Mapping[str, Any]
) -> FileOptions:
    """Return how a file is read: as the training file if it is of the same format, and as is said.

    Args:
        file: Its name, or "-".
        form: Its format; None: by the suffix, jsonl for "-", else the training file's.
        trained: Of the training file.
        given: What the command line says.

    Raises:
        ConfigError: The options don't go together.
    """
    usual_form = "jsonl" if file == STDIN else by_suffix(file) or trained.get("format")
    found = form or usual_form
    usual = trained if found is not None and trained.get("format") == found else {}
    return FileOptions(**{**usual, **given, "format": found})
