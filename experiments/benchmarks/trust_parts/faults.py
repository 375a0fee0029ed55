"""Row: faults of the machine, the data and the user end exactly or with one line; never silently."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trust_parts import fault_exact, fault_lines, fault_steps
from trust_parts.fault_peers import PEERS
from trust_parts.rows import Case, Row


def _cases(work: Path, share: float) -> Iterator[Case]:
    every = [case for part in (fault_lines, fault_exact, fault_steps) for case in part.cases(work)]
    yield from every[:: max(1, round(1 / share))]


ROW = Row(
    "faults",
    "Faults of machine, data and user: exact, or one line and a non-zero exit",
    _cases,
    PEERS,
)
