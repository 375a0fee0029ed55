"""What can't be packed is padded in groups of like lengths, says why, and computes the same."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from headway.models.encoder import Encoder
from headway.types import ConfigError

LENGTHS = (3, 5, 5, 5, 9, 20, 20)


@pytest.mark.parametrize("family", ["mobilebert", "mpnet"])
def test_a_family_without_adapter_is_padded_in_groups(family, tiny_model, make_batch, hf_states):
    batch = make_batch(LENGTHS)
    encoder = Encoder(tiny_model(family)).eval()
    assert encoder.layout == "grouped"
    assert encoder.why_not_packed.startswith(f"{family} has no adapter (those that have: albert, ")
    assert_close(encoder(batch), hf_states(tiny_model(family), batch), atol=1e-5, rtol=1e-5)
    with pytest.raises(ConfigError, match=rf"`backbone.layout` can't be packed: {family} has no adapter"):
        Encoder(tiny_model(family), layout="packed")


def test_groups_of_like_lengths_compute_little_padding(tiny_model, make_batch, gradients):
    batch = make_batch((*[3] * 4, *[5] * 4, 35, *[38] * 4))
    grouped = Encoder(tiny_model("bert"), layout="grouped").eval()
    padded = Encoder(tiny_model("bert"), layout="padded").eval()
    assert padded.computed_tokens(batch) == 13 * 38
    assert grouped.computed_tokens(batch) == 8 * 5 + 5 * 38
    assert (grouped.layout, grouped.why_not_packed) == ("grouped", None)
    found, expected = gradients(grouped, batch), gradients(padded, batch)
    assert_close(grouped(batch), padded(batch), atol=1e-5, rtol=1e-5)
    for name, gradient in expected.items():
        largest = float(gradient.abs().max().clamp(min=1))
        assert_close(found[name], gradient, atol=1e-5 * largest, rtol=1e-5)


def test_eager_attention_is_not_packed(tiny_model):
    model = tiny_model("bert")
    model.set_attn_implementation("eager")
    assert "need 'sdpa'" in Encoder(model).why_not_packed
    with pytest.raises(ConfigError, match="`backbone.layout` can't be packed: attention is 'eager'"):
        Encoder(model, layout="packed")


def test_rows_of_few_lengths_compute_the_same(tiny_model, make_batch):
    batch = make_batch((3, 17, 17, 25))
    plain = Encoder(tiny_model("bert"), layout="padded").eval()
    few = Encoder(tiny_model("bert"), layout="padded", few_shapes=True).eval()
    assert (plain.computed_tokens(batch), few.computed_tokens(batch)) == (4 * 25, 4 * 28)
    with torch.no_grad():
        assert_close(few(batch), plain(batch), atol=1e-5, rtol=1e-5)
    longest = make_batch((3, 39))
    assert few.computed_tokens(longest) == 2 * 40  # no more than there are positions
    with torch.no_grad():
        assert_close(few(longest), plain(longest), atol=1e-5, rtol=1e-5)
