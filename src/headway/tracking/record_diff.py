"""What differs between two records of what should be the same run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SECTIONS = ("config", "code", "inputs", "labels", "seeds", "numerics", "schedule", "environment", "threads",
            "trained_together", "features", "memory_limits", "status", "results", "metrics",
            "collapsed")  # fmt: skip
"""What is compared, in this order; the rest is when and where a run ran and how long it took."""
LEFT_OUT = ("environment.argv", "environment.num_threads", "environment.commit", "threads.reason",
            "results.checkpoints", "code.patch", "config.output_dir", "config.cache_dir",
            "config.data.cache_dir", "config.sweep", "config.seeds")  # fmt: skip
"""A sweep's settings say nothing of one run. Checkpoints hold the folder's name, so those of the same weights
differ; `results.weights` is compared."""
UNTOLD = ("seconds", "computed", "bytes")
"""Keys of `features` that say what it cost, not what it is."""


@dataclass(frozen=True)
class Difference:
    """One field that differs.

    Attributes:
        field: Its dotted path in record.json.
        before: In the first record; None where it isn't there.
        after: In the second.
    """

    field: str
    before: Any
    after: Any

    def line(self) -> str:
        """Return it as a line of text."""
        return f"{self.field}: {_short(self.before)} -> {_short(self.after)}"


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Return the fields that differ, in the order of SECTIONS.

    Args:
        first: A record.
        second: Another.
    """
    found = []
    for section in SECTIONS:
        before, after = (dict(_leaves(record.get(section), section)) for record in (first, second))
        for field in dict.fromkeys((*before, *after)):
            if before.get(field) != after.get(field):
                found.append(Difference(field, before.get(field), after.get(field)))
    return found


def _leaves(value: Any, field: str) -> Iterator[tuple[str, Any]]:
    """Yield the fields below a value that count."""
    if field in LEFT_OUT or (field.startswith("features.") and field.rpartition(".")[2] in UNTOLD):
        return
    if field == "environment.cpu.flags":  # one by one, so that the one that is missing is named
        value = dict.fromkeys(value or (), True)
    if field == "results.loss_chain":
        value = {f"epoch {link['epoch']}": link for link in value or ()}
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{field}.{name}")
    else:
        yield field, value


def same_predictions(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Say whether both have predictions of the same splits, the same to the bit.

    Args:
        first: A record.
        second: Another.
    """
    before, after = ((record.get("results") or {}).get("predictions") for record in (first, second))
    return bool(before) and before == after
