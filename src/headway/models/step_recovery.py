"""A micro-batch whose forward or backward pass runs out of memory is computed again in parts.

The gradient is the sum of the parts' gradients, so the optimizer step is the whole batch's up to rounding.
(With dropout it is one of the steps that the batch might have made: its parts draw their masks in turn.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from headway.faults import is_out_of_memory
from headway.models.memory_limit import MemoryLimit, free_memory
from headway.models.step_setting import Setting
from headway.types import Batch

Sums = Callable[[Batch], tuple[Tensor, Tensor]]
ADVICE = (
    "lower data.max_length, set backbone.gradient_checkpointing=true, or train fewer layers "
    "(backbone.trainable)"
)


@dataclass(frozen=True)
class _Generators:
    """Where torch's generators stood."""

    cpu: Tensor
    device: Tensor | None

    @classmethod
    def now(cls, device: torch.device) -> _Generators:
        """Return where they stand."""
        on_gpu = device.type == "cuda"
        return cls(torch.get_rng_state(), torch.cuda.get_rng_state(device) if on_gpu else None)

    def restore(self, device: torch.device) -> None:
        """Put them back."""
        torch.set_rng_state(self.cpu)
        if self.device is not None:
            torch.cuda.set_rng_state(self.device, device)


class _Given(torch.autograd.Function):
    """A loss whose gradients are known already; they reach the parameters as those of any other loss."""

    @staticmethod
    def forward(ctx: Any, total: Tensor, gradients: list[Tensor | None], *_parameters: Tensor) -> Tensor:
        """Return the loss, () float."""
        ctx.gradients = gradients
        return total.clone()

    @staticmethod
    def backward(ctx: Any, *factors: Tensor) -> tuple[Tensor | None, ...]:
        """Return each parameter's gradient times that of the loss."""
        gradients, ctx.gradients = ctx.gradients, None
        return None, None, *(None if each is None else each * factors[0] for each in gradients)


class StepRecovery:
    """Sums the loss of micro-batches, and takes their gradients, whole where memory holds them.

    Args:
        sums: Batch -> the sum of its losses, with a graph, and of their weights; both () float.
        share: Batch -> what its sum is multiplied by to be its share of the optimizer step's mean loss.

    Attributes:
        limit: What was found out about the memory.
    """

    def __init__(self, sums: Sums, share: Callable[[Batch], float]) -> None:
        self._sums = sums
        self._share = share
        self.limit = MemoryLimit("training", advice=ADVICE)
        self._taken: list[tuple[Batch, _Generators]] = []
        self._graph: Tensor | None = None
        self._stand_in: Tensor | None = None
        self._at: dict[str, int] = {}

    def sums(
        self, batch: Batch, setting: Setting, *, begins: bool, at: dict[str, int]
    ) -> tuple[Tensor, Tensor]:
        """Return the sum of a batch's losses, which gradients may be taken of, and that of their weights.

        Args:
            batch: Has labels.
            setting: Of the training.
            begins: Whether it is the first micro-batch of its optimizer step.
            at: Epoch, batch and optimizer step.

        Raises:
            TrainingError: A single window doesn't fit.
        """
        generators = _Generators.now(batch.documents.device)
        self._taken = [] if begins else self._taken
        self._taken.append((batch, generators))
        self._at = at
        if not setting.forward:
            return self._sums(batch)
        if len(self.limit.parts(batch)) == 1:
            try:
                return self._sums(batch)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            # Here the error is gone, and with it the frames that held the activations.
            free_memory(batch.documents.device)
            self.limit.lower(batch, at)
        return self._in_parts(batch, generators, setting)

    def held(self, loss: Tensor, setting: Setting) -> Tensor:
        """Return what Lightning may hold instead of a loss, whose graph can then be let go.

        Args:
            loss: The micro-batch's share of the mean loss, () float.
            setting: Of the training.
        """
        if not (setting.backward and loss.requires_grad):
            self._graph = self._stand_in = None
            return loss
        self._graph, self._stand_in = loss, loss.detach().requires_grad_()
        return self._stand_in

    def backward(self, loss: Tensor, setting: Setting) -> bool:
        """Add the gradients of the loss that was held to the parameters'.

        Args:
            loss: What Lightning made of the stand-in.
            setting: Of the training.

        Returns:
            Whether one was held; else nothing is done.

        Raises:
            TrainingError: A single window doesn't fit.
        """
        graph, stand_in = self._graph, self._stand_in
        self._graph = self._stand_in = None
        if graph is None or stand_in is None:
            return False
        (factor,) = torch.autograd.grad(loss, stand_in)
        try:
            torch.autograd.backward(graph, factor)
            return True
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        del graph
        batch = self._taken[-1][0]
        free_memory(batch.documents.device)
        self.limit.lower(max(self.limit.parts(batch), key=lambda part: sum(part.lengths)), self._at)
        self._step_again(factor, setting)
        return True

    def _step_again(self, factor: Tensor, setting: Setting) -> None:
        """Take the gradients of all micro-batches of the step so far: some hold a part of the last one's."""
        while True:
            for parameter in setting.parameters:
                parameter.grad = None
            try:
                for batch, generators in self._taken:
                    total, _ = self._in_parts(batch, generators, setting)
                    torch.autograd.backward(total * self._share(batch), factor)
                return
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            free_memory(factor.device)
            self.limit.lower(max(self.limit.parts(batch), key=lambda part: sum(part.lengths)), self._at)

    def _in_parts(self, batch: Batch, generators: _Generators, setting: Setting) -> tuple[Tensor, Tensor]:
        """Return the sums of a batch, with gradients taken part by part, in smaller ones until they fit."""
        device = batch.documents.device
        while True:
            generators.restore(device)
            gradients: list[Tensor | None] = [None] * len(setting.parameters)
            totals, weights, failed = [], [], None
            for part in self.limit.parts(batch):
                try:
                    total, weight = self._add(part, gradients, setting)
                except (RuntimeError, MemoryError) as error:
                    if not is_out_of_memory(error):
                        raise
                    failed = part
                    break
                totals.append(total)
                weights.append(weight)
            if failed is None:
                self.limit.tell(batch)
                summed, weight = torch.stack(totals).sum(), torch.stack(weights).sum()
                loss: Tensor = _Given.apply(summed, gradients, *setting.parameters)  # type: ignore[no-untyped-call]
                return loss, weight
            del gradients
            free_memory(device)
            self.limit.lower(failed, self._at)

    def _add(self, part: Batch, gradients: list[Tensor | None], setting: Setting) -> tuple[Tensor, Tensor]:
        """Add a part's gradients; return the sum of its losses and that of their weights, without a graph."""
        with torch.enable_grad(), setting.context():
            total, weight = self._sums(part)
        scale = setting.scale()
        taken = torch.autograd.grad(total * scale, setting.parameters, allow_unused=True)
        for place, gradient in enumerate(cast("Sequence[Tensor | None]", taken)):
            if gradient is None:
                continue
            gradient = gradient if scale == 1.0 else gradient / scale
            before = gradients[place]
            gradients[place] = gradient if before is None else before + gradient
        return total.detach(), weight.detach()
