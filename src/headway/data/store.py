"""The encoded form of a split: flat arrays, kept on disk by content."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headway import array_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FORMAT = 1
"""Part of every cache key: raised whenever the same input would be encoded otherwise."""
NEEDED = ("input_ids", "offsets", "documents", "lengths", "lost")
"""The arrays that every encoding has."""


@dataclass(frozen=True)
class Encoded:
    """All windows of one split, laid end to end without padding; the arrays may be read-only memory maps.

    Windows stand in the order of their documents, and within one in the order of the text. Labels are not
    in it: they come from Gold, through `headway.data.alignment.label_tokens` where tokens are labelled.

    Attributes:
        input_ids: (num_tokens,) int32, special tokens included.
        token_type_ids: (num_tokens,) int8; None where the model's forward takes none.
        offsets: (num_windows + 1,) int64, where each window starts and ends in the rows of tokens.
        documents: (num_windows,) int64, the document each window was cut from.
        lengths: (num_documents,) int64, tokens of each document before cutting, special tokens included.
        lost: (num_documents,) int64, tokens of each document that no window holds.
        words: (num_tokens,) int32, the word in its document that a token belongs to, -1 for special tokens;
            None unless words were encoded.
        first_pieces: (num_tokens,) bool, whether a token is the first piece of its word; None likewise.
        num_words: (num_documents,) int64; None likewise.
        word_seen: (total_words,) bool, the words of all documents end to end: whether some window holds the
            word's first piece, so that it can be labelled; None likewise.
    """

    input_ids: np.ndarray
    token_type_ids: np.ndarray | None
    offsets: np.ndarray
    documents: np.ndarray
    lengths: np.ndarray
    lost: np.ndarray
    words: np.ndarray | None = None
    first_pieces: np.ndarray | None = None
    num_words: np.ndarray | None = None
    word_seen: np.ndarray | None = None

    @property
    def num_tokens(self) -> int:
        """Tokens of all windows; those in an overlap count in each."""
        return len(self.input_ids)

    @property
    def num_windows(self) -> int:
        """Windows of all documents."""
        return len(self.documents)

    @property
    def num_documents(self) -> int:
        """Documents, each of which has one window at least."""
        return len(self.lengths)

    @cached_property
    def window_lengths(self) -> np.ndarray:
        """(num_windows,) int64, the tokens of each window."""
        return np.diff(self.offsets)

    @cached_property
    def windows_per_document(self) -> np.ndarray:
        """(num_documents,) int64, the windows each document was cut into."""
        return np.bincount(self.documents, minlength=self.num_documents)

    @cached_property
    def truncated(self) -> np.ndarray:
        """(num_documents,) bool, whether something of the document was cut off."""
        return np.asarray(self.lost > 0)

    @cached_property
    def word_offsets(self) -> np.ndarray | None:
        """(num_documents + 1,) int64, where each document's words start and end in rows of words, or None."""
        return None if self.num_words is None else offsets_of(self.num_words)


def offsets_of(counts: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return where runs of these lengths start and end when they are laid end to end.

    Args:
        counts: (num_runs,) integers.

    Returns:
        (num_runs + 1,) int64, first 0 and last the sum.
    """
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def save(encoded: Encoded, folder: Path) -> None:
    """Write the arrays to a folder that does not exist yet, so that it appears complete or not at all.

    Args:
        encoded: What to write.
        folder: Where to; its parents are made.

    Raises:
        FileExistsError: `folder` exists already and is not empty; it is left as it is.
        OSError: It cannot be written.
    """
    array_folders.save(folder, _writer(encoded), format=FORMAT)


def _writer(encoded: Encoded) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        """Write every array that there is."""
        for field in fields(encoded):
            array = getattr(encoded, field.name)
            if array is not None:
                array_folders.save_array(folder / f"{field.name}.npy", array)

    return write


def load(folder: Path) -> Encoded:
    """Map the arrays of a folder into memory after checking that they are what was written.

    Args:
        folder: A folder that `save` wrote.

    Returns:
        The arrays as read-only memory maps.

    Raises:
        DataError: A file is missing or is not what was written.
    """
    return _encoded(array_folders.load(folder, format=FORMAT, needed=NEEDED))


def _encoded(arrays: dict[str, np.ndarray]) -> Encoded:
    given: dict[str, Any] = {"token_type_ids": None, **arrays}
    return Encoded(**given)


def cached(key: str, build: Callable[[], Encoded], *, cache_dir: Path) -> Encoded:
    """Return the encoding kept under a key, building and keeping it if it is absent or damaged.

    Args:
        key: The `cache_key` of what is built.
        build: Makes it; called only where nothing intact is kept.
        cache_dir: The folder of all kept encodings.

    Returns:
        The arrays as read-only memory maps.

    Raises:
        ConfigError: `cache_dir` cannot be written.
    """
    return _encoded(
        array_folders.cached(cache_dir / key, lambda: _writer(build()), format=FORMAT, needed=NEEDED)
    )
