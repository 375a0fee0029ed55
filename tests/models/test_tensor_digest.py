"""Tensors are told apart by every bit, name, type and shape."""

from __future__ import annotations

import torch

from headway.models.tensor_digest import tensor_digest


def test_weights_are_told_by_every_bit_and_name():
    state = {"a": torch.tensor([1.0, 2.0]), "b": torch.tensor(3, dtype=torch.bfloat16)}
    found = tensor_digest(state)
    assert tensor_digest(dict(reversed(state.items()))) == found
    others = [
        {**state, "a": torch.nextafter(state["a"], torch.tensor(9.0))},
        {**state, "a": state["a"].view(2, 1)},
        {"c": state["a"], "b": state["b"]},
    ]
    assert len({found, *map(tensor_digest, others)}) == 4
