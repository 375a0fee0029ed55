"""What a checkpoint may leave out: what isn't trained, and nothing else."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from headway.models.frozen_weights import frozen_names, without_frozen


class Frozen(nn.Module):
    """A frozen layer below a trained one."""

    def __init__(self):
        super().__init__()
        self.below = nn.Linear(3, 3).requires_grad_(False)
        self.above = nn.Linear(3, 2)

    def load_state_dict(self, state_dict, strict=True, assign=False):
        found = super().load_state_dict(state_dict, strict=False, assign=assign)
        return without_frozen(found, self, strict=strict)


def test_what_is_not_trained_may_be_missing_and_is_not_touched():
    module, other = Frozen(), Frozen()
    assert frozen_names(module) == ["below.weight", "below.bias"]
    trained = {name: value for name, value in other.state_dict().items() if name.startswith("above")}
    versions = [parameter._version for parameter in module.below.parameters()]
    found = module.load_state_dict(trained)
    assert found.missing_keys == found.unexpected_keys == []
    assert torch.equal(module.above.weight, other.above.weight)
    assert [parameter._version for parameter in module.below.parameters()] == versions


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("above.bias"), r"without \['above.bias'\] and with \[\] besides"),
        (lambda state: state.update(more=torch.ones(1)), r"without \[\] and with \['more'\] besides"),
        (lambda state: state.update({"above.bias": torch.ones(3)}), "size mismatch for above.bias"),
    ],
)
def test_anything_else_is_refused(change, message):
    state = Frozen().state_dict()
    change(state)
    with pytest.raises(RuntimeError, match=message):
        Frozen().load_state_dict(state)


def test_unless_it_was_asked_for():
    found = Frozen().load_state_dict({"more": torch.ones(1)}, strict=False)
    assert (found.missing_keys, found.unexpected_keys) == (["above.weight", "above.bias"], ["more"])
