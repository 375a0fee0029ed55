"""How the windows of a batch lie in a model's input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headway.models.packed_attention import (
    PACKED_ATTENTION,
    run_registered,
    use_packed_attention,
    why_not_packed,
)
from headway.types import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from headway.models.packed_attention import RunPacked

LAYOUTS = ("auto", "packed", "grouped", "padded")


def choose_layout(model: PreTrainedModel, layout: str) -> tuple[str, RunPacked, str | None]:
    """Return the layout of a model's input, and prepare the model for it.

    Args:
        model: Its attention is replaced where windows are packed.
        layout: "packed", "grouped", "padded", or "auto": packed wherever the model can, else grouped.

    Returns:
        The layout, what runs a packed row, and why "auto" didn't pack (None where it did or wasn't asked).

    Raises:
        ConfigError: The layout is unknown, or the model can't be packed.
    """
    if layout not in LAYOUTS:
        raise ConfigError(f"`backbone.layout` must be one of {list(LAYOUTS)}, got {layout!r}")
    reason = why_not_packed(model)
    if layout == "packed" and reason is not None:
        raise ConfigError(f"`backbone.layout` can't be packed: {reason}; set backbone.layout=auto")
    if layout not in ("padded", "grouped") and reason is None:
        return "packed", use_packed_attention(model), None
    if model.config._attn_implementation == PACKED_ATTENTION:  # wrapped before, and packed then
        model.set_attn_implementation("sdpa")
    return ("grouped", run_registered, reason) if layout == "auto" else (layout, run_registered, None)
