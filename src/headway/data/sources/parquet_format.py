"""Read Parquet, a batch of rows at a time; typed values become the text they stand for."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from headway.data.sources.literal import as_text
from headway.data.sources.source import Record
from headway.types import DataError

if TYPE_CHECKING:
    from pyarrow import Array

ROWS_PER_BATCH = 1000


def read_parquet(stream: BinaryIO, *, origin: str) -> Iterator[Record]:
    """Yield the rows of a Parquet file; a record's line is its row number, from 1.

    Args:
        stream: Read whole into memory where it can't seek; left open.
        origin: What error messages name.

    Raises:
        DataError: It isn't a Parquet file, or a damaged one.
    """
    import pyarrow as pa
    from pyarrow import parquet

    source = stream if stream.seekable() else io.BytesIO(stream.read())
    number = 0
    try:
        for batch in parquet.ParquetFile(source).iter_batches(batch_size=ROWS_PER_BATCH):
            columns = [_texts(column) for column in batch.columns]
            for number, values in enumerate(zip(*columns, strict=True), start=number + 1):  # noqa: B020
                yield Record(number, dict(zip(batch.schema.names, values, strict=True)))
    except (pa.ArrowException, OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(
            f"{origin} must be a whole Parquet file, got an error after row {number}: {error}; write it again"
        ) from error


def _texts(column: Array) -> list[Any]:
    import numpy as np
    import pyarrow as pa

    values = column.to_pylist()
    if pa.types.is_float32(column.type):
        # As a Python float, 0.1 in single precision would be written 0.10000000149011612.
        return [None if value is None else str(np.float32(value)) for value in values]
    return [as_text(value) for value in values]
