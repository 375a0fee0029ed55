"""What a run will take of the disk, and what there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from shutil import disk_usage
from typing import TYPE_CHECKING

from headway.data.checks import Finding
from headway.preflight.words import size

if TYPE_CHECKING:
    from headway.data.store import Encoded

SPARE = 2
"""Times the room needed that should be free."""


@dataclass(frozen=True)
class DiskFacts:
    """Bytes on the disk.

    Attributes:
        checkpoints: best.ckpt and, if it is kept, last.ckpt; one more while it is written.
        artifact: The weights in model/.
        needed: Both, and the artifact once more while a better one is written.
        free: Where the run's folder will be.
        encoded: The encoded splits in the cache.
        cache_free: Where the cache is.
        features: What frozen layers make of all splits, where it is kept in the cache.
    """

    checkpoints: int
    artifact: int
    needed: int
    free: int
    encoded: int
    cache_free: int
    features: int = 0


def disk_facts(
    *,
    weights: int,
    trained: int,
    frozen: int = 0,
    keep_last: bool,
    encoded: Mapping[str, Encoded],
    folder: Path,
    cache: Path,
    features: int = 0,
) -> DiskFacts:
    """Return the room that a run takes, and what there is.

    Args:
        weights: Bytes of all weights.
        trained: Parameters that train; AdamW keeps two numbers for each.
        frozen: Parameters that don't; checkpoints leave them out.
        keep_last: Whether last.ckpt is kept beside best.ckpt.
        encoded: Split -> its windows.
        folder: The run's; it need not exist.
        cache: That of encoded splits.
        features: Bytes of kept features.
    """
    checkpoint = weights - 4 * frozen + 2 * 4 * trained
    checkpoints = checkpoint * (3 if keep_last else 2)  # one of them while it is written
    arrays = [getattr(each, field.name) for each in encoded.values() for field in fields(each)]
    return DiskFacts(
        checkpoints=checkpoints,
        artifact=weights,
        needed=checkpoints + 2 * weights,
        free=disk_usage(existing(folder)).free,
        encoded=sum(array.nbytes for array in arrays if array is not None),
        cache_free=disk_usage(existing(cache)).free,
        features=features,
    )


def existing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


def disk_findings(facts: DiskFacts) -> Iterator[Finding]:
    """Find that a run won't fit, or only just.

    Args:
        facts: Of the disk.
    """
    if facts.needed * SPARE > facts.free:
        yield Finding(
            "error" if facts.needed > facts.free else "warning",
            f"`output_dir` must have {size(facts.needed)} free for checkpoints and artifact "
            f"(better {SPARE} times as much), got {size(facts.free)}; make room, set another "
            "output_dir, or callbacks.checkpoint.save_last=false",
        )
    if (facts.encoded + facts.features) * SPARE > facts.cache_free:
        yield Finding(
            "warning",
            f"`cache_dir` should have room for {SPARE} times {size(facts.encoded + facts.features)}, "
            f"got {size(facts.cache_free)} free; make room or set another cache_dir",
        )
