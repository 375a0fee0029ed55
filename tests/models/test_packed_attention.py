"""What the packed layout computes, and what it doesn't."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from headway.models.encoder import Encoder
from headway.models.packed_attention import band_mask, packed_attention


class Recorder(TorchDispatchMode):
    """Counts kernels, and keeps the size of the largest tensor that one returned."""

    def __init__(self):
        super().__init__()
        self.calls = Counter()
        self.largest = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        self.calls[function.overloadpacket.__name__] += 1
        for value in result if isinstance(result, tuple | list) else [result]:
            if isinstance(value, torch.Tensor):
                self.largest = max(self.largest, value.numel())
        return result


def test_one_kernel_a_distinct_length_and_never_a_square_of_the_row(tiny_model, make_batch):
    lengths = (6,) * 40 + (7,) * 40 + (8,) * 31  # 768 tokens, which need no filler
    encoder = Encoder(tiny_model("bert"), trainable="none")
    with Recorder() as recorder:
        encoder(make_batch(lengths))
    kernels = sum(count for name, count in recorder.calls.items() if "scaled_dot_product" in name)
    assert kernels == 2 * 3  # layers x distinct lengths
    assert recorder.largest < sum(lengths) ** 2 / 10


def test_no_copy_of_queries_keys_and_values(tiny_model, make_batch):
    """One concatenation a layer puts the windows together; nothing else is moved."""
    encoder = Encoder(tiny_model("bert"), trainable="none")
    with Recorder() as recorder:
        encoder(make_batch((3, 5, 5, 9)))
    assert recorder.calls["cat"] == 2
    assert recorder.calls["clone"] == 0
    assert recorder.calls["copy_"] == 0


def test_equals_softmax_by_hand():
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, 1, 3, 2) for _ in range(3))
    found, weights = packed_attention(
        torch.nn.Identity(), query, key, value, None, window_groups=((1, 1), (2, 1))
    )
    assert weights is None
    assert found.shape == (1, 3, 1, 2)
    assert_close(found[0, 0, 0], value[0, 0, 0])  # alone in its window
    scores = query[0, 0, 1:] @ key[0, 0, 1:].T / math.sqrt(2)
    assert_close(found[0, 1:, 0], scores.softmax(-1) @ value[0, 0, 1:])


def test_groups_must_cover_the_row():
    states = torch.randn(1, 1, 3, 2)
    with pytest.raises(RuntimeError):
        packed_attention(torch.nn.Identity(), states, states, states, None, window_groups=((1, 1), (1, 1)))


def test_band_mask_sees_smaller_distances_to_both_sides():
    assert band_mask(4, 2, torch.device("cpu")).int().tolist() == [
        [1, 1, 0, 0],
        [1, 1, 1, 0],
        [0, 1, 1, 1],
        [0, 0, 1, 1],
    ]
