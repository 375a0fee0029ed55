"""Features of frozen layers, computed once and kept on disk by content: for all epochs and trials."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from headway import array_folders
from headway.models.features import POOLED, FeatureExtractor, to_array
from headway.types import ConfigError

if TYPE_CHECKING:
    from headway.data.text_data import TextData
    from headway.types import Batch

log = logging.getLogger(__name__)
FORMAT = 1
"""Part of every key: raised whenever the same input would give other features."""
NAME = "features"


class FeatureStore:
    """The features of a run's splits.

    Args:
        extractor: Computes them.
        data: Encoded.
        batches: Split -> its batches, each window once.
        device: Where the encoder is.
        precision: Lightning's name of what the encoder computes in; part of the key.
        context: Makes the block in which the encoder computes in that precision.
        cache_dir: The folder of all kept features.

    Attributes:
        facts: Split -> what the record says of its features.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        *,
        data: TextData,
        batches: Callable[[str], Iterator[Batch]],
        device: torch.device,
        precision: str,
        context: Callable[[], AbstractContextManager[Any]],
        cache_dir: Path,
    ) -> None:
        self._extractor = extractor
        self._data = data
        self._batches = batches
        self._device = device
        self._precision = precision
        self._context = context
        self._cache_dir = cache_dir
        self._digest = extractor.digest()
        self._arrays: dict[str, np.ndarray] = {}
        self.facts: dict[str, dict[str, Any]] = {}

    def __call__(self, split: str) -> np.ndarray:
        """Return a split's features, from the disk or computed now.

        Args:
            split: "train", "validation" or "test"; encoded.

        Returns:
            (num_windows, hidden_size) or (num_tokens, hidden_size), a read-only memory map; uint16 holds
            bfloat16's bits.

        Raises:
            ConfigError: The disk can't hold them.
        """
        if split not in self._arrays:
            start = time.perf_counter()
            computed = False

            def prepare() -> Callable[[Path], None]:
                """Note that they are computed, and return what does it."""
                nonlocal computed
                computed = True
                return self._writer(split)

            folder = self._cache_dir / self.key(split)
            arrays = array_folders.cached(folder, prepare, format=FORMAT, needed=(NAME,))
            self._arrays[split] = arrays[NAME]
            self._note(split, computed=computed, seconds=time.perf_counter() - start)
        return self._arrays[split]

    def key(self, split: str) -> str:
        """Return the name of a split's folder: a hash of all that decides its features."""
        parts = (
            str(FORMAT),
            self._data.encoded_keys[split],
            self._digest,
            self._precision,
            self._device.type,
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _note(self, split: str, *, computed: bool, seconds: float) -> None:
        array = self._arrays[split]
        dtype = "bfloat16" if array.dtype == np.uint16 else str(array.dtype)
        facts = {
            "kind": self._extractor.kind,
            "rows": len(array),
            "dtype": dtype,
            "computed_in": self._precision,
            "bytes": int(array.nbytes),
            "computed": computed,
            "seconds": round(seconds, 3),
        }
        self.facts[split] = facts
        log.info(
            "%s: features of frozen layers, %d rows of %d %s (%s), %.1f MB, %s in %.1f s",
            split,
            len(array),
            array.shape[1],
            dtype,
            self._extractor.kind,
            array.nbytes / 1e6,
            "computed" if computed else "read from the cache",
            seconds,
        )

    def _writer(self, split: str) -> Callable[[Path], None]:
        def write(folder: Path) -> None:
            """Compute the features batch by batch into a file of their full size."""
            out: np.ndarray | None = None
            for batch, rows in self._computed(split):
                if out is None:
                    shape = (self.num_rows(split), rows.shape[1])
                    self._check_room(shape[0] * shape[1] * rows.itemsize)
                    path = folder / f"{NAME}.npy"
                    out = np.lib.format.open_memmap(path, mode="w+", dtype=rows.dtype, shape=shape)
                    _reserve(path)
                self._put(out, rows, batch, split)
            if out is None:
                raise ConfigError(f"`data.{split}` must hold a row to compute features of, got none")
            out.flush()  # type: ignore[attr-defined]

        return write

    def num_rows(self, *splits: str) -> int:
        """Return how many rows the features of some splits have, or of all: a window or a token each."""
        encoded = [self._data.encoded[split] for split in splits or self._data.encoded]
        pooled = self._extractor.kind == POOLED
        return sum(each.num_windows if pooled else each.num_tokens for each in encoded)

    def _computed(self, split: str) -> Iterator[tuple[Batch, np.ndarray]]:
        for batch in self._batches(split):
            with self._context(), torch.no_grad():
                features = self._extractor(batch.to(self._device))
            yield batch, to_array(features)

    def _put(self, out: np.ndarray, rows: np.ndarray, batch: Batch, split: str) -> None:
        windows = batch.windows.numpy()
        if self._extractor.kind == POOLED:
            out[windows] = rows
            return
        offsets, start = self._data.encoded[split].offsets, 0
        for window, length in zip(windows.tolist(), batch.lengths, strict=True):
            first = int(offsets[window])
            out[first : first + length] = rows[start : start + length]
            start += length

    def _check_room(self, size: int) -> None:
        """Refuse features that the disk can't hold, before they are written."""
        free = free_bytes(self._cache_dir)
        if size > free:
            raise ConfigError(
                f"`keep_features` needs {size / 1e9:.2f} GB at {self._cache_dir}, where {free / 1e9:.2f} GB "
                "are free; set cache_dir to a larger disk, or keep_features=false"
            )


def _reserve(path: Path) -> None:
    """Take the room of a sparse file: a disk that is full while a map is written to kills the process."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as stream:
            os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)


def free_bytes(folder: Path) -> int:
    """Return the free bytes of the disk where a folder is or would be."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there).free
