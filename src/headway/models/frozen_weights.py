"""Weights that aren't trained: checkpoints leave them out, since the backbone has them."""

from __future__ import annotations

from typing import Any

from torch import nn


def frozen_names(module: nn.Module) -> list[str]:
    """Return the names of a module's parameters that aren't trained."""
    return [name for name, parameter in module.named_parameters() if not parameter.requires_grad]


def without_frozen(found: Any, module: nn.Module, *, strict: bool) -> Any:
    """Return what `load_state_dict` found to differ, less the weights that aren't trained.

    To copy them onto themselves instead would take as long as to load them, and look like a change to
    whoever has hashed them.

    Args:
        found: What `torch.nn.Module.load_state_dict` returned; its missing keys are changed.
        module: That was loaded into.
        strict: Whether nothing else may differ.

    Raises:
        RuntimeError: Something else does.
    """
    frozen = set(frozen_names(module))
    found.missing_keys[:] = [name for name in found.missing_keys if name not in frozen]
    if strict and (found.missing_keys or found.unexpected_keys):
        raise RuntimeError(
            f"a checkpoint must hold the weights of {type(module).__name__}, got one without "
            f"{found.missing_keys} and with {found.unexpected_keys} besides"
        )
    return found
