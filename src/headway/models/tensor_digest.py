"""The sha256 of tensors, whatever file they lie in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor


def tensor_digest(tensors: Mapping[str, Tensor]) -> str:
    """Return the sha256 of names, types, shapes and bits, in hexadecimal.

    Args:
        tensors: Name -> tensor, in any order and on any device.
    """
    sha = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        sha.update(f"{name}:{value.dtype}:{tuple(value.shape)};".encode())
        sha.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return sha.hexdigest()
