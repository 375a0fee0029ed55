"""Attention over windows that lie end to end in one row: a kernel call per distinct length, and no padding.

Registered with transformers as the attention implementation `headway_packed`. The groups reach the attention
of every layer as a keyword argument of the model's forward, which BERT-like models hand down; being part of
the call and no ambient state, they are there too when gradient checkpointing runs a layer a second time, from
whichever thread. A model that doesn't hand them down, or one called with a mask, is stopped rather than let
one window's tokens see another's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from headway.models.dropped_attention import attend_with_fast_dropout, by_hand
from headway.models.fast_dropout import FastDropout
from headway.models.length_groups import LengthGroups, join_groups, split_groups
from headway.models.varlen_attention import attend_varlen, takes_varlen

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    RunPacked = Callable[[PreTrainedModel, Mapping[str, Tensor], LengthGroups, Tensor | None], Tensor]

PACKED_ATTENTION = "headway_packed"
PACKED_FAMILIES = frozenset({
    "albert", "bert", "bert-generation", "camembert", "data2vec-text", "distilbert", "electra", "ernie",
    "eurobert", "gte", "jina_embeddings_v3", "modernbert", "nomic_bert", "roberta", "roberta-prelayernorm",
    "roc_bert", "xlm-roberta", "xlm-roberta-xl", "xmod",
})  # fmt: skip
"""`config.model_type`s whose attention sees other tokens only through the registered function; each is tested
against padded rows. Positions need no table: see `position_offset` in architecture.py. MobileBERT and ESM
call the function too and aren't here: their embeddings see neighbours, or count masks over the whole row."""
OWN_ATTENTION = {"deberta-v2": "eager"}
"""Families with an attention of their own that has an adapter (packed_deberta.py), and what it replaces."""


@lru_cache(maxsize=128)
def band_mask(length: int, window: int, device: torch.device) -> Tensor:
    """Return which keys each query sees in a layer with sliding attention.

    Args:
        length: Tokens.
        window: Distances below it are seen, to both sides.
        device: Where it is used.

    Returns:
        (length, length) bool, True where seen.
    """
    positions = torch.arange(length, device=device)
    return (positions[:, None] - positions[None, :]).abs() < window


def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    dropout: float = 0.0,
    scaling: float | None = None,
    sliding_window: int | None = None,
    window_groups: LengthGroups | None = None,
    window_starts: Tensor | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """Attend within each window; transformers' attention signature.

    Args:
        module: The layer's attention module.
        query: (1, num_heads, num_tokens, head_size), a transposed view of (1, num_tokens, num_heads,
            head_size).
        key: As query.
        value: As query.
        attention_mask: None always.
        dropout: Share of attention weights dropped, 0 outside training.
        scaling: Of the scores; None: 1 / sqrt(head_size).
        sliding_window: Distances below it are seen; None: all.
        window_groups: (length, count) of the runs of equally long windows.
        window_starts: (num_windows + 1,) int32, where each window starts and ends; None on a CPU.
        **_: What else the model passes.

    Returns:
        (1, num_tokens, num_heads, head_size), and None for the weights.

    Raises:
        RuntimeError: The groups didn't get here, or a mask did.
    """
    if window_groups is None or attention_mask is not None:
        raise RuntimeError(
            f"{type(module).__name__} with `{PACKED_ATTENTION}` needs window_groups and no attention mask: "
            "call it through headway's Encoder, or call set_attn_implementation('sdpa') first"
        )
    if window_starts is not None and takes_varlen(query, dropout=dropout):
        attended = attend_varlen(
            *(states.transpose(1, 2)[0] for states in (query, key, value)),
            starts=window_starts,
            lengths=[length for length, _ in window_groups],
            scale=scaling,
            sliding_window=sliding_window,
        )
        return attended.unsqueeze(0), None
    # Splitting (num_tokens, num_heads, head_size) along its first, outermost axis keeps every block a view
    # with the layout that the projections wrote; the kernels take the swapped axes as strides.
    blocks = [split_groups(states.transpose(1, 2)[0], window_groups) for states in (query, key, value)]
    fast = isinstance(getattr(module, "dropout", None), FastDropout)
    outputs = []
    for queries, keys, values in zip(*blocks, strict=True):  # each (count, length, num_heads, head_size)
        count, length = queries.shape[:2]
        mask = None
        if sliding_window is not None and length > sliding_window:
            mask = band_mask(length, sliding_window, query.device)
        heads = queries.transpose(1, 2), keys.transpose(1, 2), values.transpose(1, 2)
        shared = keys.shape[2] != queries.shape[2]  # several query heads share a key head
        if by_hand(queries, keys, fast=fast, dropout=dropout):
            attended = attend_with_fast_dropout(*heads, attn_mask=mask, dropout_p=dropout, scale=scaling)
        else:
            attended = scaled_dot_product_attention(
                *heads, attn_mask=mask, dropout_p=dropout, scale=scaling, enable_gqa=shared
            )
        # Flash kernels write (count, length, num_heads, head_size), of which this reshape is a view.
        outputs.append(attended.transpose(1, 2).reshape(count * length, *queries.shape[2:]))
    return join_groups(outputs).unsqueeze(0), None


