"""From a batch of windows to hidden states, one row a real token, whatever the layout inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from headway.models.architecture import Architecture, position_offset
from headway.models.first_token_places import FirstTokens
from headway.models.first_tokens import computes_first_tokens, use_first_tokens
from headway.models.freezing import freeze
from headway.models.layer_split import LayerSplit
from headway.models.layouts import choose_layout
from headway.models.length_groups import filler_tokens, group_lengths, join_groups, token_positions
from headway.models.padding_groups import CALL_TOKENS, PaddedRows, bucketed_length, padding_groups
from headway.types import Batch, ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

WHOLE, LOWER, UPPER = "whole", "lower", "upper"


class Encoder(nn.Module):
    """Runs a transformers model over batches of windows.

    Args:
        model: Encoder without a head.
        trainable: "all", "none", or "last_n": the last layers and what comes after them. What isn't trained
            stays in eval mode, records no gradient and is never updated, also after `train()`.
        last_n: Layers that train, with trainable="last_n".
        layout: "packed" computes on real tokens only, "grouped" cuts a batch into groups of like lengths and
            pads each, "padded" pads to the longest window of the batch, "auto" packs wherever the model can
            and groups where it can't.
        few_shapes: Whether padded rows come in few lengths, for a compiled model.

    Attributes:
        architecture: The model's measures, the next five among them.
        hidden_size: Of the states.
        num_layers: Transformer layers.
        max_positions: Tokens that a window may hold.
        inputs: Names of the inputs that the model declares.
        initializer_range: Standard deviation of fresh weights, for heads.
        frozen: Whether no parameter trains.
        frozen_depth: Lowest layers that don't train, embeddings with them; 0 where all train.
        layout: "packed", "grouped" or "padded".
        why_not_packed: Why "auto" didn't pack; None where it did or wasn't asked.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        *,
        trainable: str = "all",
        last_n: int | None = None,
        layout: str = "auto",
        few_shapes: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self._few_shapes = few_shapes
        self.architecture = Architecture.of(model)
        self.hidden_size = self.architecture.hidden_size
        self.num_layers = self.architecture.num_layers
        self.max_positions = self.architecture.max_positions
        self.inputs = self.architecture.inputs
        self.initializer_range = self.architecture.initializer_range
        self.layout, self._run_packed, self.why_not_packed = choose_layout(model, layout)
        self._prepared = self.layout == "packed" and use_first_tokens(model)
        self._position_offset = position_offset(model)
        self._frozen_modules = freeze(model, trainable, last_n=last_n)
        self.frozen = trainable == "none"
        depths = {"all": 0, "none": self.num_layers}
        self.frozen_depth = depths.get(trainable, self.num_layers - (last_n or 0))
        cut = 0 < self.frozen_depth < self.num_layers
        self._split = LayerSplit(model, self.frozen_depth) if cut else None
        # `from_pretrained` gives a model in eval mode, and Lightning keeps the mode that it finds.
        self.train()

    @property
    def trims(self) -> bool:
        """Whether the last layer computes first tokens alone where nothing else is asked for."""
        return self._prepared and computes_first_tokens(self.model)

    @property
    def has_pooler(self) -> bool:
        """Whether the model brings a pooler: a dense layer and an activation on the first token's state."""
        return isinstance(getattr(getattr(self.model, "pooler", None), "dense", None), nn.Linear)

    def train(self, mode: bool = True) -> Encoder:
        """Set training mode, but for what is frozen: `requires_grad_(False)` alone leaves its dropout on."""
        super().train(mode)
        for module in self._frozen_modules:
            module.eval()
        return self

    def keep_pooler(self, *, wanted: bool) -> None:
        """Check that there is a pooler where the head uses it, and drop it where it doesn't.

        An unused pooler costs time, and its parameters get no gradient, which stops distributed training.

        Args:
            wanted: Whether the head calls `pool`.

        Raises:
            ConfigError: It does, and the model has none.
        """
        if wanted and not self.has_pooler:
            raise ConfigError(
                "`task.head.pooling` must be cls, mean or max for this backbone, got 'pooler'; the weights "
                f"of {type(self.model).__name__} hold no pooler"
            )
        if not wanted and self.has_pooler:
            self.model.register_module("pooler", None)

    def pool(self, first_states: Tensor) -> Tensor:
        """Return the model's own summary of windows.

        Args:
            first_states: (num_windows, hidden_size) float, the states of the windows' first tokens.

        Returns:
            (num_windows, hidden_size) float.

        Raises:
            ConfigError: The model has no pooler.
        """
        self.keep_pooler(wanted=True)
        # Poolers take the first token of (num_windows, length, hidden_size).
        pooled: Tensor = self.model.get_submodule("pooler")(first_states.unsqueeze(1))
        return pooled

    def forward(self, batch: Batch, *, first_only: bool = False) -> Tensor:
        """Return the last hidden states.

        Args:
            batch: Windows end to end. With features, only the layers that train run.
            first_only: Whether the first token of each window is all that's asked for; what else the last
                layer would compute isn't computed then, where the family allows it (`trims`).

        Returns:
            (num_tokens, hidden_size) float, in the order of batch.input_ids; or (num_windows, hidden_size).
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            return self._run(batch, WHOLE if batch.features is None else UPPER, first_only=first_only)

    def frozen_states(self, batch: Batch) -> Tensor:
        """Return the states of the highest frozen layer: what a batch's features are, where tokens' are kept.

        Args:
            batch: Windows end to end.

        Returns:
            (num_tokens, hidden_size) float, without gradient.
        """
        with torch.no_grad():
            return self._run(batch, WHOLE if self._split is None else LOWER)

    def _through(
        self, part: str, call: Callable[[], Tensor], lay_out: Callable[[Tensor], Tensor], kept: Tensor | None
    ) -> Tensor:
        """Run a part of the model: all, the lower layers, or the upper ones on kept features."""
        if part == WHOLE:
            return call()
        if self._split is None:
            raise ValueError("features of tokens need an encoder with frozen layers below those that train")
        return self._split.lower(call) if kept is None else self._split.upper(call, lay_out(kept))

    def _run(self, batch: Batch, part: str, *, first_only: bool = False) -> Tensor:
        run = self._packed if self.layout == "packed" else self._padded_groups
        return run(batch, part, first_only=first_only)

    def computed_tokens(self, batch: Batch) -> int:
        """Return how many tokens the forward computes for a batch: its own, and padding or filler."""
        if self.layout != "packed":
            groups = self._groups(batch)
            return sum((stop - start) * self._row_length(batch, start, stop) for start, stop in groups)
        count = len(batch.input_ids)
        return count + (filler_tokens(count) if batch.input_ids.device.type == "cpu" else 0)

    def _packed(self, batch: Batch, part: str, *, first_only: bool) -> Tensor:
        count = len(batch.input_ids)
        # A window of its own, whose states are thrown away.
        filler = self.computed_tokens(batch) - count
        groups = group_lengths(batch.lengths)
        positions = token_positions(batch.cu_seq_lens, count) + self._position_offset
        if filler:
            groups = (*groups, (filler, 1))
            tail = torch.arange(filler, device=positions.device) % self.max_positions + self._position_offset
            positions = torch.cat([positions, tail])
        inputs: dict[str, Any] = {
            "input_ids": pad(
                batch.input_ids, (0, filler), value=self.model.config.pad_token_id or 0
            ).unsqueeze(0),
            "position_ids": positions.unsqueeze(0),  # both (1, num_tokens + filler)
        }
        if batch.token_type_ids is not None and "token_type_ids" in self.inputs:
            inputs["token_type_ids"] = pad(batch.token_type_ids, (0, filler)).unsqueeze(0)
        trim = first_only and self.trims
        if trim:
            inputs["first_tokens"] = FirstTokens.of(batch)
        on_cuda = batch.input_ids.device.type == "cuda"
        starts = batch.cu_seq_lens.to(torch.int32) if on_cuda else None
        states = self._through(
            part,
            lambda: self._run_packed(self.model, inputs, groups, starts),
            lambda rows: pad(rows, (0, 0, 0, filler)).unsqueeze(0),
            batch.features,
        )
        rows = states.squeeze(0)
        if trim or not first_only:
            return rows[:count]
        return rows.index_select(0, batch.cu_seq_lens[:-1])

    def _groups(self, batch: Batch) -> list[tuple[int, int]]:
        if self.layout == "padded":
            return [(0, len(batch.lengths))]
        call_tokens = CALL_TOKENS["cpu" if batch.input_ids.device.type == "cpu" else "cuda"]
        return padding_groups(batch.lengths, call_tokens=call_tokens)

    def _row_length(self, batch: Batch, start: int, stop: int) -> int:
        longest = max(batch.lengths[start:stop])
        return bucketed_length(longest, limit=self.max_positions) if self._few_shapes else longest

    def _padded_groups(self, batch: Batch, part: str, *, first_only: bool) -> Tensor:
        states = join_groups([self._padded(batch, part, start, stop) for start, stop in self._groups(batch)])
        return states.index_select(0, batch.cu_seq_lens[:-1]) if first_only else states

    def _padded(self, batch: Batch, part: str, start: int, stop: int) -> Tensor:
        """Return the states of the windows from start to before stop, padded to the longest of these."""
        rows = PaddedRows.of(batch, start, stop, length=self._row_length(batch, start, stop))
        input_ids = batch.input_ids[rows.tokens]
        inputs: dict[str, Any] = {
            "input_ids": rows.spread(input_ids, self.model.config.pad_token_id or 0),
            "attention_mask": rows.spread(torch.ones_like(input_ids)),
        }
        if batch.token_type_ids is not None and "token_type_ids" in self.inputs:
            inputs["token_type_ids"] = rows.spread(batch.token_type_ids[rows.tokens])
        features = None if batch.features is None else batch.features[rows.tokens]
        return rows.gather(
            self._through(part, lambda: self.model(**inputs).last_hidden_state, rows.spread, features)
        )
