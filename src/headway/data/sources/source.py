"""What a source is, and what it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from headway.data.table import Table


class Record(NamedTuple):
    """One row as it came.

    Attributes:
        line: The line of its file that it starts on, or its 1-based row number where there are no lines.
        values: Its columns: text, None, a list of text, or what the file held where that is none of these.
    """

    line: int
    values: dict[str, Any]


class Source(Protocol):
    """Where the rows of a data set come from; constructed from `data.source`, without reading anything."""

    def read(self, spec: str) -> Table:
        """Return the rows of one split.

        Args:
            spec: What stands at data.train, data.validation or data.test: a path, a member of the package or
                a split of the hub's data set.
        """
        ...
