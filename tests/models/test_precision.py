"""The stated rule of `trainer.precision: auto`, with the hardware faked."""

from __future__ import annotations

import pytest
import torch

from headway.models.precision import resolve_precision
from headway.types import ConfigError


@pytest.fixture
def hardware(monkeypatch):
    def pretend(*, cpu=(), cuda=None, mps=False):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: dict.fromkeys(cpu, True))
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda is not None)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return pretend


@pytest.mark.parametrize("accelerator", ["auto", "cpu"])
@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ((), "32-true"),
        (("avx512",), "32-true"),
        (("avx512_bf16",), "bf16-mixed"),
        (("amx_bf16",), "bf16-mixed"),
    ],
)
def test_a_cpu_computes_in_bf16_where_it_can(hardware, accelerator, capabilities, expected):
    hardware(cpu=capabilities)
    assert resolve_precision("auto", accelerator=accelerator) == expected


@pytest.mark.parametrize("accelerator", ["auto", "gpu", "cuda"])
@pytest.mark.parametrize(
    ("capability", "expected"), [((7, 5), "32-true"), ((8, 0), "bf16-mixed"), ((9, 0), "bf16-mixed")]
)
def test_a_cuda_device_decides_by_its_capability(hardware, accelerator, capability, expected):
    hardware(cuda=capability)
    assert resolve_precision("auto", accelerator=accelerator) == expected


def test_the_device_that_trains_decides_not_the_one_beside_it(hardware):
    hardware(cpu=(), cuda=(9, 0))
    assert resolve_precision("auto", accelerator="cpu") == "32-true"
    hardware(cpu=("amx_bf16",), cuda=(7, 0))
    assert resolve_precision("auto", accelerator="gpu") == "32-true"


def test_apple_devices_train_in_fp32(hardware):
    hardware(mps=True)
    assert resolve_precision("auto", accelerator="auto") == "32-true"
    assert resolve_precision("auto", accelerator="mps") == "32-true"


@pytest.mark.parametrize("requested", ["32-true", "bf16-mixed"])
def test_what_is_stated_is_kept(hardware, requested):
    hardware()
    assert resolve_precision(requested, accelerator="cpu") == requested


def test_fp16_needs_a_cuda_device(hardware):
    hardware(cuda=(7, 5))
    assert resolve_precision("16-mixed", accelerator="auto") == "16-mixed"
    for accelerator in ("cpu", "mps"):
        with pytest.raises(ConfigError, match=r"trainer\.precision` can be 16-mixed on a CUDA device only"):
            resolve_precision("16-mixed", accelerator=accelerator)


@pytest.mark.parametrize("requested", ["bf16-true", "64-true", "fp16", 16, None])
def test_other_names_list_what_is_allowed(requested):
    with pytest.raises(ConfigError, match=r"trainer\.precision` must be one of \['auto', '32-true'"):
        resolve_precision(requested, accelerator="auto")
