"""The chain of losses is the same only for the same losses, and goes on from a checkpoint."""

from __future__ import annotations

import hashlib
import math
import struct

from headway.models.loss_chain import LossChain


def test_links_are_those_of_the_definition():
    chain = LossChain()
    chain.extend([0.5, 2.0])
    link = hashlib.sha256(b"").digest()
    for loss in (0.5, 2.0):
        link = hashlib.sha256(link + struct.pack("<d", loss)).digest()
    assert chain.state_dict() == {"losses": 2, "sha256": link.hex()}


def test_the_last_bit_and_the_order_count():
    chains = [LossChain() for _ in range(3)]
    losses = [0.1, 0.2]
    chains[0].extend(losses)
    chains[1].extend([0.1, math.nextafter(0.2, 1)])
    chains[2].extend(losses[::-1])
    assert len({chain.link for chain in chains}) == 3


def test_it_goes_on_from_a_checkpoint():
    whole, first, second = LossChain(), LossChain(), LossChain()
    whole.extend([1.0, 2.0, 3.0])
    first.extend([1.0])
    second.load_state_dict(first.state_dict())
    second.extend([2.0, 3.0])
    assert second.state_dict() == whole.state_dict()
