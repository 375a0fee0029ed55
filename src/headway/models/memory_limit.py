"""How many tokens fit into memory at once, as far as a training has found out by running out of it."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from typing import Any, TypeVar

import torch

from headway.faults import is_out_of_memory
from headway.models.batch_parts import halves, num_tokens, parts
from headway.types import Batch, TrainingError

log = logging.getLogger(__name__)
T = TypeVar("T")


def free_memory(device: torch.device) -> None:
    """Give back what the failed attempt held.

    Args:
        device: Where it was computed.
    """
    gc.collect()  # a graph may be in a cycle with what made it
    if device.type == "cuda":
        torch.cuda.empty_cache()


class MemoryLimit:
    """Cuts batches into parts that fit, and learns from each that doesn't.

    Args:
        what: What is computed, for messages: "training", "evaluation".
        advice: What the user may set where a single window doesn't fit.

    Attributes:
        max_tokens: Of one part; None where everything has fitted so far.
        since: When a batch didn't fit for the first time; None: never.
    """

    def __init__(self, what: str, *, advice: str) -> None:
        self._what = what
        self._advice = advice
        self.max_tokens: int | None = None
        self.since: dict[str, int] | None = None
        self._said: int | None = None

    @classmethod
    def of_evaluation(cls) -> MemoryLimit:
        """Return one for batches that no gradient is taken of."""
        return cls("evaluation", advice="lower data.max_length")

    def parts(self, batch: Batch) -> list[Batch]:
        """Return a batch as parts that are thought to fit."""
        return parts(batch, self.max_tokens)

    def lower(self, part: Batch, at: dict[str, int]) -> None:
        """Take it that a part doesn't fit; from now on it is halved, and all that are as large.

        Args:
            part: Of a batch.
            at: Epoch, batch and optimizer step, for the record.

        Raises:
            TrainingError: It is a single window.
        """
        if len(part.lengths) == 1:
            raise TrainingError(
                f"{self._what} runs out of memory with one window of {num_tokens(part)} tokens "
                f"(epoch {at['epoch']}, batch {at['batch']}), which can't be cut further; {self._advice}"
            )
        self.max_tokens = max(map(num_tokens, halves(part)))
        self.since = self.since or dict(at)

    def tell(self, batch: Batch) -> None:
        """Say that a batch fitted after all, once for each limit.

        Args:
            batch: Computed, in parts.
        """
        if self.max_tokens is None or self.max_tokens == self._said:
            return
        self._said = self.max_tokens
        log.warning(
            "out of memory in %s with %d windows of %d tokens: whatever has more than %d tokens is computed "
            "in parts from here on, with the same outcome up to rounding",
            self._what,
            len(batch.lengths),
            num_tokens(batch),
            self.max_tokens,
        )

    def each(
        self, batch: Batch, compute: Callable[[Batch], T], at: dict[str, int], *, again: bool = True
    ) -> list[T]:
        """Compute something of a batch that has no state, in parts where need be.

        Args:
            batch: Any.
            compute: Takes a part.
            at: Epoch, batch and optimizer step.
            again: Whether it may be computed again, in parts; else it is computed whole.

        Returns:
            What came of each part, in the order of the batch.

        Raises:
            TrainingError: A single window doesn't fit.
        """
        if not again:
            return [compute(batch)]
        while True:
            found, failed = [], None
            for part in self.parts(batch):
                try:
                    found.append(compute(part))
                except (RuntimeError, MemoryError) as error:
                    if not is_out_of_memory(error):
                        raise
                    failed = part
                    break
            if failed is None:
                self.tell(batch)
                return found
            del found
            free_memory(batch.documents.device)
            self.lower(failed, at)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint holds: a resumed training cuts as one that was never stopped."""
        return {"max_tokens": self.max_tokens, "since": self.since}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with what was known.

        Args:
            state: As `state_dict` returned it.
        """
        self.max_tokens, self.since = state["max_tokens"], state["since"]
        self._said = self.max_tokens
