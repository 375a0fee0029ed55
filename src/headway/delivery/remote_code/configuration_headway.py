"""The config of a headway export whose head transformers has no class for."""

from __future__ import annotations

from typing import Any

from transformers import PreTrainedConfig


class HeadwayConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]
    """Says which encoder and which pooling; labels are where transformers has them.

    Its model_type is no family's own: read without trust_remote_code, the folder is an error and not a model
    of the family with a head of random weights.

    Args:
        backbone: The encoder's config as a dictionary, model_type in it.
        pooling: "cls", "mean", "max" or "pooler" for windows; None where tokens are labelled.
        **kwargs: What every config has.
    """

    model_type = "headway"

    def __init__(
        self, backbone: dict[str, Any] | None = None, pooling: str | None = None, **kwargs: Any
    ) -> None:
        self.backbone = dict(backbone or {})
        self.pooling = pooling
        super().__init__(**kwargs)
