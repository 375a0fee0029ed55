"""Tiny random models of every family, and batches as the collator makes them."""

from __future__ import annotations

import pytest
import torch
from transformers import CONFIG_MAPPING, AutoModel

from headway.models.architecture import forward_inputs
from headway.types import Batch

VOCAB_SIZE = 50
_SIZES = {
    "vocab_size": VOCAB_SIZE,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 37,
    "max_position_embeddings": 40,
    "pad_token_id": 1,
    "bos_token_id": 2,
    "cls_token_id": 2,
    "eos_token_id": 3,
    "sep_token_id": 3,
    "type_vocab_size": 2,
    "initializer_range": 0.2,  # so that what one token sees of another matters to its state
}
_FAMILIES = {
    "albert": {"embedding_size": 16},
    "deberta-v2": {
        "conv_kernel_size": 3,
        "norm_rel_ebd": "layer_norm",
        "pos_att_type": ["c2p", "p2c"],
        "position_biased_input": False,
        "position_buckets": 8,
        "relative_attention": True,
        "type_vocab_size": 0,
    },
    "electra": {"embedding_size": 16},
    "eurobert": {"num_key_value_heads": 2},
    "modernbert": {"local_attention": 8, "num_hidden_layers": 4},  # layers 0 and 3 see all, 1 and 2 a band
    "roc_bert": {"pronunciation_vocab_size": VOCAB_SIZE, "shape_vocab_size": VOCAB_SIZE},
    "xmod": {"languages": ["en_XX"], "default_language": "en_XX"},
}


def _model(family, **changes):
    torch.manual_seed(0)
    config = CONFIG_MAPPING[family](**{**_SIZES, **_FAMILIES.get(family, {}), **changes})
    attention = "eager" if family in ("deberta-v2", "mpnet") else "sdpa"
    return AutoModel.from_config(config, attn_implementation=attention).eval()


@pytest.fixture(scope="session")
def tiny_model():
    """(family, **config changes) -> the same 2-layer model each time, in eval mode."""
    return _model


def _batch(lengths, *, seed=0, **changes):
    generator = torch.Generator().manual_seed(seed)
    num_tokens, count = sum(lengths), len(lengths)
    fields = {
        "input_ids": torch.randint(5, VOCAB_SIZE, (num_tokens,), generator=generator),
        "token_type_ids": torch.randint(0, 2, (num_tokens,), generator=generator),
        "cu_seq_lens": torch.tensor([0, *lengths]).cumsum(0),
        "lengths": tuple(lengths),
        "documents": torch.arange(count),
        "windows": torch.arange(count),
        "words": None,
        "labels": None,
        "weights": torch.ones(count if changes.get("words") is None else num_tokens),
        "normalizer": float(count),
    }
    return Batch(**{**fields, **changes})


@pytest.fixture(scope="session")
def make_batch():
    """(lengths, seed=0, **fields) -> a batch of random tokens."""
    return _batch


def _pad(batch):
    """The batch as transformers wants it, by the plain way: one window after the other."""
    longest, starts = max(batch.lengths), batch.cu_seq_lens.tolist()
    rows = {"input_ids": [], "token_type_ids": [], "attention_mask": []}
    for start, length in zip(starts, batch.lengths, strict=False):
        fill = [0] * (longest - length)
        rows["input_ids"].append(batch.input_ids[start : start + length].tolist() + [1] * (longest - length))
        rows["token_type_ids"].append(batch.token_type_ids[start : start + length].tolist() + fill)
        rows["attention_mask"].append([1] * length + fill)
    return {name: torch.tensor(values) for name, values in rows.items()}


@pytest.fixture(scope="session")
def pad():
    """(batch) -> input_ids, token_type_ids and attention_mask, each (num_windows, longest)."""
    return _pad


@pytest.fixture(scope="session")
def gradients():
    """(encoder, batch) -> gradients of a loss that weighs every token and feature differently."""

    def gradients(encoder, batch):
        encoder.zero_grad()
        states = encoder(batch)
        weights = torch.linspace(-1, 1, states.numel()).view_as(states)
        (states * weights).sum().backward()
        return {name: p.grad for name, p in encoder.named_parameters() if p.grad is not None}

    return gradients


@pytest.fixture(scope="session")
def hf_states(pad):
    """(model, batch) -> states of real tokens by transformers alone, from padded rows."""

    def hf_states(model, batch):
        inputs = {name: value for name, value in pad(batch).items() if name in forward_inputs(model)}
        with torch.no_grad():
            states = model(**inputs).last_hidden_state
        return torch.cat([row[:length] for row, length in zip(states, batch.lengths, strict=True)])

    return hf_states
