"""The gate's findings as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

MEGABYTE = 1e6


def gate_tables(found: Mapping[str, Any]) -> Iterator[Table]:
    """Return what gate.json holds as tables.

    Args:
        found: As GateResult.table.
    """
    yield _latencies(found)
    yield _rest(found)


def _latencies(found: Mapping[str, Any]) -> Table:
    table = Table(title=f"milliseconds from text to answer, {found['threads']} threads")
    for name in ("tokens", "texts", "torch p50", "p95", "p99", "export p50", "p95", "p99", "faster"):
        table.add_column(name, justify="right")
    cells = {(each["length"], each["batch_size"], each["engine"]): each for each in found["latency_ms"]}
    for length, size in dict.fromkeys((length, size) for length, size, _ in cells):
        pair = [cells[length, size, engine] for engine in ("torch", "export")]
        values = [f"{each[name]:.1f}" for each in pair for name in ("p50", "p95", "p99")]
        table.add_row(str(length), str(size), *values, f"{pair[0]['p50'] / pair[1]['p50']:.2f}")
    return table


def _rest(found: Mapping[str, Any]) -> Table:
    metric = found["metric"]
    name = metric["name"]
    cells = found["logits"]
    table = Table(title="export against torch", show_header=False)
    table.add_row("logits, largest difference", f"{max(each['absolute'] for each in cells):.2g}")
    table.add_row("logits, of their spread", f"{max(each['relative'] for each in cells):.2g}")
    table.add_row("cells within bounds", f"{sum(each['within'] for each in cells)} of {len(cells)}")
    table.add_row(f"validation {name}", f"{metric['torch'][name]:.4f} -> {metric['export'][name]:.4f}")
    table.add_row("size", f"{sum(found['bytes'].values()) / MEGABYTE:.1f} MB")
    table.add_row("passed", "yes" if found["passed"] else "NO")
    return table
