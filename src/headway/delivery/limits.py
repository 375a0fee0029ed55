"""What is asked of an export on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from headway.types import ConfigError

LENGTHS = (16, 64, 128, 256, 512)
BATCH_SIZES = (1, 8)


@dataclass(frozen=True)
class Limits:
    """What is asked of an export on this machine.

    Attributes:
        lengths: Tokens of the texts that are timed and compared; those above the model's max_length are
            left out, unless they were declared.
        batch_sizes: Texts at once.
        repeats: Times that each cell of the table is timed, at most.
        max_metric_drop: By which the monitored metric on validation may get worse, in its own unit.
        budget_ms: What p99 of one text must hold at every length, in milliseconds; None: nothing.

    Raises:
        ConfigError: A value isn't allowed.
    """

    lengths: tuple[int, ...] = LENGTHS
    batch_sizes: tuple[int, ...] = BATCH_SIZES
    repeats: int = 50
    max_metric_drop: float = 0.005
    budget_ms: float | None = None

    def __post_init__(self) -> None:
        for name, least in (("lengths", 4), ("batch_sizes", 1)):
            values = getattr(self, name)
            if not values or min(values) < least:
                raise ConfigError(
                    f"--{name.replace('_', '-')} must be whole numbers >= {least}, got {list(values)}; name "
                    "some, parted by commas"
                )
        if self.repeats < 1:
            raise ConfigError(f"--repeats must be >= 1, got {self.repeats}; raise it")
        if not self.max_metric_drop >= 0:
            raise ConfigError(f"--max-metric-drop must be >= 0, got {self.max_metric_drop}; raise it")
        if self.budget_ms is not None and not self.budget_ms > 0:
            raise ConfigError(f"--budget-ms must be > 0 milliseconds, got {self.budget_ms}; raise it")

    def within(self, max_length: int) -> tuple[int, ...]:
        """Return the lengths that a model of that max_length can see.

        Args:
            max_length: Tokens of a window at most.

        Raises:
            ConfigError: Declared lengths exceed it.
        """
        if self.lengths != LENGTHS and max(self.lengths) > max_length:
            raise ConfigError(
                f"--lengths must be <= {max_length}, the tokens that this model sees at once, got "
                f"{list(self.lengths)}; leave the longer ones out"
            )
        return tuple(length for length in self.lengths if length <= max_length) or (max_length,)
