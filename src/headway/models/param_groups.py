"""Which parameters share a learning rate and a weight decay."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypedDict

from torch import nn

from headway.models.architecture import parameter_depths
from headway.types import ConfigError

if TYPE_CHECKING:
    from headway.models.encoder import Encoder


class ParamGroup(TypedDict):
    """One group as torch's optimizers take it; the name goes into logs."""

    name: str
    params: list[nn.Parameter]
    lr: float
    weight_decay: float


def norm_parameters(*modules: nn.Module) -> set[int]:
    """Return the ids of all normalisation layers' parameters, found by the layers' type.

    Args:
        modules: Where to look.

    Returns:
        id() of the parameters; names won't do, as `sa_layer_norm`, `LayerNorm` and `final_norm` show.
    """
    return {
        id(parameter)
        for root in modules
        for module in root.modules()
        if type(module).__name__.endswith("Norm")
        for parameter in module.parameters(recurse=False)
    }


def check_patterns(patterns: Sequence[str], names: Iterable[str]) -> None:
    """Check that every pattern matches a parameter, trained or not.

    Args:
        patterns: As in a shell, of whole names.
        names: All parameters'.

    Raises:
        ConfigError: One matches nothing.
    """
    known = list(names)
    for pattern in patterns:
        if any(fnmatchcase(name, pattern) for name in known):
            continue
        endings = sorted({".".join(name.split(".")[-2:]) for name in known})
        near = difflib.get_close_matches(pattern.lstrip("*."), endings, n=1, cutoff=0.4)
        hint = f"did you mean '*{near[0]}'? " if near else ""
        raise ConfigError(
            f"`optimizer.no_decay` must hold patterns that match parameters, got {pattern!r}, which matches "
            f"none; {hint}names end in {', '.join(endings)}"
        )


def param_groups(
    encoder: Encoder,
    head: nn.Module,
    *,
    lr: float,
    head_lr: float | None,
    layer_decay: float,
    weight_decay: float,
    no_decay: Sequence[str],
) -> list[ParamGroup]:
    """Return groups of all parameters that train.

    Args:
        encoder: With num_layers layers. The last one learns at `lr`, each below at `layer_decay` times the
            rate of the one above it, the embeddings at `lr * layer_decay ** num_layers`.
        head: Learns at `head_lr`.
        lr: Of the encoder's last layer.
        head_lr: None: `lr`.
        layer_decay: In (0, 1].
        weight_decay: Of all but normalisation layers and what `no_decay` matches.
        no_decay: Patterns, as in a shell, of names such as "encoder.model.encoder.layer.0.output.dense.bias"
            and "head.classifier.bias".

    Returns:
        Groups, each parameter in one of them; the encoder's first, from its input upwards.

    Raises:
        ConfigError: A pattern matches nothing, or layer_decay below 1 for a model whose layers aren't a list.

    Source: the decay by layers is Sun et al. 2019, section 5.3.4.
    """
    # (name, parameter, name of its part, learning rate)
    parts = [
        (f"encoder.{name}", parameter, part, rate)
        for name, parameter, part, rate in _encoder_rates(encoder, lr=lr, layer_decay=layer_decay)
    ]
    rate = lr if head_lr is None else head_lr
    parts += [(f"head.{name}", parameter, "head", rate) for name, parameter in head.named_parameters()]
    check_patterns(no_decay, (name for name, *_ in parts))
    norms = norm_parameters(encoder, head)
    groups: dict[str, ParamGroup] = {}
    for name, parameter, part, rate in parts:
        if not parameter.requires_grad:
            continue
        plain = id(parameter) in norms or any(fnmatchcase(name, pattern) for pattern in no_decay)
        key = f"{part}/{'no_decay' if plain else 'decay'}"
        decay = 0.0 if plain else weight_decay
        group = groups.setdefault(key, ParamGroup(name=key, params=[], lr=rate, weight_decay=decay))
        group["params"].append(parameter)
    return list(groups.values())


def _encoder_rates(
    encoder: Encoder, *, lr: float, layer_decay: float
) -> list[tuple[str, nn.Parameter, str, float]]:
    parameters = list(encoder.named_parameters())
    if layer_decay == 1:
        return [(name, parameter, "encoder", lr) for name, parameter in parameters]
    depths = {f"model.{name}": depth for name, depth in parameter_depths(encoder.model).items()}
    top = encoder.num_layers
    rated = [
        (name, parameter, f"encoder/{depths[name]}", lr * layer_decay ** (top - depths[name]))
        for name, parameter in parameters
    ]
    return sorted(rated, key=lambda part: depths[part[0]])
