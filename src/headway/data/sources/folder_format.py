"""Read a folder of texts: a folder a class, a file a text."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from headway.data.sources.source import Record
from headway.data.sources.text_lines import decode_lines
from headway.data.table import Table
from headway.types import DataError

SUFFIX = ".txt"


def read_texts(
    files: Iterable[tuple[str, bytes]],
    *,
    origin: str,
    encoding: str = "utf-8",
    fallback_encoding: str | None = None,
) -> Table:
    """Return a table with the columns `id` (the path), `label` (the folder) and `text`, sorted by path.

    Args:
        files: Path below the folder, and content; all but <class>/<name>.txt is passed over.
        origin: The folder, as error messages name it.
        encoding: Of the texts.
        fallback_encoding: Of lines that aren't in `encoding`; None if there are none.

    Raises:
        DataError: There is no such file, or one can't be decoded.
    """
    texts = sorted((path, content) for path, content in files if _is_text(path))
    if not texts:
        raise DataError(
            f"{origin} must hold files <class>/<name>{SUFFIX}, got none; name the folder that holds "
            "the classes"
        )
    records = []
    for path, content in texts:
        place = f"{origin.rstrip('/')}/{path}"
        lines = decode_lines(
            io.BytesIO(content), origin=place, encoding=encoding, fallback_encoding=fallback_encoding
        )
        label = PurePosixPath(path).parent.name
        records.append(Record(1, {"id": path, "label": label, "text": "".join(lines)}))
    table = Table.from_records(records, origin=origin)
    return replace(table, files=tuple(path for path, _ in texts))


def files_below(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path below a folder and content of each <class>/<name>.txt in it.

    Args:
        folder: The folder that holds the classes.
    """
    for name in names_below(folder):
        yield name, (folder / name).read_bytes()


def names_below(folder: Path) -> Iterator[str]:
    """Yield the path below a folder of each <class>/<name>.txt in it.

    Args:
        folder: The folder that holds the classes.
    """
    for path in folder.glob(f"*/*{SUFFIX}"):
        yield path.relative_to(folder).as_posix()


def _is_text(path: str) -> bool:
    return len(PurePosixPath(path).parts) == 2 and path.endswith(SUFFIX)
