"""What every way to export has in common."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from headway.types import ConfigError

if TYPE_CHECKING:
    from headway.delivery.loading import Artifact
    from headway.delivery.predictor import Predictor

EXPORTS = ("transformers", "onnx")
"""`--to NAME` is the module headway.delivery.to_NAME, which has a class Export."""


@dataclass(frozen=True)
class Options:
    """What the command line may say of an export; each export says which of it has a meaning.

    Attributes:
        quantize: "int8", or None for float32.
        optimize: Whether operators are fused.
    """

    quantize: str | None = None
    optimize: bool = False


@dataclass(frozen=True)
class Bounds:
    """How far logits may be from torch's in float32.

    Attributes:
        absolute: The largest difference of any logit; None: no bound.
        relative: The root of a cell's mean squared difference, over the standard deviation of the grid's
            logits; None: no bound.
    """

    absolute: float | None
    relative: float | None


class Export(Protocol):
    """One way to export.

    Attributes:
        suffix: Of the folder's name by default.
        bounds: How far its logits may be from torch's.
    """

    suffix: str
    bounds: Bounds

    def write(self, folder: Path, artifact: Artifact) -> list[str]:
        """Write everything that is loaded.

        Args:
            folder: An empty one.
            artifact: In the padded layout, with eager attention; it may be changed.

        Returns:
            What the user must know, a line each.
        """

    def load(self, folder: Path) -> Predictor:
        """Load what was written, as its users will.

        Args:
            folder: As written.
        """

    def finish(self, folder: Path) -> None:
        """Write the model card and sign, with gate.json being there.

        Args:
            folder: As written.
        """


def export_named(name: str, options: Options) -> Export:
    """Return a way to export.

    Args:
        name: Of EXPORTS.
        options: Of the command line.

    Raises:
        ConfigError: There is none of that name, or an option has no meaning for it.
    """
    if name not in EXPORTS:
        raise ConfigError(f"--to must be one of {list(EXPORTS)}, got {name!r}; name one")
    found: Export = importlib.import_module(f"headway.delivery.to_{name}").Export(options)
    return found