def no_mask(*, attention_mask: Tensor | None = None, **_: object) -> None:
    """Build no mask, so that the (num_tokens, num_tokens) one of the whole row never exists.

    Args:
        attention_mask: What the model was called with.
        **_: What transformers hands to a mask function.

    Raises:
        RuntimeError: There is padding to mask.
    """
    if attention_mask is not None:
        raise RuntimeError(
            f"a model with `{PACKED_ATTENTION}` takes no attention_mask: call it through headway's Encoder, "
            "or call set_attn_implementation('sdpa') first"
        )


def why_not_packed(model: PreTrainedModel) -> str | None:
    """Return why windows of `model` can't be packed, or None where they can."""
    config = model.config
    known = sorted(PACKED_FAMILIES | OWN_ATTENTION.keys())
    if config.model_type not in known:
        return f"{config.model_type} has no adapter (those that have: {', '.join(known)})"
    replaced = OWN_ATTENTION.get(config.model_type, "sdpa")
    if config._attn_implementation not in (replaced, PACKED_ATTENTION):
        return f"attention is {config._attn_implementation!r}, and packed windows need {replaced!r}"
    if getattr(config, "is_decoder", False):
        return "the model is a decoder"
    return None


def use_packed_attention(model: PreTrainedModel) -> RunPacked:
    """Make `model` attend within windows from now on.

    Args:
        model: One that can be packed. `save_pretrained` doesn't write the change.

    Returns:
        What runs it: (model, inputs, groups, starts) -> (1, num_tokens, hidden_size) states.
    """
    if model.config.model_type in OWN_ATTENTION:
        from headway.models.packed_deberta import run_packed_deberta, use_packed_deberta

        use_packed_deberta(model)
        return run_packed_deberta
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(PACKED_ATTENTION, packed_attention)
    AttentionMaskInterface.register(PACKED_ATTENTION, no_mask)
    model.set_attn_implementation(PACKED_ATTENTION)
    return run_registered


def run_registered(
    model: PreTrainedModel, inputs: Mapping[str, Tensor], groups: LengthGroups, starts: Tensor | None = None
) -> Tensor:
    """Return the last hidden states of windows that lie end to end.

    Args:
        model: With the registered attention.
        inputs: input_ids, position_ids and, if there are, token_type_ids, each (1, num_tokens) int64.
        groups: (length, count) of the runs of equally long windows.
        starts: (num_windows + 1,) int32, where each window starts and ends; None on a CPU.

    Returns:
        (1, num_tokens, hidden_size) float.
    """
    states: Tensor = model(**inputs, window_groups=groups, window_starts=starts).last_hidden_state
    return states
