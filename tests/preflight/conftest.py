"""Canonical tables made on the spot."""

from __future__ import annotations

import pytest

from headway.data.sources.source import Record
from headway.data.table import Table


@pytest.fixture
def table():
    """Return a function: (**columns) -> Table of rows.csv, whose first row is on line 2."""

    def make(**columns):
        rows = zip(*columns.values(), strict=True)
        records = (
            Record(line, dict(zip(columns, row, strict=True))) for line, row in enumerate(rows, start=2)
        )
        return Table.from_records(records, origin="rows.csv")

    return make
