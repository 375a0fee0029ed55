"""What headway must know of a transformers model, read off the model itself instead of a list of names."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from headway.types import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Architecture:
    """A backbone's measures, known without its weights.

    Attributes:
        model_type: The family's name in transformers.
        hidden_size: Of the states.
        num_layers: Transformer layers.
        max_positions: Tokens that a window may hold, special ones included.
        inputs: Names of the inputs that the model's forward declares.
        initializer_range: Standard deviation of fresh weights, for heads.
    """

    model_type: str
    hidden_size: int
    num_layers: int
    max_positions: int
    inputs: frozenset[str]
    initializer_range: float

    @classmethod
    def of(cls, model: PreTrainedModel) -> Architecture:
        """Return the measures of a model, which may be on the meta device."""
        return cls(
            model_type=str(model.config.model_type),
            hidden_size=int(model.config.hidden_size),
            num_layers=int(model.config.num_hidden_layers),
            max_positions=max_positions(model),
            inputs=forward_inputs(model),
            initializer_range=float(getattr(model.config, "initializer_range", 0.02)),
        )


def forward_inputs(model: nn.Module | type[nn.Module]) -> frozenset[str]:
    """Return the names of the inputs that a model declares; what `**kwargs` would swallow isn't among them.

    Args:
        model: A model or its class.

    Returns:
        Parameter names of its forward.
    """
    parameters = inspect.signature(model.forward).parameters.values()
    named = (p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
    return frozenset(named) - {"self"}


def position_table(model: nn.Module) -> nn.Embedding | None:
    """Return the learned embeddings of absolute positions, None where a model has none."""
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            return module
    return None


def position_offset(model: nn.Module) -> int:
    """Return the position of a window's first token: 0, or padding_idx + 1 in RoBERTa-like models.

    Those keep position padding_idx for padding and nothing below it, and say so by the table's padding_idx.
    """
    table = position_table(model)
    return 0 if table is None or table.padding_idx is None else table.padding_idx + 1


def max_positions(model: PreTrainedModel) -> int:
    """Return the tokens that a window may hold, special ones included: RoBERTa's 514 positions are 512."""
    table = position_table(model)
    if table is None:
        return int(model.config.max_position_embeddings)
    return table.num_embeddings - position_offset(model)


def layer_list(model: PreTrainedModel) -> tuple[str, nn.ModuleList] | None:
    """Return the name and the modules of the transformer layers, None where they aren't one list.

    ALBERT, for one, runs the same layer again and again.
    """
    for name, module in model.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == model.config.num_hidden_layers:
            return name, module
    return None


def parameter_depths(model: PreTrainedModel) -> dict[str, int]:
    """Return how deep each parameter lies.

    Args:
        model: Its layers stand in one list.

    Returns:
        Parameter name -> 0 for embeddings and whatever all layers share, 1 to num_layers for the layers,
        num_layers for what comes after the last one (pooler, final norm).

    Raises:
        ConfigError: The layers aren't one list.
    """
    found = layer_list(model)
    if found is None:
        raise ConfigError(
            "`backbone.trainable` must be all or none, and `optimizer.layer_decay` 1, for "
            f"{model.config.model_type}: its layers are shared, not a list"
        )
    prefix, layers = found
    children = [name for name, _ in model.named_children()]
    after = set(children[children.index(prefix.split(".")[0]) + 1 :])
    depths = {}
    for name, _ in model.named_parameters():
        if name.startswith(prefix + "."):
            depths[name] = 1 + int(name[len(prefix) + 1 :].split(".")[0])
        else:
            depths[name] = len(layers) if name.split(".")[0] in after else 0
    return depths
