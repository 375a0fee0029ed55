"""Which of a model's parameters train."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from headway.models.architecture import parameter_depths
from headway.types import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

TRAINABLE = ("all", "none", "last_n")


def freeze(model: PreTrainedModel, trainable: str, *, last_n: int | None) -> list[nn.Module]:
    """Let all parameters train, none, or those of the last layers and what comes after them.

    Args:
        model: Encoder without a head.
        trainable: "all", "none" or "last_n".
        last_n: Layers that train, with trainable="last_n".

    Returns:
        The modules that are frozen whole, which must stay in eval mode.

    Raises:
        ConfigError: trainable is unknown, or last_n isn't a number of the model's layers.
    """
    if trainable not in TRAINABLE:
        raise ConfigError(f"`backbone.trainable` must be one of {list(TRAINABLE)}, got {trainable!r}")
    if trainable == "all":
        return []
    num_layers = int(model.config.num_hidden_layers)
    if trainable == "none":
        model.requires_grad_(False)
    else:
        if last_n is None or not 1 <= last_n <= num_layers:
            raise ConfigError(
                f"`backbone.last_n` must be in [1, {num_layers}] with trainable=last_n, got "
                f"{last_n!r}; set how many of the last layers train"
            )
        depths = parameter_depths(model)
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(depths[name] > num_layers - last_n)
    # A module is frozen if it holds parameters and none of them trains. Its dropout goes with it; a
    # dropout beside trained parameters belongs to a module that isn't in the list.
    frozen = []
    for module in model.modules():
        parameters = list(module.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            frozen.append(module)
    return frozen
