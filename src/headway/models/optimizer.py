"""The optimizer, described by the config and built once encoder and head exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headway.models.ranges import check_number, check_one_of
from headway.types import ConfigError

if TYPE_CHECKING:
    import torch
    from torch import nn

    from headway.models.encoder import Encoder
    from headway.models.param_groups import ParamGroup

FUSED_DEVICES = frozenset({"cpu", "cuda", "mps", "xpu"})


class AdamW:
    """AdamW with groups for the head, the layers and what doesn't decay.

    Args:
        lr: Peak learning rate of the encoder's last layer, in (0, 1].
        head_lr: The head's, in (0, 1]; None: lr.
        layer_decay: Factor from each layer to the one below it, in (0, 1].
        weight_decay: At least 0.
        no_decay: Patterns, as in a shell, of parameters without weight decay. Normalisation layers have none
            anyway. A pattern that matches nothing is an error.
        betas: Two numbers in [0, 1).
        eps: Above 0.
        fused: One kernel for all parameters; "auto": wherever the device has it.

    Source: Loshchilov and Hutter 2019, algorithm 2.
    """

    def __init__(
        self,
        *,
        lr: float,
        head_lr: float | None,
        layer_decay: float,
        weight_decay: float,
        no_decay: Sequence[str],
        betas: Sequence[float],
        eps: float,
        fused: str | bool,
    ) -> None:
        rate_advice = "set a rate such as 5e-5"
        self.lr = check_number("optimizer.lr", lr, low=0, high=1, open_low=True, advice=rate_advice)
        self.head_lr = head_lr
        if head_lr is not None:
            self.head_lr = check_number(
                "optimizer.head_lr",
                head_lr,
                low=0,
                high=1,
                open_low=True,
                advice="set a rate, or null for optimizer.lr",
            )
        self.layer_decay = check_number(
            "optimizer.layer_decay", layer_decay, low=0, high=1, open_low=True, advice="set 1 for none"
        )
        self.weight_decay = check_number(
            "optimizer.weight_decay", weight_decay, low=0, advice="set 0 for none"
        )
        self.eps = check_number("optimizer.eps", eps, low=0, open_low=True, advice="set 1e-8")
        self.betas = _check_betas(betas)
        self.no_decay = _check_no_decay(no_decay)
        check_one_of("optimizer.fused", fused, ("auto", True, False))
        self.fused = fused

    def build(self, encoder: Encoder, head: nn.Module) -> torch.optim.AdamW:
        """Return the optimizer of all parameters that train.

        Args:
            encoder: On the device where it trains.
            head: There too.

        Returns:
            Groups named by part and decay.

        Raises:
            ConfigError: A pattern of no_decay matches nothing, layer_decay doesn't go with the model, or
                fused doesn't with the device.
        """
        import torch

        groups = self.groups(encoder, head)
        devices = {parameter.device.type for group in groups for parameter in group["params"]}
        if self.fused is True and not devices <= FUSED_DEVICES:
            raise ConfigError(
                f"`optimizer.fused` must be auto or false on {sorted(devices)}, got true; set auto"
            )
        fused = devices <= FUSED_DEVICES if self.fused == "auto" else bool(self.fused)
        optimizer = torch.optim.AdamW(
            [dict(group) for group in groups], lr=self.lr, betas=self.betas, eps=self.eps, fused=fused
        )
        # Fused kernels can unscale fp16 gradients themselves, and Lightning then refuses to clip them in
        # every mixed precision. Without this offer gradients are unscaled before, as for any other optimizer.
        optimizer._step_supports_amp_scaling = False
        return optimizer

    def groups(self, encoder: Encoder, head: nn.Module) -> list[ParamGroup]:
        """Return all parameters that train, by rate and decay; see `headway.models.param_groups`.

        Args:
            encoder: Any.
            head: Any.

        Raises:
            ConfigError: A pattern of no_decay matches nothing, or layer_decay doesn't go with the model.
        """
        from headway.models.param_groups import param_groups

        return param_groups(
            encoder,
            head,
            lr=self.lr,
            head_lr=self.head_lr,
            layer_decay=self.layer_decay,
            weight_decay=self.weight_decay,
            no_decay=self.no_decay,
        )


def _check_betas(betas: object) -> tuple[float, float]:
    if isinstance(betas, str) or not isinstance(betas, Sequence) or len(betas) != 2:
        raise ConfigError(f"`optimizer.betas` must be two numbers in [0, 1), got {betas!r}; set [0.9, 0.999]")
    first, second = (
        check_number(f"optimizer.betas[{i}]", beta, low=0, high=1, open_high=True, advice="set [0.9, 0.999]")
        for i, beta in enumerate(betas)
    )
    return first, second


def _check_no_decay(patterns: object) -> tuple[str, ...]:
    is_list = isinstance(patterns, Sequence) and not isinstance(patterns, str)
    if not is_list or not all(isinstance(pattern, str) for pattern in patterns):  # type: ignore[attr-defined]
        raise ConfigError(
            f"`optimizer.no_decay` must be a list of patterns, got {patterns!r}; set ['*.bias']"
        )
    return tuple(patterns)  # type: ignore[arg-type]
