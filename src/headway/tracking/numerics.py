"""What decides the last digits of a training besides its config: threads, kernels, precision, flags."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    import pytorch_lightning as pl

    from headway.models.encoder import Encoder

VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "MKL_CBWR", "ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA",
             "ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_MAX_CPU_ISA", "CUBLAS_WORKSPACE_CONFIG", "PYTHONHASHSEED",
             "NVIDIA_TF32_OVERRIDE", "TORCH_BLAS_PREFER_CUBLASLT")  # fmt: skip
"""Environment variables that numbers may depend on."""


def numerics(cfg: Mapping[str, Any], trainer: pl.Trainer, encoder: Encoder) -> dict[str, Any]:
    """Return how a run computes, as plain values.

    Args:
        cfg: The resolved config.
        trainer: Lightning's.
        encoder: Built.
    """
    backends = torch.backends
    return {
        "threads": torch.get_num_threads(),
        "interop_threads": torch.get_num_interop_threads(),
        "processes": trainer.world_size,
        "device": str(trainer.strategy.root_device.type),
        "precision": str(trainer.precision),
        "attention": cfg["backbone"].get("attention"),
        "layout": encoder.layout,
        "first_tokens_alone": encoder.trims,
        "fast_dropout": cfg["backbone"].get("fast_dropout"),
        "compile": cfg["backbone"].get("compile"),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "matmul_precision": torch.get_float32_matmul_precision(),
        "cpu_capability": backends.cpu.get_cpu_capability(),
        "mkldnn": backends.mkldnn.is_available() and bool(backends.mkldnn.enabled),  # type: ignore[no-untyped-call]
        "mkl": backends.mkl.is_available(),  # type: ignore[no-untyped-call]
        "cudnn_deterministic": bool(backends.cudnn.deterministic),
        "cudnn_benchmark": bool(backends.cudnn.benchmark),
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }
