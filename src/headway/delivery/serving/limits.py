"""What a server takes at once; beyond it, a request is refused with the reason."""

from __future__ import annotations

from dataclasses import dataclass, fields

from headway.types import ConfigError

_UNITS = {
    "max_batch": "texts",
    "queue": "texts",
    "max_texts": "texts",
    "max_characters": "characters",
    "max_bytes": "bytes",
}


@dataclass(frozen=True)
class ServeLimits:
    """What a server takes at once.

    Attributes:
        max_batch: Texts that are answered together, unless one request has more.
        max_wait_ms: Milliseconds that a request may wait for others to be answered with.
        queue: Texts that may wait; a request that finds no room gets 503.
        max_texts: Texts of one request; more get 413.
        max_characters: Of one text; more get 413.
        max_bytes: Of one request's body; more get 413.
        read_seconds: In which a body must have come; else 408.
        stop_seconds: In which all that was accepted must be answered after SIGTERM.

    Raises:
        ConfigError: A value isn't allowed.
    """

    max_batch: int = 32
    max_wait_ms: float = 2.0
    queue: int = 512
    max_texts: int = 64
    max_characters: int = 100_000
    max_bytes: int = 1_048_576
    read_seconds: float = 30.0
    stop_seconds: float = 30.0

    def __post_init__(self) -> None:
        for entry in fields(self):
            value, flag = getattr(self, entry.name), f"--{entry.name.replace('_', '-')}"
            if entry.name in _UNITS and value < 1:
                raise ConfigError(f"{flag} must be >= 1 {_UNITS[entry.name]}, got {value}; raise it")
            if entry.name == "max_wait_ms" and not 0 <= value <= 1000:
                raise ConfigError(f"{flag} must be in [0, 1000] milliseconds, got {value}; lower it")
            if entry.name.endswith("_seconds") and not value > 0:
                raise ConfigError(f"{flag} must be > 0 seconds, got {value}; raise it")
        if self.max_texts > self.queue:
            raise ConfigError(
                f"--queue must be >= --max-texts, or such a request never finds room, got {self.queue} < "
                f"{self.max_texts}; raise it"
            )
