"""What a user asks of the benchmarks, where they work, and how a figure is judged."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BENCHMARKS = ROOT / "experiments" / "benchmarks"


def all_cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Options:
    """What the command line says.

    Attributes:
        outputs: Folder of rows, rounds and runs; what is there already isn't made again.
        threads: CPU threads of every contender.
        rounds: How often each contender runs; None: the part's own number.
        quick: Whether sizes are tiny, which tries the code and measures nothing.
        again: Whether rounds kept before are left aside.
        seeds: Of whole trainings.
        data: Data sets of whole trainings; None: all.
    """

    outputs: Path
    threads: int
    rounds: int | None = None
    quick: bool = False
    again: bool = False
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    data: tuple[str, ...] | None = None

    def size(self, full: int, tiny: int) -> int:
        """Return a size: the full one, or the tiny one of a quick run."""
        return tiny if self.quick else full

    def times(self, full: int) -> int:
        """Return how often each contender runs."""
        return self.rounds or (1 if self.quick else full)


def verdict(value: float, aim: float, *, at_least: bool = True) -> str:
    """Return an aim and whether it was met, for a cell of a table.

    Args:
        value: What was measured.
        aim: What was wanted.
        at_least: Whether more is better.
    """
    met = value >= aim if at_least else value <= aim
    return f"{'>=' if at_least else '<='} {aim:g}: {'met' if met else 'missed'}"
