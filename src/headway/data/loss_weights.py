"""What each window or token counts in the training loss, where documents are cut into windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headway.data.windows import WINDOWS
from headway.types import IGNORE_INDEX, ConfigError, nearest

if TYPE_CHECKING:
    from headway.data.store import Encoded

ALL_WINDOWS = "all"
UNITS = ("label", "document", "window")


@dataclass(frozen=True)
class LossWeighting:
    """What counts the same in the training loss.

    Attributes:
        by: "label": each right answer, however many windows show it; of whole documents that is each
            document, of tagged words each word. "document": each document, however many words it has.
            "window": each window or token that is computed, so that long documents and words in an overlap
            count for more.
        windows_each: Windows of a document that an epoch sees at most; None for all.

    Raises:
        ConfigError: `by` is none of these.
    """

    by: str
    windows_each: int | None = None

    def __post_init__(self) -> None:
        if self.by not in UNITS:
            raise ConfigError(
                f"`data.loss_weight` must be one of {', '.join(UNITS)}, got {self.by!r}"
                f"{nearest(str(self.by), UNITS)}; name one"
            )


def windows_each(train_windows: str | int, *, truncation: str) -> int | None:
    """Return how many windows of a document an epoch sees at most, or None for all.

    Args:
        train_windows: The key's value: "all" or a count.
        truncation: That of the data node.

    Raises:
        ConfigError: It is neither, or a count where documents aren't cut into windows.
    """
    if train_windows == ALL_WINDOWS:
        return None
    if not isinstance(train_windows, int) or isinstance(train_windows, bool) or train_windows < 1:
        raise ConfigError(
            f"`data.train_windows` must be {ALL_WINDOWS} or a whole number of windows >= 1, got "
            f"{train_windows!r}; correct the value"
        )
    if truncation != WINDOWS:
        raise ConfigError(
            f"`data.train_windows` must be {ALL_WINDOWS} for data.truncation={truncation}, which gives each "
            f"document one window, got {train_windows}; set data.truncation={WINDOWS} or leave it out"
        )
    return train_windows


def too_many(each: int | None, most_windows: int) -> list[str]:
    """Return a line that says that more windows are asked for than any document has, or nothing.

    Args:
        each: What `windows_each` returned.
        most_windows: Windows of the train document that has most.
    """
    if each is None or each <= most_windows:
        return []
    return [
        f"`data.train_windows` is {each}, and no document of train has more than {most_windows} windows: "
        f"every epoch sees all, as with {ALL_WINDOWS}"
    ]


def window_weights(encoded: Encoded, *, weighting: LossWeighting) -> np.ndarray:
    """Return what each window counts where whole documents are labelled.

    Args:
        encoded: The train split.
        weighting: What counts the same. "label" and "document" are one thing here.

    Returns:
        (num_windows,) float64; the weights of those windows of a document that an epoch sees sum to 1, or
        are 1 each with by="window".
    """
    if weighting.by == "window":
        return np.ones(encoded.num_windows)
    seen = encoded.windows_per_document
    if weighting.windows_each is not None:
        seen = np.minimum(seen, weighting.windows_each)
    weights: np.ndarray = 1.0 / seen[encoded.documents]
    return weights


def token_weights(encoded: Encoded, labels: np.ndarray, *, weighting: LossWeighting) -> np.ndarray:
    """Return what each token counts where words are labelled.

    A word in an overlap shares its weight among the windows that hold it. Where windows are drawn, one as
    likely as another, they stand for the whole document: k of n windows weigh n / k times as much, so that a
    right answer counts once on average over epochs.

    Args:
        encoded: The train split, of words.
        labels: (num_tokens,) int64, IGNORE_INDEX on tokens without a label.
        weighting: What counts the same.

    Returns:
        (num_tokens,) float32, 0 on tokens without a label.

    Raises:
        ValueError: `encoded` is not of words.
    """
    offsets, words, first = encoded.word_offsets, encoded.words, encoded.first_pieces
    if offsets is None or words is None or first is None:
        raise ValueError("token_weights needs windows over words")
    labelled = labels != IGNORE_INDEX
    weights: np.ndarray = labelled.astype(np.float32)
    if weighting.by == "window":
        return weights
    document = np.repeat(encoded.documents, encoded.window_lengths)[labelled]  # (num_labelled,)
    rows = offsets[document] + words[labelled]  # of each labelled token, the word among all documents' words
    all_first = np.asarray(first) & (np.asarray(words) >= 0)
    first_rows = np.repeat(offsets[encoded.documents], encoded.window_lengths)[all_first] + words[all_first]
    windows = np.bincount(first_rows, minlength=int(offsets[-1]))  # that hold each word
    shares = 1.0 / windows[rows]
    if weighting.windows_each is not None:
        each = encoded.windows_per_document
        shares *= (each / np.minimum(each, weighting.windows_each))[document]
    if weighting.by == "document":  # of all windows; the drawn ones stand for them
        whole = 1.0 / windows[rows]
        shares /= np.bincount(document, weights=whole, minlength=encoded.num_documents)[document]
    weights[labelled] = shares
    return weights


def sum_windows(weights: np.ndarray, encoded: Encoded) -> np.ndarray:
    """Return the summed weight of each window's tokens.

    Args:
        weights: (num_tokens,) float32.
        encoded: The split.

    Returns:
        (num_windows,) float64.
    """
    # Every window has a token, so that each offset begins a sum of its own.
    summed: np.ndarray = np.add.reduceat(weights, encoded.offsets[:-1], dtype=np.float64)
    return summed
