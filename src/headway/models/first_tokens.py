"""The last layer for first tokens alone, where a head reads nothing else: most of that layer isn't computed.

Only the first token of a window asks there. Its query is taken to the states through the key projection's
weights, and the states' weighted sum through the value projection's, so that neither keys nor values exist:
(q W_k) h equals q (W_k h), and W_v (sum of a h) equals the sum of a (W_v h). What is left of the layer costs
num_heads * hidden_size products a token, twice, instead of about twelve times hidden_size squared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from headway.models.architecture import layer_list
from headway.models.padding_groups import PaddedRows

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from headway.types import Batch

BERT_LAYERS = frozenset({
    "bert", "camembert", "data2vec-text", "electra", "ernie", "roberta", "roc_bert", "xlm-roberta",
})  # fmt: skip
"""`config.model_type`s whose layer is BERT's."""
DISTILBERT = "distilbert"
LENGTH_STEP = 8
"""Padded lengths are multiples of it, so that products come in few shapes."""


@dataclass(frozen=True)
class FirstTokens:
    """Where the windows of a packed row lie.

    Attributes:
        starts: (num_windows,) int64, the row's place of each window's first token.
        rows: Of all windows.
        seen: (num_windows, 1, length) bool, True where there is a token.
    """

    starts: Tensor
    rows: PaddedRows
    seen: Tensor

    @classmethod
    def of(cls, batch: Batch) -> FirstTokens:
        """Return the places of a batch, without asking the device for a number.

        Args:
            batch: Windows end to end.
        """
        length = -(-max(batch.lengths) // LENGTH_STEP) * LENGTH_STEP
        places = torch.arange(length, device=batch.cu_seq_lens.device)
        seen = places < batch.cu_seq_lens.diff().unsqueeze(1)
        rows = PaddedRows.of(batch, 0, len(batch.lengths), length=length)
        return cls(batch.cu_seq_lens[:-1], rows, seen.unsqueeze(1))


@dataclass(frozen=True)
class Projections:
    """A layer's attention, taken apart.

    Attributes:
        query: hidden_size -> hidden_size.
        key: Likewise.
        value: Likewise.
        dropout: Of the attention weights.
        num_heads: That share hidden_size.
    """

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    dropout: nn.Module
    num_heads: int

    def attend(self, states: Tensor, tokens: FirstTokens) -> Tensor:
        """Return what the first tokens see.

        In float32, as softmax wants it, and since every batch has a shape of its own.

        Args:
            states: (num_tokens or more, hidden_size) float.
            tokens: Where the windows lie.

        Returns:
            (num_windows, hidden_size) float32, heads side by side.

        Source: Vaswani et al. 2017, equation 1.
        """
        first = states.index_select(0, tokens.starts)
        with torch.autocast(states.device.type, enabled=False):
            query = nn.functional.linear(first.float(), self.query.weight, self.query.bias)
            query = query.view(len(query), self.num_heads, -1).transpose(0, 1)  # (heads, windows, head_size)
            query = query * query.shape[-1] ** -0.5
            keyed = (query @ self._by_head(self.key.weight)).transpose(0, 1)  # (windows, heads, hidden_size)
            padded = tokens.rows.spread(states[tokens.rows.tokens].float())
            scores = keyed @ padded.transpose(1, 2)  # (windows, heads, length)
            if self.key.bias is not None:  # adds the same to all scores of a head; kept for its gradient
                scores = scores + (query @ self._by_head(self.key.bias).unsqueeze(2)).transpose(0, 1)
            weights = torch.softmax(scores.masked_fill(~tokens.seen, float("-inf")), dim=-1)
            weights = self.dropout(weights)
            summed = (weights @ padded).transpose(0, 1)  # (heads, windows, hidden_size)
            seen = summed @ self._by_head(self.value.weight).transpose(1, 2)  # (heads, windows, head_size)
            if self.value.bias is not None:  # the weights' sum isn't 1 under dropout
                share = weights.sum(dim=-1).transpose(0, 1).unsqueeze(2)  # (heads, windows, 1)
                seen = seen + share * self._by_head(self.value.bias).unsqueeze(1)
            attended: Tensor = seen.transpose(0, 1).flatten(1)
            return attended

    def _by_head(self, rows: Tensor) -> Tensor:
        """Return (hidden_size, ...) rows as (num_heads, head_size, ...)."""
        return rows.view(self.num_heads, -1, *rows.shape[1:])


def bert_layer(layer: Any, states: Tensor, tokens: FirstTokens) -> Tensor:
    """Return a BERT layer's states of first tokens.

    Args:
        layer: transformers' BertLayer, or one that is the same by another name.
        states: (1, num_tokens or more, hidden_size), the layer's input.
        tokens: Where the windows lie.

    Returns:
        (1, num_windows, hidden_size).
    """
    own = layer.attention.self
    projections = Projections(own.query, own.key, own.value, own.dropout, own.num_attention_heads)
    seen = projections.attend(states[0], tokens).to(states.dtype).unsqueeze(0)
    first = states.index_select(1, tokens.starts)
    return cast("Tensor", layer.feed_forward_chunk(layer.attention.output(seen, first)))


def distilbert_layer(layer: Any, states: Tensor, tokens: FirstTokens) -> Tensor:
    """Return a DistilBERT layer's states of first tokens.

    Args:
        layer: transformers' TransformerBlock of DistilBERT.
        states: (1, num_tokens or more, hidden_size), the layer's input.
        tokens: Where the windows lie.

    Returns:
        (1, num_windows, hidden_size).
    """
    own = layer.attention
    projections = Projections(own.q_lin, own.k_lin, own.v_lin, own.dropout, own.n_heads)
    seen = own.out_lin(projections.attend(states[0], tokens).to(states.dtype)).unsqueeze(0)
    first = states.index_select(1, tokens.starts)
    attended = layer.sa_layer_norm(seen + first)
    return cast("Tensor", layer.output_layer_norm(layer.ffn(attended) + attended))


def either_way(layer: nn.Module, *inputs: Any, first_tokens: FirstTokens | None = None, **named: Any) -> Any:
    """Run a layer as it is, or for first tokens alone where the call says so.

    Args:
        layer: Whose `forward` this replaces.
        *inputs: The layer's; states come first, unless they come by name.
        first_tokens: Where the windows lie; None: compute every token.
        **named: The layer's.

    Returns:
        What the layer does, or (1, num_windows, hidden_size) states.
    """
    if first_tokens is None:
        return type(layer).forward(layer, *inputs, **named)
    states = inputs[0] if inputs else named["hidden_states"]
    run = distilbert_layer if hasattr(layer, "sa_layer_norm") else bert_layer
    return run(layer, states, first_tokens)


def use_first_tokens(model: PreTrainedModel) -> bool:
    """Let a packed model's last layer compute first tokens alone when it is called with `first_tokens`.

    Args:
        model: With the packed attention. Its other layers hand the argument on to their attention, which
            takes no notice of it.

    Returns:
        Whether it can; families with other layers can't, and are left as they are.
    """
    found = layer_list(model)
    if found is None or model.config.model_type not in BERT_LAYERS | {DISTILBERT}:
        return False
    last = found[1][-1]
    last.forward = partial(either_way, last)
    return True
