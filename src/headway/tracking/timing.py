"""What a run cost, part by part: for its last lines and for record.json."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrainingTimes:
    """What training itself took; seconds are sums over all steps.

    Attributes:
        tokens: Real tokens that were trained on, each epoch's.
        computed_tokens: Tokens that the encoder computed for them: padding and filler too.
        training: Seconds of the epochs without evaluation and checkpoints.
        data: Of these, waiting for batches.
        encoder: Of these, the encoder's forward and backward.
        head: Of these, the forward and backward of head and loss.
        optimizer: Of these, zeroing gradients, clipping, and steps.
        evaluation: Seconds of validation during training.
    """

    tokens: int = 0
    computed_tokens: int = 0
    training: float = 0.0
    data: float = 0.0
    encoder: float = 0.0
    head: float = 0.0
    optimizer: float = 0.0
    evaluation: float = 0.0


@dataclass(frozen=True)
class Timing:
    """The cost of a run.

    Attributes:
        tokens_per_second: Real tokens a second of training; None where none was trained on.
        real_ratio: Real tokens to those that the encoder computed; None where it computed none.
        tokens: Real tokens that were trained on.
        computed_tokens: Tokens that the encoder computed for them.
        seconds: Part -> seconds; together they make the total. "import" is from the start of the process to
            the run's, None where another program started it; "other" is reading, encoding, building, logs,
            checkpoints and writing.
    """

    tokens_per_second: float | None
    real_ratio: float | None
    tokens: int
    computed_tokens: int
    seconds: dict[str, float | None]

    @classmethod
    def of(
        cls,
        times: TrainingTimes,
        *,
        startup: float | None,
        evaluation: float,
        run: float,
        features: float = 0.0,
    ) -> Timing:
        """Return the cost of a run.

        Args:
            times: Of its training.
            startup: Seconds from the start of the process to the start of the run; None: not known.
            evaluation: Seconds of scoring after training.
            run: Seconds of the whole run.
            features: Seconds of computing or reading kept features before training.
        """
        parts: dict[str, float | None] = {
            "import": startup,
            "data": times.data,
            "encoder": times.encoder + features,
            "head": times.head,
            "optimizer": times.optimizer,
            "evaluation": times.evaluation + evaluation,
        }
        total = run + (startup or 0.0)
        # On a GPU, what its steps and the host's waits took may overlap.
        parts["other"] = max(0.0, total - sum(value or 0.0 for value in parts.values()))
        parts["total"] = total
        return cls(
            tokens_per_second=round(times.tokens / times.training, 1) if times.training else None,
            real_ratio=round(times.tokens / times.computed_tokens, 4) if times.computed_tokens else None,
            tokens=times.tokens,
            computed_tokens=times.computed_tokens,
            seconds={name: None if value is None else round(value, 3) for name, value in parts.items()},
        )

    def line(self) -> str:
        """Return the cost as one line of text."""
        rate = "none" if self.tokens_per_second is None else f"{self.tokens_per_second:,.0f}"
        ratio = "none" if self.real_ratio is None else f"{self.real_ratio:.3f}"
        seconds = ", ".join(
            f"{name} {value:.1f}" for name, value in self.seconds.items() if value is not None
        )
        return (
            f"timing: {rate} real tokens/s in training, {ratio} of computed tokens real; seconds: {seconds}"
        )


def process_age(proc: Path = Path("/proc")) -> float | None:
    """Return the seconds since this process was started.

    Args:
        proc: Where Linux tells of its processes.

    Returns:
        None on a system that doesn't tell.
    """
    try:
        # Behind the name, which is in brackets and may hold blanks, the start is the twentieth field.
        ticks = int((proc / "self/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, IndexError, ValueError):
        return None
