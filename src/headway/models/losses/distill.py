"""The right class, and what a teacher thinks of all of them."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from headway.models.ranges import check_number
from headway.types import ConfigError


class Distill(nn.Module):
    """alpha T^2 KL(teacher || student), both softened by T, and (1 - alpha) cross-entropy; in float32.

    Where the teacher says nothing of an item, such as a word that it cut off, its cross-entropy counts alone.

    Args:
        teacher: Folder of the run that teaches; `headway.teacher` computes its logits.
        temperature: T, finite and above 0.
        alpha: Share of the teacher's answers, in [0, 1].

    Raises:
        ConfigError: A value isn't allowed.

    Source: Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", section 2; T^2 keeps the
        gradients' size as T changes.
    """

    roles: ClassVar[frozenset[str]] = frozenset({"label", "tags"})
    needs_teacher: ClassVar[bool] = True

    def __init__(self, teacher: str, temperature: float = 2.0, alpha: float = 0.5) -> None:
        if not isinstance(teacher, str) or not teacher.strip():
            raise ConfigError(
                f"`task.loss.teacher` must be the folder of a finished run, got {teacher!r}; name one"
            )
        checked = check_number(
            "task.loss.temperature", temperature, low=0, open_low=True, advice="set 1 for none"
        )
        share = check_number("task.loss.alpha", alpha, low=0, high=1, advice="set 0 for no teacher")
        super().__init__()
        self.teacher = teacher
        self.temperature = checked
        self.alpha = share

    def forward(self, logits: Tensor, targets: Tensor, teacher: Tensor | None = None) -> Tensor:
        """Return each item's loss.

        Args:
            logits: (num_items, num_labels) float.
            targets: (num_items,) int64, none of them ignored.
            teacher: (num_items, num_labels) float, the teacher's logits; NaN where it says nothing.

        Returns:
            (num_items,) float32.

        Raises:
            ValueError: There are no teacher's logits.
        """
        if teacher is None:
            raise ValueError("distillation needs the teacher's logits")
        student, hard = logits.float(), cross_entropy(logits.float(), targets, reduction="none")
        silent = teacher.isnan().any(-1)  # (num_items,)
        wanted = log_softmax(teacher.float().nan_to_num() / self.temperature, dim=-1)
        found = log_softmax(student / self.temperature, dim=-1)
        soft = kl_div(found, wanted, reduction="none", log_target=True).sum(-1) * self.temperature**2
        return hard.where(silent, self.alpha * soft + (1 - self.alpha) * hard)
