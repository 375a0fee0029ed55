"""Artifacts of random models of every family, with each kind of head, for whatever loads or exports them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import torch
from transformers import CONFIG_MAPPING, AutoModel

from headway.delivery.artifact import write_artifact
from headway.delivery.artifact_spec import ArtifactSpec
from headway.evaluation.aggregation import MeanLogits, WordFarthest
from headway.evaluation.decoding import Argmax
from headway.models.encoder import Encoder
from headway.models.heads.cls import ClsHead
from headway.models.heads.token import TokenHead

_SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 37,
    "max_position_embeddings": 66,
    "initializer_range": 0.2,  # so that what one token sees of another matters to its state
}
_FAMILIES = {  # family: tokenizer, more of its config
    "bert": ("wordpiece", {}),
    "distilbert": ("wordpiece", {}),
    "electra": ("wordpiece", {"embedding_size": 16}),
    "roberta": ("roberta_prefix", {"max_position_embeddings": 70}),
    "modernbert": ("modernbert", {"local_attention": 8, "num_hidden_layers": 4}),
    "deberta-v2": (
        "unigram",
        {
            "relative_attention": True,
            "pos_att_type": ["c2p", "p2c"],
            "position_buckets": 8,
            "conv_kernel_size": 3,
            "type_vocab_size": 0,
            "position_biased_input": False,
        },
    ),
}


def _encoder(family, tokenizer, changes):
    roles = ("pad", "cls", "sep", "bos", "eos")
    special = {f"{role}_token_id": getattr(tokenizer, f"{role}_token_id", None) for role in roles}
    config = CONFIG_MAPPING[family](vocab_size=len(tokenizer), **{**_SIZES, **changes}, **special)
    attention = "eager" if family == "deberta-v2" else "sdpa"
    return Encoder(AutoModel.from_config(config, attn_implementation=attention, dtype=torch.float32))


def _describe(encoder, pooling, names):
    token_level = pooling == "token"
    heads = "headway.models.heads"
    return ArtifactSpec(
        target={"_target_": f"headway.data.targets.{'TagTarget' if token_level else 'ClassTarget'}"},
        label_names=names,
        columns={"tokens": "0"} if token_level else {"text": "body"},
        encoding={
            "max_length": 60,
            "truncation": "windows",
            "overlap": 2,
            "subword_labels": "first",
            "token_type_ids": "token_type_ids" in encoder.inputs,
        },
        head={"_target_": f"{heads}.token.TokenHead", "dropout": 0.1}
        if token_level
        else {"_target_": f"{heads}.cls.ClsHead", "pooling": pooling, "dropout": 0.1},
        layout="auto",
        attention=encoder.model.config._attn_implementation.replace("headway_packed", "sdpa"),
        aggregation=(WordFarthest() if token_level else MeanLogits()).to_spec(),
        decoding=Argmax(temperature=1.5).to_spec(),
        precision="32-true",
        eval_batch_size=3,
    )


@pytest.fixture(scope="session")
def random_artifact(request, tmp_path_factory):
    """(family, pooling or "token", **changes of the spec) -> the folder of a random model of three labels."""

    @cache
    def made(family, pooling):
        tokenizer_name, changes = _FAMILIES[family]
        tokenizer = request.getfixturevalue(f"{tokenizer_name}_tokenizer")
        with torch.random.fork_rng():
            torch.manual_seed(0)
            encoder = _encoder(family, tokenizer, changes)
            facts = {"hidden_size": 32, "num_labels": 3, "initializer_range": 0.5}
            head = TokenHead(0.1, **facts) if pooling == "token" else ClsHead(pooling, 0.1, **facts)
        encoder.keep_pooler(wanted=head.uses_pooler)
        names = ["O", "B-X", "I-X"] if pooling == "token" else ["earn", "grain", "ship"]
        folder = tmp_path_factory.mktemp(f"{family}-{pooling}") / "model"
        spec = _describe(encoder, pooling, names)
        write_artifact(folder, spec=spec, encoder=encoder, head=head, tokenizer=tokenizer)
        return folder, (spec, encoder, head, tokenizer)

    def changed(family, pooling, **changes):
        folder, (spec, encoder, head, tokenizer) = made(family, pooling)
        if not changes:
            return folder
        folder = tmp_path_factory.mktemp(f"{family}-{pooling}-changed") / "model"
        write_artifact(folder, spec=replace(spec, **changes), encoder=encoder, head=head, tokenizer=tokenizer)
        return folder

    return changed


@pytest.fixture(scope="session")
def documents(corpus_words):
    """Documents of 1 to 90 words, so that some have several windows."""
    return [[corpus_words[(7 * n + k) % len(corpus_words)] for k in range(n)] for n in (1, 3, 9, 30, 90, 2)]
