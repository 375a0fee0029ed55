"""What Lightning refuses on this machine is one line that names the keys."""

from __future__ import annotations

import pytest
import torch

from headway.trainer_assembly import forward_context
from headway.types import ConfigError


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="it has a GPU")
def test_a_device_that_is_not_there_is_refused_in_one_line():
    node = {"accelerator": "gpu", "devices": 1, "precision": "32-true"}
    with pytest.raises(
        ConfigError, match=r"\.accelerator=gpu, trainer\.devices=1 .*set it to auto$"
    ) as caught:
        forward_context(node)
    assert "\n" not in str(caught.value)
