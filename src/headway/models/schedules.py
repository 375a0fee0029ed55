"""Learning-rate schedules: (step, total_steps) -> multiplier of each group's learning rate.

Steps are optimizer steps. `step` counts those already taken, as torch's LambdaLR does, so with a warm-up the
very first step has multiplier 0; the values are those of transformers' schedules of the same names.
"""

from __future__ import annotations

import math

from headway.models.ranges import check_number


class Constant:
    """Rises linearly over the warm-up and stays at 1.

    Args:
        warmup_ratio: Share of all steps in which the rate rises, in [0, 1).
    """

    def __init__(self, *, warmup_ratio: float) -> None:
        self.warmup_ratio = check_number(
            "schedule.warmup_ratio",
            warmup_ratio,
            low=0,
            high=1,
            open_high=True,
            advice="set a share of all steps",
        )

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the multiplier.

        Args:
            step: Optimizer steps taken.
            total_steps: Optimizer steps of the whole training.

        Returns:
            In [0, 1].
        """
        # At most all steps but one: in a warm-up alone, a run of one step would learn nothing.
        warmup = min(math.ceil(total_steps * self.warmup_ratio), total_steps - 1)
        if step < warmup:
            return step / warmup
        return self._after_warmup(min(1.0, (step - warmup) / max(1, total_steps - warmup)))

    def _after_warmup(self, progress: float) -> float:
        """Return the multiplier at a share of the steps after the warm-up."""
        return 1.0


class Linear(Constant):
    """Rises linearly over the warm-up, then falls linearly.

    Args:
        warmup_ratio: Share of all steps in which the rate rises, in [0, 1).
        final_ratio: Multiplier at the end, in [0, 1].
    """

    def __init__(self, *, warmup_ratio: float, final_ratio: float = 0.0) -> None:
        super().__init__(warmup_ratio=warmup_ratio)
        self.final_ratio = check_number(
            "schedule.final_ratio", final_ratio, low=0, high=1, advice="set a share of optimizer.lr"
        )

    def _after_warmup(self, progress: float) -> float:
        return self.final_ratio + (1 - self.final_ratio) * (1 - progress)


class Cosine(Linear):
    """Rises linearly over the warm-up, then falls along half a cosine.

    Args:
        warmup_ratio: Share of all steps in which the rate rises, in [0, 1).
        final_ratio: Multiplier at the end, in [0, 1].

    Source: Loshchilov and Hutter 2017, equation 5, without restarts.
    """

    def _after_warmup(self, progress: float) -> float:
        return super()._after_warmup((1 - math.cos(math.pi * progress)) / 2)
