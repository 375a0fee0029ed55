"""How a batch goes to a device."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch

from headway.types import Batch


class Copied:
    """A tensor that notes how it was copied."""

    def to(self, device, non_blocking):
        return str(device), non_blocking


@pytest.mark.parametrize(
    ("device", "asked", "non_blocking"),
    [
        ("cuda", None, True),
        (torch.device("cuda:1"), None, True),
        ("cpu", None, False),
        ("mps", None, False),
        ("cuda", False, False),
        ("cpu", True, True),
    ],
)
def test_copies_to_a_gpu_are_not_waited_for(device, asked, non_blocking):
    plain = {"lengths": (3,), "normalizer": 1.0, "token_type_ids": None}
    batch = Batch(**{field.name: plain.get(field.name, Copied()) for field in fields(Batch)} | plain)
    moved = batch.to(device) if asked is None else batch.to(device, non_blocking=asked)
    assert moved.input_ids == (str(device), non_blocking)
    assert (moved.lengths, moved.token_type_ids) == ((3,), None)
    assert isinstance(batch.input_ids, Copied)
