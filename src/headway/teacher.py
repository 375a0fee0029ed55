"""What a finished run thinks of the training rows, computed once and kept on disk by content."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headway import array_folders
from headway.config.build import resolve
from headway.data.cache_key import hash_examples
from headway.data.tables import examples_of
from headway.delivery.artifact import artifact_folder
from headway.delivery.artifact_spec import parse_spec
from headway.delivery.file_sums import identity_of
from headway.delivery.predictor import load
from headway.types import ConfigError, HeadwayError

if TYPE_CHECKING:
    from headway.data.encoding import Examples
    from headway.data.text_data import TextData

log = logging.getLogger(__name__)
FORMAT = 1
"""Part of every key: raised whenever the same teacher would give other logits."""
NAME = "teacher"
ROWS_AT_ONCE = 1024
KEY = "task.loss.teacher"


def needs_teacher(cfg: Mapping[str, Any]) -> bool:
    """Return whether a config's loss learns from another run.

    Args:
        cfg: The resolved config.
    """
    return bool(getattr(resolve(cfg["task"]["loss"]["_target_"], key="task.loss"), "needs_teacher", False))


def check_teacher(cfg: Mapping[str, Any]) -> None:
    """Refuse a teacher that isn't there or answers otherwise, before data are read.

    Args:
        cfg: The resolved config.

    Raises:
        ConfigError: There is no such run, or it has learned another kind of answer.
    """
    if not needs_teacher(cfg):
        return
    given = cfg["task"]["loss"].get("teacher")
    if not isinstance(given, str) or not given.strip():
        raise ConfigError(f"`{KEY}` must be the folder of a finished run, got {given!r}; name one")
    try:
        spec = parse_spec(artifact_folder(given))
    except HeadwayError as error:
        raise ConfigError(f"`{KEY}` must be the folder of a finished run, got {given!r}: {error}") from error
    target: Any = resolve(spec.target["_target_"], key=KEY)
    own: Any = resolve(cfg["task"]["target"]["_target_"], key="task.target")
    found, wanted = target.role, own.role
    if found != wanted:
        raise ConfigError(
            f"`{KEY}` must have learned data.{wanted}, as this task does, got {given!r}, which learned "
            f"data.{found}; name another run"
        )


def teacher_logits(cfg: Mapping[str, Any], data: TextData) -> np.ndarray:
    """Return a teacher's logits of the training rows, from the disk or computed now.

    Each row or word of train gets the teacher's logits of the same row or word, whatever pieces and windows
    the two models cut it into.

    Args:
        cfg: The resolved config.
        data: Read and encoded.

    Returns:
        (num_documents, num_labels) float32, or (num_words, num_labels) with the words of all documents end to
        end, the labels in the order of the data's; NaN where the teacher saw nothing.

    Raises:
        ConfigError: As `check_teacher`, or its labels or columns aren't those of the data.
        DataError: It can't read a row.
    """
    check_teacher(cfg)
    given, start = cfg["task"]["loss"]["teacher"], time.perf_counter()
    folder = artifact_folder(given)
    spec, examples = parse_spec(folder), examples_of(data.tables["train"])
    if list(spec.columns) != list(examples):
        raise ConfigError(
            f"`{KEY}` must read {list(examples)}, as the data have them, got {given!r}, which reads "
            f"{list(spec.columns)}; name another run"
        )
    order = _order(spec.label_names, data.label_names, given)
    computed = False

    def prepare() -> Callable[[Path], None]:
        """Note that they are computed, and return what does it."""
        nonlocal computed
        computed = True
        return lambda target: array_folders.save_array(
            target / f"{NAME}.npy", _computed(folder, examples, data)
        )

    parts = (str(FORMAT), identity_of(folder), hash_examples(examples))
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    kept = Path(cfg["cache_dir"]) / NAME / key
    rows: np.ndarray = array_folders.cached(kept, prepare, format=FORMAT, needed=(NAME,))[NAME]
    log.info(
        "train: logits of the teacher %s, %d rows of %d, %s in %.1f s",
        given,
        *rows.shape,
        "computed" if computed else "read from the cache",
        time.perf_counter() - start,
    )
    return np.asarray(rows)[:, order]


def _order(teachers: list[str], wanted: tuple[str, ...], given: str) -> list[int]:
    """Return where each of the data's labels stands among the teacher's."""
    if set(teachers) != set(wanted):
        missing, more = sorted(set(wanted) - set(teachers)), sorted(set(teachers) - set(wanted))
        raise ConfigError(
            f"`{KEY}` must know the labels of the data and no others, got {given!r}, which lacks "
            f"{missing[:9]} and has {more[:9]} besides; name another run, or set data.label_names"
        )
    return [teachers.index(name) for name in wanted]


def _computed(folder: Path, examples: Examples, data: TextData) -> np.ndarray:
    """Return the teacher's logits in its own order of labels."""
    predictor, table = load(folder), data.tables["train"]
    (count,) = {len(column) for column in examples.values()}  # type: ignore[arg-type]
    found = []
    for start in range(0, count, ROWS_AT_ONCE):
        rows: Any = {name: column[start : start + ROWS_AT_ONCE] for name, column in examples.items()}  # type: ignore[index]
        encoded = predictor.encode(rows, where=lambda row, first=start: table.where(first + row))  # type: ignore[misc]
        documents = predictor.document_logits(encoded)
        found.append(np.where(documents.seen[:, None], documents.logits, np.nan).astype(np.float32))
    return np.concatenate(found)
