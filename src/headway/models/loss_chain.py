"""A hash chain of a training's losses: two trainings share it only if every loss is the same to the bit."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from typing import Any

START = hashlib.sha256(b"").hexdigest()


class LossChain:
    """Each link is the sha256 of the link before and the eight bytes (little-endian double) of a loss.

    Unlike a hash of all losses it can go on from what a checkpoint holds: a link and how many there are.

    Attributes:
        losses: How many are in it.
        link: The last link, 64 hexadecimal digits.
    """

    def __init__(self) -> None:
        self.losses = 0
        self.link = START

    def add(self, loss: float) -> None:
        """Add a loss.

        Args:
            loss: A micro-batch's mean, or an optimizer step's where a head trains on kept features.
        """
        self.link = hashlib.sha256(bytes.fromhex(self.link) + struct.pack("<d", loss)).hexdigest()
        self.losses += 1

    def extend(self, losses: Iterable[float]) -> None:
        """Add losses in order.

        Args:
            losses: As `add` takes each.
        """
        for loss in losses:
            self.add(loss)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint and the record hold."""
        return {"losses": self.losses, "sha256": self.link}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint.

        Args:
            state: As `state_dict` returned it.
        """
        self.losses, self.link = int(state["losses"]), str(state["sha256"])
