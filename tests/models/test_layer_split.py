"""What frozen layers give can be put back in: the same states and gradients as in one pass."""

from __future__ import annotations

from dataclasses import replace

import pytest
from torch.testing import assert_close

from headway.models.encoder import Encoder
from headway.models.layer_split import LayerSplit
from headway.models.packed_attention import PACKED_FAMILIES

LENGTHS = (3, 5, 5, 9, 20)


def trained_gradients(encoder, batch):
    encoder.zero_grad()
    states = encoder(batch)
    (states * states.detach().cos()).sum().backward()
    return states.detach(), {n: p.grad for n, p in encoder.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("layout", ["packed", "padded"])
@pytest.mark.parametrize("family", sorted(PACKED_FAMILIES - {"albert"}))  # whose layers are shared
def test_upper_layers_on_kept_states_equal_the_whole(family, layout, tiny_model, make_batch):
    encoder = Encoder(
        tiny_model(family, num_hidden_layers=4), trainable="last_n", last_n=2, layout=layout
    ).eval()
    assert encoder.frozen_depth == 2
    encoder.keep_pooler(wanted=False)
    batch = make_batch(LENGTHS)
    names = [name for name, _ in encoder.named_parameters()]
    kept = encoder.frozen_states(batch)
    assert kept.shape == (sum(LENGTHS), encoder.hidden_size)
    assert not kept.requires_grad
    states, gradients = trained_gradients(encoder, batch)
    resumed, resumed_gradients = trained_gradients(encoder, replace(batch, features=kept))
    assert_close(resumed, states, atol=1e-6, rtol=1e-6)
    assert resumed_gradients.keys() == gradients.keys()
    for name, gradient in gradients.items():
        assert_close(resumed_gradients[name], gradient, atol=1e-5, rtol=1e-5)
    # A wrong state below changes what comes out above: the features are what is read.
    assert not resumed.allclose(encoder(replace(batch, features=kept.flip(0))), atol=1e-3)
    assert [name for name, _ in encoder.named_parameters()] == names


def test_a_frozen_encoders_states_are_its_last(tiny_model, make_batch):
    encoder = Encoder(tiny_model("bert"), trainable="none")
    batch = make_batch(LENGTHS)
    assert encoder.frozen_depth == 2
    assert_close(encoder.frozen_states(batch), encoder(batch), atol=0, rtol=0)


def test_an_error_in_the_call_leaves_the_layers_whole(tiny_model):
    model = tiny_model("bert", num_hidden_layers=3)
    split = LayerSplit(model, 1)

    def fail():
        assert len(model.encoder.layer) == 1
        raise RuntimeError("no memory")

    with pytest.raises(RuntimeError, match="no memory"):
        split.lower(fail)
    assert len(model.encoder.layer) == 3


@pytest.mark.parametrize("depth", [0, 2, 5])
def test_a_cut_outside_the_layers_is_refused(depth, tiny_model):
    with pytest.raises(ValueError, match=f"a cut after layer {depth} needs a list of more layers"):
        LayerSplit(tiny_model("bert"), depth)


def test_features_without_frozen_layers_are_refused(tiny_model, make_batch):
    encoder = Encoder(tiny_model("bert"))
    batch = make_batch(LENGTHS)
    with pytest.raises(ValueError, match="features of tokens need an encoder with frozen layers"):
        encoder(replace(batch, features=encoder.frozen_states(batch)))
