"""DeBERTa-v2 end to end equals transformers' padded rows, in every variant, and contamination would show."""

from __future__ import annotations

import copy
from itertools import product

import pytest
import torch
from torch.testing import assert_close

from headway.models.encoder import Encoder
from headway.models.packed_deberta import PackedDisentangledAttention, by_distance, run_packed_deberta
from headway.types import ConfigError

LENGTHS = (1, 3, 5, 5, 5, 9, 20, 20, 37)
# Distances up to 36: buckets of 8 and tables of 15 are too few for them, as 512 are for long documents.
VARIANTS = [
    {
        "pos_att_type": kinds,
        "position_biased_input": biased,
        "conv_kernel_size": kernel,
        "share_att_key": shared,
        "norm_rel_ebd": norm,
        "position_buckets": buckets,
        "max_relative_positions": largest,
    }
    for kinds, (biased, kernel, shared, norm), (buckets, largest) in product(
        (["c2p", "p2c"], ["c2p"], ["p2c"], []),
        ((False, 3, True, "layer_norm"), (True, 0, False, "none"), (False, 0, False, "layer_norm")),
        ((8, -1), (-1, -1), (-1, 15), (64, -1)),
    )
] + [{"relative_attention": False}, {"conv_kernel_size": 5, "conv_groups": 4}, {"type_vocab_size": 2}]


def states_and_gradients(encoder, batch):
    states = encoder(batch)
    weights = torch.linspace(-1, 1, states.numel()).view_as(states)
    (states * weights).sum().backward()
    return states.detach(), {n: p.grad for n, p in encoder.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("changes", VARIANTS, ids=lambda changes: "-".join(map(str, changes.values())))
def test_states_and_gradients_equal_padded(changes, tiny_model, make_batch):
    batch = make_batch(LENGTHS)
    packed = Encoder(tiny_model("deberta-v2", **changes)).eval()
    padded = Encoder(tiny_model("deberta-v2", **changes), layout="padded").eval()
    assert (packed.layout, padded.layout) == ("packed", "padded")
    found, gradients = states_and_gradients(packed, batch)
    expected, expected_gradients = states_and_gradients(padded, batch)
    assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert gradients.keys() == expected_gradients.keys()
    for name, gradient in expected_gradients.items():
        largest = float(gradient.abs().max().clamp(min=1))
        assert_close(gradients[name], gradient, atol=1e-5 * largest, rtol=1e-5)


GROUPS = ((1, 1), (3, 1), (5, 3), (9, 1), (20, 2), (37, 1))


@pytest.mark.parametrize(
    ("kernel", "contaminated"),
    [
        # One group for the whole row; and positions that don't begin anew, which the convolution goes by.
        (0, {"groups": ((sum(LENGTHS), 1),)}),
        (3, {"positions": torch.arange(sum(LENGTHS))}),
    ],
)
def test_equality_would_catch_contamination(kernel, contaminated, tiny_model, make_batch):
    encoder = Encoder(tiny_model("deberta-v2", conv_kernel_size=kernel)).eval()
    ids = make_batch(LENGTHS).input_ids[None]
    anew = torch.cat([torch.arange(length) for length in LENGTHS])

    def run(*, groups=GROUPS, positions=anew):
        inputs = {"input_ids": ids, "position_ids": positions[None]}
        with torch.no_grad():
            return run_packed_deberta(encoder.model, inputs, groups)

    assert (run(**contaminated) - run()).abs().max() > 0.1


def test_a_window_does_not_see_its_neighbours(tiny_model, make_batch):
    encoder = Encoder(tiny_model("deberta-v2")).eval()
    batch, other = make_batch(LENGTHS), make_batch(LENGTHS, seed=1)
    inside = slice(9, 14)  # the fourth window
    ids = other.input_ids.clone()
    ids[inside] = batch.input_ids[inside]
    with torch.no_grad():
        mixed, plain = encoder(make_batch(LENGTHS, input_ids=ids)), encoder(batch)
    assert_close(mixed[inside], plain[inside], atol=1e-6, rtol=1e-6)
    assert (mixed[:9] - plain[:9]).abs().max() > 0.1


@pytest.mark.parametrize("length", [1, 2, 7])
def test_products_by_distance_by_hand(length):
    products = torch.randn(2, 3, length, 2 * length - 1)
    found = by_distance(products)
    for i, j in product(range(length), repeat=2):
        assert_close(found[..., i, j], products[..., i, length - 1 + j - i])


def test_dropout_is_on_in_training_only(tiny_model, make_batch):
    batch = make_batch(LENGTHS)
    for rate in ("attention_probs_dropout_prob", "hidden_dropout_prob"):
        rates = {"attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.0, rate: 0.5}
        encoder = Encoder(tiny_model("deberta-v2", **rates))
        with torch.no_grad():
            assert (encoder(batch) - encoder(batch)).abs().max() > 0.1
            encoder.eval()
            assert_close(encoder(batch), encoder(batch), atol=0, rtol=0)


def test_gradient_checkpointing_changes_nothing(tiny_model, make_batch):
    batch = make_batch(LENGTHS)
    plain, checkpointed = Encoder(tiny_model("deberta-v2")), Encoder(tiny_model("deberta-v2"))
    checkpointed.model.activation_checkpointing_enable({"use_reentrant": False})
    torch.manual_seed(1)
    _, expected = states_and_gradients(plain, batch)
    torch.manual_seed(1)
    _, found = states_and_gradients(checkpointed, batch)
    assert found.keys() == expected.keys()
    for name in expected:
        assert_close(found[name], expected[name])


def test_bf16_autocast_agrees_with_float32(tiny_model, make_batch):
    batch = make_batch(LENGTHS)
    encoder = Encoder(tiny_model("deberta-v2", initializer_range=0.02)).eval()
    with torch.no_grad():
        expected = encoder(batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert_close(encoder(batch).float(), expected, atol=5e-2, rtol=5e-2)


def test_weights_and_names_stay(tiny_model, make_batch):
    batch = make_batch(LENGTHS)
    model = tiny_model("deberta-v2")
    names = list(model.state_dict())
    packed = Encoder(model, layout="packed").eval()
    assert any(isinstance(module, PackedDisentangledAttention) for module in model.modules())
    assert list(model.state_dict()) == names
    with torch.no_grad():
        expected = packed(batch)
        assert_close(copy.deepcopy(packed)(batch), expected)
        assert_close(Encoder(model, layout="padded").eval()(batch), expected, atol=1e-5, rtol=1e-5)


def test_windows_of_any_length_may_follow(tiny_model, make_batch):
    """Filler on a CPU may be longer than there are positions."""
    packed = Encoder(tiny_model("deberta-v2")).eval()
    padded = Encoder(tiny_model("deberta-v2"), layout="padded").eval()
    batch = make_batch([38] * 54 + [13])
    assert packed.computed_tokens(batch) - len(batch.input_ids) > packed.max_positions
    with torch.no_grad():
        assert_close(packed(batch), padded(batch), atol=1e-5, rtol=1e-5)


def test_another_attention_than_eager_is_not_packed(tiny_model):
    model = tiny_model("deberta-v2")
    model.config._attn_implementation = "flash_attention_2"
    with pytest.raises(ConfigError, match="`backbone.layout` can't be packed: .*need 'eager'"):
        Encoder(model, layout="packed")
