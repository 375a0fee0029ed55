"""A preflight on the terminal, section by section."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from headway.preflight.tables import label_table, length_table, row_table, tokenizer_table
from headway.preflight.words import count, duration, millions, percent, size
from headway.tracking.printable import printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from headway.preflight.cost import CostFacts
    from headway.preflight.disk import DiskFacts
    from headway.preflight.preflight import Preflight
    from headway.preflight.training import TrainingFacts

BUSY = 0.5
"""Share of the cores in use before measuring from which the table says so."""


def show(found: Preflight, console: Console) -> None:
    """Print all sections, and the findings last.

    Args:
        found: What is known of the run.
        console: Where to.
    """
    sections = {
        "labels": label_table(found.labels),
        "rows": row_table(found.rows),
        "tokenizer": tokenizer_table(found.tokenizer),
        "lengths": length_table(found.lengths),
        "training": training_lines(found.training),
        "cost": cost_lines(found.cost, found.disk),
    }
    for title, parts in sections.items():
        console.print(Text(title, style="bold underline"))
        for part in parts:
            console.print(part)
        console.print()
    errors = sum(finding.level == "error" for finding in found.findings)
    console.print(Text("findings", style="bold underline"))
    for finding in found.findings:
        style = "bold red" if finding.level == "error" else "yellow"
        # A line each, however narrow the terminal, so that it can be searched and copied.
        console.print(
            Text.assemble((f"{finding.level}: ", style), printable(finding.message)), soft_wrap=True
        )
    console.print(Text(f"{count(errors, 'error')}, {count(len(found.findings) - errors, 'warning')}"))


def _facts(rows: dict[str, str]) -> Table:
    table = Table(show_header=False, show_edge=False, pad_edge=False, box=None)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(Text(name), Text(printable(value)))
    return table


def training_lines(facts: TrainingFacts) -> Iterator[RenderableType]:
    """Yield steps, batches, what trains, and the learning rates.

    Args:
        facts: What training will do.
    """
    accumulated = f" of {facts.accumulate} micro-batches" if facts.accumulate > 1 else ""
    padding = f", {facts.padding:.1%} of what is computed is padding" if facts.padding else ""
    groups = {"no_decay": 0, "decay": 0, "head": 0}
    for group in facts.groups:
        if group.name != "frozen":
            part = "head" if group.name.startswith("head") else group.name.rpartition("/")[2]
            groups[part if part in groups else "decay"] += group.parameters
    yield _facts(
        {
            "steps": f"{facts.total_steps} optimizer steps{accumulated} in {count(facts.epochs, 'epoch')}, "
            f"{facts.steps} in the first",
            "batches": f"{facts.micro_batches} an epoch; mean {facts.windows_a_batch:.1f} windows each, "
            f"{facts.tokens_a_step:.0f} tokens a step{padding}",
            "parameters": f"{millions(facts.trained)} of {millions(facts.parameters)} train: encoder "
            f"{millions(groups['decay'])} with and {millions(groups['no_decay'])} without weight decay, "
            f"head {millions(groups['head'])}",
            "computing": f"{facts.precision}, {facts.layout} layout, {facts.device}, "
            f"{count(facts.threads, 'thread')}",
        }
    )
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("learning rate")
    for name in ("step", "encoder's last layer", "head"):
        table.add_column(name, justify="right")
    for point in facts.points:
        encoder = "frozen" if point.encoder_lr is None else f"{point.encoder_lr:.3g}"
        table.add_row(point.name, str(point.step), encoder, f"{point.head_lr:.3g}")
    yield table


def cost_lines(cost: CostFacts | None, disk: DiskFacts) -> Iterator[RenderableType]:
    """Yield seconds, memory and room on the disk.

    Args:
        cost: None where nothing was measured.
        disk: Of the run's folder and the cache.
    """
    rows: dict[str, str] = {}
    if cost is not None:
        time, memory = cost.time, cost.memory
        scoring = f", other splits at the end {duration(time.scoring)}" if time.scoring else ""
        if time.features:
            scoring = f"; before, the frozen backbone over all splits once, {duration(time.features)}"
        rows = {
            "whole run": f"about {duration(time.run)}: an epoch {duration(time.epoch)}, a validation "
            f"{duration(time.validation)}{scoring}",
            "a step": f"{duration(time.step)}: forward {percent(time.forward, time.step)}, backward "
            f"{percent(time.backward, time.step)}, optimizer {percent(time.optimizer, time.step)}; "
            f"{time.tokens_per_second:.0f} tokens a second",
            "memory": f"{size(memory.peak)} at the peak on {memory.device}: weights {size(memory.weights)}, "
            f"gradients {size(memory.gradients)}, optimizer {size(memory.optimizer)}, activations "
            f"{size(memory.activations)} for the largest batch ({memory.largest_batch} tokens)",
            "first loss": "not a finite number" if cost.first_loss is None else f"{cost.first_loss:.4f}",
        }
    rows["disk"] = (
        f"checkpoints {size(disk.checkpoints)}, artifact {size(disk.artifact)}; {size(disk.free)} free "
        f"for the run. Encoded data {size(disk.encoded)}"
        + (f", features {size(disk.features)}" if disk.features else "")
        + f"; {size(disk.cache_free)} free in the cache"
    )
    yield _facts(rows)
    if cost is None:
        yield Text("time and memory weren't measured")
    elif cost.time.load > BUSY * cost.time.cores:
        yield Text(
            f"measured on a busy machine (load {cost.time.load:.1f} on {cost.time.cores} cores): alone, the "
            "run takes less"
        )
