"""`trainer.precision: auto`: bf16 where the hardware computes in it, else fp32."""

from __future__ import annotations

import torch

from headway.types import ConfigError

ALLOWED = ("auto", "32-true", "bf16-mixed", "16-mixed")


def _cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bf16 itself (AVX-512 BF16 or AMX); emulated bf16 is slower than fp32."""
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def resolve_precision(requested: str, *, accelerator: str) -> str:
    """Return the precision to train in.

    Args:
        requested: One of Lightning's names, or "auto": bf16-mixed on a CUDA device of compute capability 8 or
            more and on a CPU with AVX-512 BF16 or AMX, else 32-true.
        accelerator: Lightning's `accelerator`.

    Returns:
        One of Lightning's names.

    Raises:
        ConfigError: An unknown name, or 16-mixed without a CUDA device.
    """
    if requested not in ALLOWED:
        raise ConfigError(
            f"`trainer.precision` must be one of {list(ALLOWED)}, got {requested!r}; weights stay in float32"
        )
    on_cuda = accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    if requested == "16-mixed" and not on_cuda:
        # Lightning would warn and compute in bf16.
        raise ConfigError(
            "`trainer.precision` can be 16-mixed on a CUDA device only, got 16-mixed without one; set auto"
        )
    if requested != "auto":
        return requested
    if on_cuda:
        return "bf16-mixed" if torch.cuda.get_device_capability()[0] >= 8 else "32-true"
    if accelerator in ("auto", "cpu") and not torch.backends.mps.is_available():
        return "bf16-mixed" if _cpu_has_bf16() else "32-true"
    return "32-true"
