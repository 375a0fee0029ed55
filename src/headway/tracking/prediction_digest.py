"""The sha256 of a split's answers: the same only if every answer, probability and loss is, to the bit."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("id", "prediction", "probabilities", "loss")


def answers_digest(table: pa.Table) -> str:
    """Return the sha256 of the answers in a table, however its file was written.

    Args:
        table: As in predictions/<split>.parquet.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name in COLUMNS:
        if name in table.column_names:
            digest.update(name.encode())
            _feed(digest, table.column(name).combine_chunks())
    return digest.hexdigest()


def _feed(digest: Any, values: pa.Array) -> None:
    """Add a column: of texts, of numbers, or of lists of either."""
    import pyarrow.types as kinds

    is_list = kinds.is_list(values.type) or kinds.is_large_list(values.type)
    # A list's type names its items, and Parquet names them otherwise than Arrow does.
    digest.update(f"{'list' if is_list else values.type}:{len(values)};".encode())
    digest.update(np.asarray(values.is_null()).tobytes())
    if is_list:
        digest.update(np.asarray(values.value_lengths().fill_null(0), dtype=np.int64).tobytes())
        _feed(digest, values.flatten())
    elif kinds.is_string(values.type) or kinds.is_large_string(values.type):
        for text in values.to_pylist():
            raw = (text or "").encode("utf-8", "surrogatepass")
            digest.update(b"%d;" % len(raw) + raw)
    elif not kinds.is_null(values.type):
        digest.update(np.asarray(values.fill_null(0)).tobytes())


def prediction_digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of the answers of each split.

    Args:
        folder: A run's.

    Returns:
        Split -> 64 hexadecimal digits.
    """
    import pyarrow.parquet as pq

    files = sorted((folder / "predictions").glob("*.parquet"))
    return {path.stem: answers_digest(pq.read_table(path)) for path in files}
