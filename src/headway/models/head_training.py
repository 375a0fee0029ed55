"""Training of linear heads on kept features: many heads at once, one batched product a step.

A step costs little more for sixty heads than for one, and nothing of Lightning's or the autograd engine's
machinery stands between two steps. One head alone takes the same path, so that a trial of a sweep equals its
own single run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from headway.models.fast_dropout import LEVELS, random_bits
from headway.models.features import to_tensor
from headway.models.head_plans import HeadEpoch, HeadPlan

if TYPE_CHECKING:
    from headway.types import RowStep


BLOCK = 64
"""Most steps whose random numbers are drawn in one call."""


class HeadTrainer:
    """Trains heads side by side; none knows of the others.

    Args:
        plans: A head each; all with as many labels and features, and as many steps in every epoch.
        features: (num_rows, hidden_size) float32, or uint16 that holds bfloat16's bits; may be a memory map.
        labels: (num_rows, ...) as the losses take them.
        weights: (num_rows,) float32, what each row's loss counts.
        chunk_bytes: Largest block of gathered features: heads beyond it take their turn, so that memory
            stays flat.

    Source: the steps are AdamW's, Loshchilov and Hutter 2019, algorithm 2, as torch.optim.AdamW takes them.
    """

    def __init__(
        self,
        plans: Sequence[HeadPlan],
        *,
        features: np.ndarray,
        labels: np.ndarray,
        weights: np.ndarray,
        chunk_bytes: int = 1 << 26,
    ) -> None:
        self._chunk_bytes = chunk_bytes
        self._plans = tuple(plans)
        self._dropped = [round(plan.dropout * LEVELS) for plan in plans]
        self._features = features
        self._labels = torch.from_numpy(np.ascontiguousarray(labels))
        self._weights = torch.from_numpy(np.ascontiguousarray(weights, dtype=np.float32))
        # (num_heads, hidden_size + 1, num_labels): the bias is the row of a feature that is always 1.
        self._parameters = torch.stack([torch.cat([p.weight.T, p.bias[None]]) for p in plans]).float()
        self._first = torch.zeros_like(self._parameters)
        self._second = torch.zeros_like(self._parameters)
        self._step = 0
        of_parts = [np.array([p.lr for p in plans]), np.array([p.weight_decay for p in plans])]
        self._lr, self._decay = (self._spread(values) for values in of_parts)
        self._rates = torch.from_numpy(np.stack([p.rates for p in plans])).float()  # (num_heads, total_steps)
        betas = torch.tensor([p.betas for p in plans], dtype=torch.float64)
        self._betas = betas[:, 0].view(-1, 1, 1), betas[:, 1].view(-1, 1, 1)
        self._eps = torch.tensor([p.eps for p in plans]).view(-1, 1, 1)
        self._clip = torch.tensor([p.clip if p.clip is not None else float("inf") for p in plans])
        self._scratch = torch.empty_like(self._parameters)

    def _spread(self, of_parts: np.ndarray) -> Tensor:
        """Return (num_heads, 2) values of weight and bias as (num_heads, hidden_size + 1, 1)."""
        values = torch.from_numpy(of_parts).float()
        hidden = self._parameters.shape[1] - 1
        return torch.cat([values[:, :1].expand(-1, hidden), values[:, 1:]], dim=1).unsqueeze(2)

    def epoch(self, number: int, steps: Sequence[Sequence[RowStep]]) -> list[HeadEpoch]:
        """Take an epoch's optimizer steps with every head.

        Args:
            number: The epoch, from 0; seeds the dropout together with each head's own seed.
            steps: A sequence a head, all equally long.

        Returns:
            Each head as it is then; see `headway.models.head_plans.finite` for losses that are no numbers.
        """
        generators = [
            torch.Generator().manual_seed(_mixed(plan.seed, number)) if dropped > 0 else None
            for plan, dropped in zip(self._plans, self._dropped, strict=True)
        ]
        of_steps = list(zip(*steps, strict=True))  # a tuple a step, with a RowStep a head
        taken: list[tuple[Tensor, Tensor]] = []
        with torch.autocast("cpu", enabled=False):  # in float32, as LinearHead computes
            while len(taken) < len(of_steps):
                largest = sum(len(own.rows) for own in of_steps[len(taken)])
                size = max(1, self._chunk_bytes // (2 * max(1, largest) * self._parameters.shape[1]))
                block = of_steps[len(taken) : len(taken) + min(size, BLOCK)]
                bits = self._draw(block, generators)
                taken += [self._take(step, [own[i] for own in bits]) for i, step in enumerate(block)]
        losses = torch.stack([losses for losses, _ in taken], dim=1)  # (num_heads, num_steps)
        weights = torch.stack([weights for _, weights in taken], dim=1)
        return [
            HeadEpoch(
                own[:-1].T.contiguous(), own[-1].clone(), losses[i], weights[i], self._step - len(taken)
            )
            for i, own in enumerate(self._parameters)
        ]

    def _draw(
        self, block: Sequence[Sequence[RowStep]], generators: Sequence[torch.Generator | None]
    ) -> list[Sequence[Tensor | None]]:
        """Return for each head each step's random bits, (num_rows, hidden_size) int16; None without dropout.

        Of its own rows alone, and whole words a row, so that a head draws the same whatever stands beside it.
        """
        hidden = self._parameters.shape[1] - 1
        width = hidden + -hidden % 4
        drawn: list[Sequence[Tensor | None]] = []
        for head, generator in enumerate(generators):
            if generator is None:
                drawn.append([None] * len(block))
                continue
            counts = [len(step[head].rows) for step in block]
            bits = random_bits(sum(counts) * width, generator=generator).view(-1, width)
            drawn.append(torch.split(bits[:, :hidden], counts))
        return drawn

    def _take(self, steps: Sequence[RowStep], bits: Sequence[Tensor | None]) -> tuple[Tensor, Tensor]:
        """Take one step with every head; return (num_heads,) mean losses and summed weights."""
        gradients = self._scratch
        longest = max(1, max(len(step.rows) for step in steps))
        each = max(1, self._chunk_bytes // (4 * longest * self._parameters.shape[1]))
        found = []
        for start in range(0, len(steps), each):
            heads = slice(start, min(start + each, len(steps)))
            found.append(self._gradients(heads, steps[heads], bits[heads], out=gradients[heads]))
        self._clip_and_update(gradients)
        return torch.cat([losses for losses, _ in found]), torch.cat([weights for _, weights in found])

    def _gradients(
        self,
        heads: slice,
        steps: Sequence[RowStep],
        bits: Sequence[Tensor | None],
        *,
        out: Tensor,
    ) -> tuple[Tensor, Tensor]:
        rows, weights = _padded_rows(steps, self._weights)  # (heads, longest) each
        inputs = self._inputs(rows, bits, self._dropped[heads])  # (heads, longest, hidden_size + 1)
        logits = torch.bmm(inputs, self._parameters[heads]).requires_grad_()
        labels = self._labels[rows]
        losses = torch.empty(rows.shape)
        plans = self._plans[heads]
        for key in dict.fromkeys(plan.loss_key for plan in plans):
            same = [i for i, plan in enumerate(plans) if plan.loss_key == key]
            together = logits if len(same) == len(plans) else logits[same]
            own_labels = labels if len(same) == len(plans) else labels[same]
            values = plans[same[0]].loss(together.flatten(0, 1), own_labels.flatten(0, 1))
            losses[same] = values.view(len(same), -1)
        weighted = losses * weights
        normalizers = torch.tensor([step.normalizer for step in steps])
        # A step in which nothing is labelled has no loss.
        scale = torch.where(normalizers > 0, 1 / normalizers, 0.0)
        (of_logits,) = torch.autograd.grad((weighted.sum(1) * scale).sum(), logits)
        torch.bmm(inputs.transpose(1, 2), of_logits, out=out)
        totals = weights.sum(1)
        return weighted.detach().sum(1) / totals.clamp_min(1e-12), totals

    def _inputs(self, rows: Tensor, bits: Sequence[Tensor | None], dropped: Sequence[int]) -> Tensor:
        hidden = self._parameters.shape[1] - 1
        inputs = torch.empty((*rows.shape, hidden + 1))
        gathered = self._features[rows.numpy().reshape(-1)]  # a copy, also of a memory map
        inputs[..., :hidden] = to_tensor(gathered).view(*rows.shape, hidden)
        inputs[..., hidden] = 1
        mask = torch.empty((rows.shape[1], hidden))
        for own, drawn, out_of in zip(inputs, bits, dropped, strict=True):
            if drawn is not None:
                kept = mask[: len(drawn)]
                torch.ge(drawn, out_of - LEVELS // 2, out=kept)
                own[: len(drawn), :hidden] *= kept.mul_(LEVELS / (LEVELS - out_of))
        return inputs

    def _clip_and_update(self, gradients: Tensor) -> None:
        norms = torch.linalg.vector_norm(gradients.flatten(1), dim=1)
        # As torch.nn.utils.clip_grad_norm_ does it.
        gradients *= (self._clip / (norms + 1e-6)).clamp(max=1.0).view(-1, 1, 1)
        rates = self._rates[:, self._step].view(-1, 1, 1)
        self._step += 1
        lr = self._lr * rates  # (num_heads, hidden_size + 1, 1)
        first, second = self._betas
        self._parameters.mul_(1 - lr * self._decay)
        self._first.lerp_(gradients, (1 - first).float())
        self._second.mul_(second.float()).add_((1 - second).float() * gradients.square())
        step_size = lr / (1 - first**self._step).float()
        root = self._second.sqrt().div_((1 - second**self._step).sqrt().float()).add_(self._eps)
        self._parameters.sub_(self._first / root * step_size)

    def state_dict(self) -> dict[str, Tensor]:
        """Return what another trainer of the same heads needs to go on, as tensors."""
        return {
            "parameters": self._parameters.clone(),
            "first": self._first.clone(),
            "second": self._second.clone(),
            "step": torch.tensor(self._step),
        }

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from there.

        Args:
            state: What `state_dict` returned.
        """
        self._parameters.copy_(state["parameters"])
        self._first.copy_(state["first"])
        self._second.copy_(state["second"])
        self._step = int(state["step"])


def _mixed(seed: int, epoch: int) -> int:
    """Return a seed of an epoch's own, so that an epoch can be taken again without those before it."""
    return int(np.random.SeedSequence((seed, epoch)).generate_state(1, np.uint64)[0] >> 1)


def _padded_rows(steps: Sequence[RowStep], weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return (num_heads, longest) rows, the first one where a head has fewer, and weights, 0 there."""
    lengths = [len(step.rows) for step in steps]
    longest = max(1, *lengths)
    if min(lengths) == longest:
        rows = torch.from_numpy(np.stack([step.rows for step in steps]))
        return rows, weights[rows]
    padded = np.zeros((len(steps), longest), dtype=np.int64)
    for own, step in zip(padded, steps, strict=True):
        own[: len(step.rows)] = step.rows
    rows = torch.from_numpy(padded)
    there = torch.arange(longest) < torch.tensor(lengths)[:, None]
    return rows, weights[rows] * there
