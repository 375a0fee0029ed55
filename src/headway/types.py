"""What the parts of headway hand to one another. Imports nothing of headway and nothing heavy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from signal import Signals
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import torch

IGNORE_INDEX = -100
"""The label of a token that no loss and no metric sees (torch's and transformers' value)."""


class HeadwayError(Exception):
    """A user's mistake: the command ends with this message and its exit status, without a traceback."""

    exit_status = 2


class ConfigError(HeadwayError):
    """A key of the config is wrong; the message names it, what is allowed, what came and what to do."""


class UnfitError(ConfigError):
    """A part is right in itself and has no meaning for this kind of task."""


class DataError(HeadwayError):
    """A file, row or column is wrong; the message names it, what is allowed, what came and what to do."""


class TrainingError(HeadwayError):
    """Training itself went wrong, e.g. the loss is not a number; the message says when and what to try."""

    exit_status = 1


class CheckpointError(HeadwayError):
    """A checkpoint can't be written, or isn't what was written; the message names the file."""

    exit_status = 1


class Stopped(BaseException):  # not an error; `except Exception` must not swallow it
    """A signal asked the process to end.

    Args:
        number: The signal's.
        message: What was saved, and how to go on.
    """

    run_status = "stopped"
    """What the run's record says became of it."""

    def __init__(self, number: int, message: str = "") -> None:
        super().__init__(message or f"stopped by {Signals(number).name}")
        self.exit_status = 128 + number


class ExportError(HeadwayError):
    """An export doesn't do what the run's own model does; the message says where."""

    exit_status = 1


def nearest(name: str, known: Iterable[str]) -> str:
    """Return what a message adds for a name that isn't known.

    Args:
        name: What came.
        known: What there is.

    Returns:
        " (did you mean 'x'?)" with the known name most like it, or "" if none is.
    """
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean {found[0]!r}?)" if found else ""


@dataclass(frozen=True)
class Batch:
    """Some windows, laid end to end without padding; the encoder pads only where it has to.

    Attributes:
        input_ids: (num_tokens,) int64.
        token_type_ids: (num_tokens,) int64, or None where the model's forward takes none.
        cu_seq_lens: (num_windows + 1,) int64, where each window starts and ends in the rows of tokens.
        lengths: The windows' lengths in tokens, on the host, so that no device is asked for them.
            Windows are sorted by length, shortest first, so equal lengths stand together.
        documents: (num_windows,) int64, the document each window was cut from.
        windows: (num_windows,) int64, each window's number in its split.
        words: (num_tokens,) int64, the word in its document that a token is the first piece of, else -1;
            None where whole windows are labelled.
        labels: (num_windows,) int64, (num_windows, num_labels) float32 or (num_windows,) float32 where whole
            windows are labelled; (num_tokens,) int64 with IGNORE_INDEX where tokens are. None without gold.
        weights: (num_windows,) float32, or (num_tokens,) where tokens are labelled: what the loss of each
            window or token counts. A window of weight 0 is there to keep processes in step.
        normalizer: Sum of the weights of all that is labelled in the whole optimizer step, over every
            micro-batch and process of it; the summed loss is divided by it.
        features: What frozen layers made of the windows, where that is kept: (num_windows, hidden_size)
            pooled, or (num_tokens, hidden_size) states of the highest frozen layer. None where nothing is.
        teacher_logits: What another run thinks of the labels, (num_windows, num_labels) float32 of their
            documents, or (num_tokens, num_labels) of the words; NaN where it says nothing. None without one.
    """

    input_ids: torch.Tensor
    token_type_ids: torch.Tensor | None
    cu_seq_lens: torch.Tensor
    lengths: tuple[int, ...]
    documents: torch.Tensor
    windows: torch.Tensor
    words: torch.Tensor | None
    labels: torch.Tensor | None
    weights: torch.Tensor
    normalizer: float
    features: torch.Tensor | None = None
    teacher_logits: torch.Tensor | None = None

    def to(self, device: torch.device | str, non_blocking: bool | None = None) -> Batch:
        """Return the batch with every tensor on `device`.

        Args:
            device: Where to.
            non_blocking: Whether copies from pinned memory may overlap with work on the device; None: to a
                CUDA device, since Lightning asks for it with plain tensors only.

        Returns:
            A new batch; this one is left as it is.
        """
        if non_blocking is None:
            non_blocking = str(device).startswith("cuda")
        moved = {
            name: value.to(device, non_blocking=non_blocking)
            for name, value in vars(self).items()
            if hasattr(value, "to")
        }
        return replace(self, **moved)

    def pin_memory(self) -> Batch:
        """Return the batch in page-locked memory, for asynchronous copies to a GPU."""
        pinned: dict[str, Any] = {
            name: value.pin_memory() for name, value in vars(self).items() if hasattr(value, "pin_memory")
        }
        return replace(self, **pinned)


@dataclass(frozen=True)
class RowStep:
    """One optimizer step over kept features: the rows of all its micro-batches.

    Attributes:
        rows: (num_items,) int64, rows of the features: windows, or labelled tokens.
        normalizer: Sum of the rows' weights, as Batch.normalizer.
    """

    rows: np.ndarray
    normalizer: float


@dataclass(frozen=True)
class WindowLogits:
    """Logits as the model gave them, before windows are put together; rows in any order.

    Attributes:
        logits: (num_rows, num_labels) float32. A row is a window, or where words are labelled the first
            piece of a word in one window.
        documents: (num_rows,) int64, the row's document.
        windows: (num_rows,) int64, the row's window in its split.
        words: (num_rows,) int64, the row's word in its document; None where whole windows are labelled.
        edge_distances: (num_rows,) int64, tokens from the piece to the nearer edge of its window; None
            where whole windows are labelled.
    """

    logits: np.ndarray
    documents: np.ndarray
    windows: np.ndarray
    words: np.ndarray | None = None
    edge_distances: np.ndarray | None = None


@dataclass(frozen=True)
class DocumentLogits:
    """Logits of whole documents, or of every word of them.

    Attributes:
        logits: (num_documents, num_labels) float32, or (num_words, num_labels) with the words of all
            documents end to end; zeros where nothing was seen.
        word_offsets: (num_documents + 1,) int64, where each document's words start and end; None where whole
            documents are labelled.
        seen: (num_documents,) or (num_words,) bool, whether any window held the row.
    """

    logits: np.ndarray
    word_offsets: np.ndarray | None
    seen: np.ndarray


@dataclass(frozen=True)
class Gold:
    """The right answers of one split.

    Attributes:
        values: (num_documents,) int64 label numbers; (num_documents, num_labels) int64 of 0 and 1;
            (num_documents,) float64 scores; or (num_words,) int64 tag numbers, all documents end to end.
        word_offsets: (num_documents + 1,) int64 for tags, else None.
    """

    values: np.ndarray
    word_offsets: np.ndarray | None = None


@dataclass(frozen=True)
class Prediction:
    """What decoding made of the logits; same shapes and meaning as Gold.

    Attributes:
        values: As Gold.values.
        probabilities: (num_documents or num_words, num_labels) float32; None for regression.
        word_offsets: As Gold.word_offsets.
    """

    values: np.ndarray
    probabilities: np.ndarray | None
    word_offsets: np.ndarray | None = None
