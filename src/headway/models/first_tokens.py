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
from headway.models.first_token_places import FirstTokens, Group
from headway.models.length_groups import join_groups

if TYPE_CHECKING:
    from transformers import PreTrainedModel

BERT_LAYERS = frozenset({
    "bert", "camembert", "data2vec-text", "electra", "ernie", "roberta", "roc_bert", "xlm-roberta",
})  # fmt: skip
"""`config.model_type`s whose layer is BERT's."""
DISTILBERT = "distilbert"


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
            # Adds the same to all scores of a window's head; kept for its gradient.
            added = None
            if self.key.bias is not None:
                added = (query @ self._by_head(self.key.bias).unsqueeze(2)).transpose(0, 1)
            found = [self._summed(states, group, keyed=keyed, added=added) for group in tokens.groups]
            summed = join_groups([part for part, _ in found]).transpose(0, 1)  # (heads, windows, hidden_size)
            seen = summed @ self._by_head(self.value.weight).transpose(1, 2)  # (heads, windows, head_size)
            if self.value.bias is not None:  # the weights' sum isn't 1 under dropout
                share = join_groups([part for _, part in found]).transpose(0, 1)  # (heads, windows, 1)
                seen = seen + share * self._by_head(self.value.bias).unsqueeze(1)
            attended: Tensor = seen.transpose(0, 1).flatten(1)
            return attended

    def _summed(
        self, states: Tensor, group: Group, *, keyed: Tensor, added: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return a group's weighted sums, (count, num_heads, hidden_size), and those of the weights alone."""
        padded = group.rows.spread(states[group.rows.tokens].float())  # (count, length, hidden_size)
        scores = keyed[group.windows] @ padded.transpose(1, 2)  # (count, num_heads, length)
        if added is not None:
            scores = scores + added[group.windows]
        weights = self.dropout(torch.softmax(scores.masked_fill(~group.seen, float("-inf")), dim=-1))
        return weights @ padded, weights.sum(dim=-1, keepdim=True)

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
    seen = projections_of(layer).attend(states[0], tokens).to(states.dtype).unsqueeze(0)
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
    seen = projections_of(layer).attend(states[0], tokens).to(states.dtype)
    first = states.index_select(1, tokens.starts)
    attended = layer.sa_layer_norm(layer.attention.out_lin(seen).unsqueeze(0) + first)
    return cast("Tensor", layer.output_layer_norm(layer.ffn.ff_chunk(attended) + attended))


def projections_of(layer: Any) -> Projections:
    """Return a layer's attention, taken apart.

    Args:
        layer: BERT's or DistilBERT's.
    """
    if hasattr(layer, "sa_layer_norm"):
        own = layer.attention
        return Projections(own.q_lin, own.k_lin, own.v_lin, own.dropout, own.n_heads)
    own = layer.attention.self
    return Projections(own.query, own.key, own.value, own.dropout, own.num_attention_heads)


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

    The layer's own `forward` is replaced by `either_way` for good; its other layers hand the argument on to
    their attention, which takes no notice of it.

    Args:
        model: With the packed attention.

    Returns:
        Whether it can; families with other layers can't, and are left as they are.
    """
    last = _last_layer(model)
    if last is None or not _is_plain(last) or "forward" in vars(last):
        return last is not None and _prepared(last)
    last.forward = partial(either_way, last)
    return True


def computes_first_tokens(model: PreTrainedModel) -> bool:
    """Return whether the last layer is still what `use_first_tokens` prepared.

    Adapters and hooks that were put into it since are seen by the whole layer's call alone.

    Args:
        model: One that was prepared.
    """
    last = _last_layer(model)
    return last is not None and _prepared(last)


def _last_layer(model: PreTrainedModel) -> nn.Module | None:
    if model.config.model_type not in BERT_LAYERS | {DISTILBERT}:
        return None
    found = layer_list(model)
    return found[1][-1] if found is not None and len(found[1]) else None


def _prepared(layer: nn.Module) -> bool:
    own = vars(layer).get("forward")
    return isinstance(own, partial) and own.func is either_way and own.args[0] is layer and _is_plain(layer)


def _is_plain(layer: Any) -> bool:
    """Return whether a layer is transformers' own, with nothing in it that taking it apart would pass by."""
    if not type(layer).__module__.startswith("transformers.models."):
        return False
    parts = projections_of(layer)
    linear = (parts.query, parts.key, parts.value)
    if any(type(each) is not nn.Linear or each.weight.dtype != torch.float32 for each in linear):
        return False
    passed_by = [layer.attention, getattr(layer.attention, "self", layer.attention), *linear]
    return not any(
        each._forward_hooks or each._forward_pre_hooks or each._backward_hooks or "forward" in vars(each)
        for each in passed_by
    )
