"""`trainer.precision: auto`: bf16 where the hardware computes in it, else fp32."""

from __future__ import annotations

from headway.types import ConfigError

ALLOWED = ("auto", "32-true", "bf16-mixed", "16-mixed")


def _cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bf16 itself (AVX-512 BF16 or AMX); emulated bf16 is slower than fp32."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _on_cuda(accelerator: str) -> bool:
    import torch

    return accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()


def check_precision(requested: str, *, accelerator: str) -> None:
    """Check a precision; torch is asked only about 16-mixed.

    Args:
        requested: One of Lightning's names, or "auto".
        accelerator: Lightning's `accelerator`.

    Raises:
        ConfigError: An unknown name, or 16-mixed without a CUDA device.
    """
    if requested not in ALLOWED:
        raise ConfigError(
            f"`trainer.precision` must be one of {list(ALLOWED)}, got {requested!r}; weights stay in float32"
        )
    if requested == "16-mixed" and not _on_cuda(accelerator):
        # Lightning would warn and compute in bf16.
        raise ConfigError(
            "`trainer.precision` can be 16-mixed on a CUDA device only, got 16-mixed without one; set auto"
        )


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
    check_precision(requested, accelerator=accelerator)
    if requested != "auto":
        return requested
    import torch

    if _on_cuda(accelerator):
        return "bf16-mixed" if torch.cuda.get_device_capability()[0] >= 8 else "32-true"
    if accelerator in ("auto", "cpu") and not torch.backends.mps.is_available():
        return "bf16-mixed" if _cpu_has_bf16() else "32-true"
    return "32-true"
