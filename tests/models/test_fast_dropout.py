"""Fast dropout: its rate, its scale, its independence, and that it is where it should be."""

import pytest
import torch
from torch import nn

from headway.models.dropped_attention import DroppedAttention, attend_with_fast_dropout
from headway.models.fast_dropout import LEVELS, FastDropout, draw_mask, fast_dropout, use_fast_dropout
from headway.models.packed_attention import packed_attention


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.9])
def test_rate_is_kept_in_every_one_of_the_four_places_of_a_word(rate):
    torch.manual_seed(0)
    count = 400_000
    zeros = fast_dropout(torch.ones(count), rate) == 0
    deviation = 5 * (rate * (1 - rate) / (count / 4)) ** 0.5  # five standard errors
    for place in range(4):
        assert abs(float(zeros[place::4].float().mean()) - rate) < deviation


def test_neighbours_and_calls_are_independent():
    torch.manual_seed(0)
    first = (fast_dropout(torch.ones(400_000), 0.5) == 0).float()
    second = (fast_dropout(torch.ones(400_000), 0.5) == 0).float()
    for lag in (1, 2, 3, 4, 8):
        assert abs(float(torch.corrcoef(torch.stack([first[:-lag], first[lag:]]))[0, 1])) < 0.01
    assert abs(float(torch.corrcoef(torch.stack([first, second]))[0, 1])) < 0.01


def test_expectation_is_exact_for_the_rounded_rate():
    dropped = fast_dropout(torch.ones(1000), 0.1)
    assert dropped.unique().tolist() == pytest.approx([0.0, 65536 / (65536 - 6554)])


def test_gradient_is_the_same_mask_and_scale():
    values = torch.randn(37, 5, requires_grad=True)
    dropped = fast_dropout(values, 0.3)
    dropped.sum().backward()
    assert torch.allclose(values.grad * values.detach(), dropped.detach())
    assert (values.grad == 0).any()


def test_seed_decides_and_dtype_stays():
    values = torch.randn(3, 7, dtype=torch.bfloat16)
    torch.manual_seed(1)
    first = fast_dropout(values, 0.5)
    torch.manual_seed(1)
    assert torch.equal(first, fast_dropout(values, 0.5))
    assert first.dtype == torch.bfloat16


def test_eval_and_rate_zero_change_nothing():
    values = torch.randn(10)
    assert FastDropout(0.5).eval()(values) is values
    assert FastDropout(0.0)(values) is values


def test_use_fast_dropout_replaces_each_dropout_and_no_weight():
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(0.2))).eval()
    names = list(model.state_dict())
    use_fast_dropout(model)
    replaced = model[1][0]
    assert isinstance(replaced, FastDropout)
    assert replaced.p == 0.2
    assert not replaced.training
    assert list(model.state_dict()) == names


@pytest.mark.parametrize("masked", [False, True])
def test_attention_equals_torchs_but_for_the_dropped_weights(masked):
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 6, 8)
    mask = torch.eye(6, dtype=torch.bool) | (torch.arange(6) < 3) if masked else None
    ours = attend_with_fast_dropout(query, key, value, attn_mask=mask, dropout_p=0.0, scale=None)
    theirs = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    assert torch.allclose(ours, theirs, atol=1e-6)
    means = [
        attend_with_fast_dropout(query, key, value, attn_mask=mask, dropout_p=0.2, scale=None)
        for _ in range(4000)
    ]
    assert torch.allclose(torch.stack(means).mean(0), theirs, atol=0.08)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_gradient_is_dropped_and_scaled_as_the_values_were(dtype):
    values = torch.ones(1000, dtype=dtype, requires_grad=True)
    result = fast_dropout(values, 0.25)
    result.backward(torch.full_like(result, 3.0))
    assert set(result.detach().tolist()) == {0.0, result.max().item()}
    assert torch.equal(values.grad == 0, result == 0)
    kept = values.grad[values.grad != 0].float()
    assert torch.allclose(kept, torch.tensor(4.0), rtol=1e-2)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_gradients_of_dropped_attention_are_autograds(masked, rate):
    """Against the plain formula in float64, with the same weights dropped."""
    torch.manual_seed(0)
    given = [torch.randn(2, 3, 7, 5, requires_grad=True) for _ in range(3)]
    mask = torch.ones(7, 7, dtype=torch.bool).tril(2) if masked else None
    torch.manual_seed(1)
    output = DroppedAttention.apply(*given, mask, rate)
    torch.manual_seed(1)
    kept = draw_mask(torch.Size((2, 3, 7, 7)), round(rate * LEVELS), dtype=torch.float64)
    query, key, value = (each.detach().double().requires_grad_() for each in given)
    scores = query @ key.transpose(-1, -2)
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    scale = LEVELS / (LEVELS - round(rate * LEVELS))
    plain = (torch.softmax(scores, dim=-1) * kept * scale) @ value
    assert torch.allclose(output.double(), plain, atol=1e-5)
    gradient = torch.randn_like(output)
    output.backward(gradient)
    plain.backward(gradient.double())
    for one, other in zip(given, (query, key, value), strict=True):
        assert torch.allclose(one.grad.double(), other.grad, atol=1e-5)


@pytest.fixture
def make_packed_inputs():
    """Return a function: (length) -> query, key and value of two windows, as layers hand them on."""

    def make(length):
        generator = torch.Generator().manual_seed(0)
        return [
            torch.randn(1, 2 * length, 3, 8, generator=generator).transpose(1, 2).requires_grad_()
            for _ in range(3)
        ]

    return make


@pytest.mark.parametrize(("length", "window"), [(9, None), (40, 8), (300, None)])
def test_attention_without_dropout_trains_in_bfloat16_as_in_float32(length, window, make_packed_inputs):
    query, key, value = make_packed_inputs(length)
    module = nn.Module()
    arguments = {"sliding_window": window, "window_groups": ((length, 2),)}
    exact = packed_attention(module, query, key, value, None, **arguments)[0]
    weights = torch.linspace(-1, 1, exact.numel()).view_as(exact)
    expected = torch.autograd.grad((exact * weights).sum(), (query, key, value))
    rounded = [states.detach().bfloat16().requires_grad_() for states in (query, key, value)]
    found = packed_attention(module, *rounded, None, **arguments)[0]
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), exact, atol=0.03, rtol=0.03)
    for mine, theirs in zip(torch.autograd.grad((found * weights).sum(), rounded), expected, strict=True):
        assert (mine - theirs).norm() < 0.02 * theirs.norm()
