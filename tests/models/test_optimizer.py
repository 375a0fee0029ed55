"""Every parameter that trains is in one group, with the right rate and decay."""

from __future__ import annotations

import math

import pytest
import torch

from headway.models.encoder import Encoder
from headway.models.heads.cls import ClsHead
from headway.models.optimizer import AdamW
from headway.types import ConfigError

SETTINGS = {
    "lr": 1e-3,
    "head_lr": None,
    "layer_decay": 1.0,
    "weight_decay": 0.1,
    "no_decay": ["*.bias"],
    "betas": [0.9, 0.999],
    "eps": 1e-8,
    "fused": "auto",
}


def build(encoder, **changes):
    head = ClsHead(hidden_size=32, num_labels=3)
    return AdamW(**{**SETTINGS, **changes}).build(encoder, head), head


def names_by_group(optimizer, encoder, head):
    names = {id(p): f"encoder.{name}" for name, p in encoder.named_parameters()}
    names |= {id(p): f"head.{name}" for name, p in head.named_parameters()}
    return {group["name"]: {names[id(p)] for p in group["params"]} for group in optimizer.param_groups}


@pytest.mark.parametrize("family", ["albert", "bert", "deberta-v2", "distilbert", "modernbert", "roberta"])
def test_each_parameter_is_in_one_group_and_norms_and_biases_do_not_decay(family, tiny_model):
    encoder = Encoder(tiny_model(family))
    optimizer, head = build(encoder)
    groups = names_by_group(optimizer, encoder, head)
    assert set(groups) == {"encoder/decay", "encoder/no_decay", "head/decay", "head/no_decay"}
    every = [name for names in groups.values() for name in names]
    assert len(every) == len(set(every)) == len([*encoder.parameters(), *head.parameters()])
    # The second way to the same split: what has one dimension is a bias or belongs to a norm.
    for name, p in encoder.named_parameters():
        assert (f"encoder.{name}" in groups["encoder/no_decay"]) == (p.dim() == 1), name
    assert groups["head/no_decay"] == {"head.classifier.bias"}
    for group in optimizer.param_groups:
        assert group["weight_decay"] == (0 if "no_decay" in group["name"] else 0.1)
        assert group["lr"] == 1e-3


def test_layer_decay_falls_from_the_top_to_the_embeddings(tiny_model):
    encoder = Encoder(tiny_model("bert"))
    optimizer, head = build(encoder, layer_decay=0.5, head_lr=3e-3)
    rates = {group["name"]: group["lr"] for group in optimizer.param_groups}
    assert list(rates) == [
        f"{part}/{decay}"
        for part in ("encoder/0", "encoder/1", "encoder/2", "head")
        for decay in ("decay", "no_decay")
    ]
    assert rates["encoder/0/decay"] == pytest.approx(0.25e-3)
    assert rates["encoder/1/no_decay"] == pytest.approx(0.5e-3)
    assert rates["encoder/2/decay"] == pytest.approx(1e-3)
    assert rates["head/decay"] == pytest.approx(3e-3)
    groups = names_by_group(optimizer, encoder, head)
    assert "encoder.model.embeddings.word_embeddings.weight" in groups["encoder/0/decay"]
    assert "encoder.model.encoder.layer.0.output.dense.bias" in groups["encoder/1/no_decay"]
    assert "encoder.model.pooler.dense.weight" in groups["encoder/2/decay"]


def test_what_all_layers_share_learns_like_the_embeddings(tiny_model):
    encoder = Encoder(tiny_model("deberta-v2"))
    optimizer, head = build(encoder, layer_decay=0.5)
    groups = names_by_group(optimizer, encoder, head)
    assert "encoder.model.encoder.rel_embeddings.weight" in groups["encoder/0/decay"]


def test_layer_decay_needs_a_list_of_layers(tiny_model):
    with pytest.raises(ConfigError, match="`optimizer.layer_decay` 1"):
        build(Encoder(tiny_model("albert")), layer_decay=0.9)


def test_only_what_trains_is_optimized(tiny_model):
    frozen = Encoder(tiny_model("bert"), trainable="none")
    optimizer, head = build(frozen)
    assert set(names_by_group(optimizer, frozen, head)) == {"head/decay", "head/no_decay"}
    partly = Encoder(tiny_model("bert"), trainable="last_n", last_n=1)
    optimizer, head = build(partly, layer_decay=0.5)
    parts = {group["name"].rsplit("/", 1)[0] for group in optimizer.param_groups}
    assert parts == {"encoder/2", "head"}
    assert all(p.requires_grad for group in optimizer.param_groups for p in group["params"])


def test_a_pattern_that_matches_nothing_is_refused(tiny_model):
    with pytest.raises(ConfigError, match=r"got '\*\.beta'.*names end in .*LayerNorm\.bias"):
        build(Encoder(tiny_model("bert")), no_decay=["*.bias", "*.beta"])
    with pytest.raises(ConfigError, match=r"did you mean '\*word_embeddings.weight'"):
        build(Encoder(tiny_model("bert")), no_decay=["*word_embedding.weight"])


def test_patterns_may_match_what_is_frozen(tiny_model):
    build(Encoder(tiny_model("bert"), trainable="none"), no_decay=["encoder.*.bias"])


def test_a_step_equals_adamw_by_hand(tiny_model):
    encoder = Encoder(tiny_model("bert"))
    optimizer, head = build(encoder)
    weight, before = head.classifier.weight, head.classifier.weight.detach().clone()
    weight.grad = torch.randn_like(weight)
    optimizer.step()
    # After one step both moments are the gradient's own, corrected for their start at zero.
    expected = before * (1 - 1e-3 * 0.1) - 1e-3 * weight.grad / (weight.grad.abs() + 1e-8)
    torch.testing.assert_close(weight.detach(), expected)


def test_fused_where_the_device_has_it(tiny_model):
    encoder = Encoder(tiny_model("bert"))
    assert build(encoder)[0].defaults["fused"] is True
    assert build(encoder, fused=False)[0].defaults["fused"] is False
    meta = encoder.to("meta")
    head = ClsHead(hidden_size=32, num_labels=3).to("meta")
    assert AdamW(**SETTINGS).build(meta, head).defaults["fused"] is False
    with pytest.raises(ConfigError, match="`optimizer.fused` must be auto or false on"):
        AdamW(**{**SETTINGS, "fused": True}).build(meta, head)


def test_fused_steps_may_be_clipped_by_lightning(tiny_model):
    from pytorch_lightning.plugins.precision.amp import MixedPrecision

    optimizer, head = build(Encoder(tiny_model("bert")))
    head.classifier.weight.grad = torch.full_like(head.classifier.weight, 100.0)
    MixedPrecision("bf16-mixed", "cpu").clip_gradients(optimizer, 1.0)
    assert float(head.classifier.weight.grad.norm()) == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lr", 0),
        ("lr", -1e-5),
        ("lr", 2),
        ("lr", math.nan),
        ("lr", "5e-5"),
        ("lr", True),
        ("lr", None),
        ("head_lr", 0),
        ("layer_decay", 0),
        ("layer_decay", 1.1),
        ("weight_decay", -0.1),
        ("weight_decay", math.inf),
        ("eps", 0),
        ("betas", 0.9),
        ("betas", [0.9]),
        ("betas", [0.9, 1]),
        ("no_decay", "*.bias"),
        ("no_decay", [1]),
        ("fused", "yes"),
        ("fused", 1),
    ],
)
def test_bad_values_are_refused_when_built(key, value):
    with pytest.raises(ConfigError, match=f"`optimizer.{key}"):
        AdamW(**{**SETTINGS, key: value})
