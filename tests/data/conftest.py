"""Tables made on the spot, as a source would give them."""

from __future__ import annotations

import pytest

from headway.data.sources.source import Record
from headway.data.table import Table


@pytest.fixture(scope="session")
def make_table():
    """Return a function: {column: values} -> Table of rows.csv, whose first row is on line 2."""

    def make(columns, origin="rows.csv"):
        rows = zip(*columns.values(), strict=True)
        records = (
            Record(line, dict(zip(columns, row, strict=True))) for line, row in enumerate(rows, start=2)
        )
        return Table.from_records(records, origin=origin)

    return make
