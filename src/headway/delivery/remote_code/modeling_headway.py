"""The models of a headway export whose head transformers has no class for: for inference, without headway."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput, TokenClassifierOutput

from .configuration_headway import HeadwayConfig


class HeadwayModel(PreTrainedModel):  # type: ignore[no-untyped-call]
    """An encoder and one linear layer.

    Args:
        config: Describes both.
    """

    config_class = HeadwayConfig
    base_model_prefix = "encoder"
    _supports_sdpa = True

    def __init__(self, config: HeadwayConfig) -> None:
        super().__init__(config)
        backbone = AutoConfig.for_model(**config.backbone)
        self.encoder = AutoModel.from_config(backbone)  # type: ignore[no-untyped-call]
        if config.pooling != "pooler" and getattr(self.encoder, "pooler", None) is not None:
            self.encoder.pooler = None
        self.classifier = nn.Linear(backbone.hidden_size, len(config.id2label or {}))
        self.post_init()  # type: ignore[no-untyped-call]

    def states(
        self, input_ids: Tensor, attention_mask: Tensor | None, token_type_ids: Tensor | None
    ) -> Tensor:
        """Return the last hidden states.

        Args:
            input_ids: (batch, length) int64.
            attention_mask: (batch, length) int64, 1 where there is a token; None: everywhere.
            token_type_ids: (batch, length) int64; left out where the encoder takes none.

        Returns:
            (batch, length, hidden_size) float.
        """
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        if "token_type_ids" in inspect.signature(self.encoder.forward).parameters:
            inputs["token_type_ids"] = token_type_ids
        hidden: Tensor = self.encoder(**inputs).last_hidden_state
        return hidden


class HeadwayForTokenClassification(HeadwayModel):  # type: ignore[no-untyped-call]
    """Labels every token.

    Args:
        config: Describes encoder and labels.
    """

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        **kwargs: Any,
    ) -> TokenClassifierOutput:
        """Return logits, (batch, length, num_labels).

        Args:
            input_ids: (batch, length) int64.
            attention_mask: (batch, length) int64; None: no padding.
            token_type_ids: (batch, length) int64.
            **kwargs: What pipelines hand along; not used.
        """
        return TokenClassifierOutput(
            logits=self.classifier(self.states(input_ids, attention_mask, token_type_ids))
        )


class HeadwayForSequenceClassification(HeadwayModel):  # type: ignore[no-untyped-call]
    """Labels whole windows by one vector of each.

    Args:
        config: Describes encoder, pooling and labels.
    """

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        **kwargs: Any,
    ) -> SequenceClassifierOutput:
        """Return logits, (batch, num_labels).

        Args:
            input_ids: (batch, length) int64.
            attention_mask: (batch, length) int64; None: no padding.
            token_type_ids: (batch, length) int64.
            **kwargs: What pipelines hand along; not used.
        """
        states = self.states(input_ids, attention_mask, token_type_ids)
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        held = mask.unsqueeze(-1).to(states.dtype)  # (batch, length, 1)
        if self.config.pooling == "mean":
            pooled = (states * held).sum(1) / held.sum(1)
        elif self.config.pooling == "max":
            pooled = (states + (1.0 - held) * torch.finfo(states.dtype).min).amax(1)
        elif self.config.pooling == "pooler":
            pooled = self.encoder.pooler(states)
        else:
            pooled = states[:, 0]
        return SequenceClassifierOutput(logits=self.classifier(pooled))
