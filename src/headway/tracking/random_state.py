"""The state of every generator that a training draws from, as a checkpoint can hold it."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch


def random_state() -> dict[str, Any]:
    """Return the states of torch's, numpy's and Python's generators, as tensors and scalars.

    Dropout, headway's own included, draws from torch's; the order of windows is a function of seed and epoch.
    """
    version, words, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "python": [version, torch.tensor(words, dtype=torch.int64), gauss],
        "numpy": [str(name), torch.from_numpy(keys.astype(np.int64)), position, has_gauss, cached],  # type: ignore[union-attr]
    }


def restore_random_state(state: dict[str, Any]) -> None:
    """Put every generator back where it was.

    Args:
        state: What `random_state` returned.
    """
    torch.set_rng_state(state["torch"].cpu())
    devices = torch.cuda.device_count()
    if devices and len(state["cuda"]) == devices:
        torch.cuda.set_rng_state_all([each.cpu() for each in state["cuda"]])
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words.tolist()), gauss))
    name, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), position, has_gauss, cached))
