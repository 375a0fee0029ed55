"""Which layers the varlen kernel serves and what it is called with; the kernel itself runs on CUDA only."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn.attention import varlen
from torch.nn.functional import scaled_dot_product_attention
from torch.testing import assert_close

from headway.models.packed_attention import packed_attention
from headway.models.varlen_attention import attend_varlen, takes_varlen

GROUPS = ((3, 2), (7, 1), (12, 2))
STARTS = torch.tensor([0, 3, 6, 13, 25, 37], dtype=torch.int32)


def query(*, device="cuda", dtype=torch.bfloat16, head_size=64):
    return SimpleNamespace(device=SimpleNamespace(type=device), dtype=dtype, shape=(1, 2, 3, head_size))


@pytest.mark.parametrize(
    ("changes", "dropout", "taken"),
    [
        ({}, 0.0, True),
        ({"dtype": torch.float16}, 0.0, True),
        ({"head_size": 32}, 0.0, True),
        ({"dtype": torch.float32}, 0.0, False),
        ({"device": "cpu"}, 0.0, False),
        ({"device": "mps"}, 0.0, False),
        ({}, 0.1, False),
        ({"head_size": 36}, 0.0, False),
        ({"head_size": 264}, 0.0, False),
    ],
)
def test_what_the_kernel_serves(changes, dropout, taken):
    assert takes_varlen(query(**changes), dropout=dropout) == taken


def by_hand(q, k, v, starts, starts_k, longest, longest_k, *, scale, window_size, enable_gqa):
    """What torch documents of varlen_attn, a window at a time."""
    assert starts.dtype == torch.int32
    assert starts is starts_k
    assert longest == longest_k == int(starts.diff().max())
    left, right = window_size
    out = torch.empty_like(q)
    for start, stop in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        one = [states[start:stop].transpose(0, 1) for states in (q, k, v)]
        places = torch.arange(stop - start)
        ahead = places[None, :] - places[:, None]
        seen = ((ahead <= right) | (right < 0)) & ((-ahead <= left) | (left < 0))
        found = scaled_dot_product_attention(*one, attn_mask=seen, scale=scale, enable_gqa=enable_gqa)
        out[start:stop] = found.transpose(0, 1)
    return out


@pytest.mark.parametrize("sliding_window", [None, 1, 4, 20])
@pytest.mark.parametrize("key_heads", [4, 2])
@pytest.mark.parametrize("scale", [None, 0.3])
def test_it_is_called_for_what_the_calls_by_length_compute(sliding_window, key_heads, scale, monkeypatch):
    monkeypatch.setattr(varlen, "varlen_attn", by_hand)
    torch.manual_seed(0)
    q, k, v = (torch.randn(1, heads, 37, 8) for heads in (4, key_heads, key_heads))
    options = {"scaling": scale, "sliding_window": sliding_window, "window_groups": GROUPS}
    expected, _ = packed_attention(nn.Identity(), q, k, v, None, window_starts=STARTS, **options)
    found = attend_varlen(
        *(states[0].transpose(0, 1) for states in (q, k, v)),
        starts=STARTS,
        lengths=[length for length, _ in GROUPS],
        scale=scale,
        sliding_window=sliding_window,
    )
    assert_close(found[None], expected, atol=1e-6, rtol=1e-5)
