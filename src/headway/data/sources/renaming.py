"""Give columns other names, where files of one data set name them differently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from headway.data.sources.source import Record
from headway.types import DataError


def renamed(records: Iterator[Record], names: Mapping[str, str], origin: str) -> Iterator[Record]:
    """Yield records with columns renamed; a record that lacks a column is left as it is.

    Args:
        records: All records.
        names: {old: new}.
        origin: What error messages name.

    Raises:
        DataError: A record has a column of the new name already.
    """
    for record in records:
        values = {names.get(name, name): value for name, value in record.values.items()}
        if len(values) < len(record.values):
            taken = sorted(set(record.values) & {names[name] for name in record.values if name in names})
            raise DataError(
                f"{origin}, line {record.line}: `data.source.rename` must give names that no other column "
                f"has, got {taken}; choose another name"
            )
        yield Record(record.line, values)
