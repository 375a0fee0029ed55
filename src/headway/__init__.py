"""Fine-tune encoder-only transformers and know what the number means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headway.version import __version__

if TYPE_CHECKING:
    from headway.delivery.predictor import load

__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    """Import what is heavy when it is first used, so that `headway --help` doesn't wait for torch."""
    if name == "load":
        from headway.delivery.predictor import load

        return load
    raise AttributeError(f"module 'headway' has no attribute {name!r}")
