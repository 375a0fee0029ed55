"""Data sets of the Hugging Face Hub (or its cache, offline), with text in place of numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headway.data.table import Table
from headway.file_digests import file_sha256
from headway.types import ConfigError, DataError

if TYPE_CHECKING:
    from datasets import Dataset
    from pyarrow import ChunkedArray


class Hub:
    """Reads splits of one data set by `datasets.load_dataset`. Code that comes with data sets is never run.

    Args:
        name: Its id on the Hub, such as nyu-mll/glue.
        config: Its configuration (subset), or None if it has one only.
        revision: Branch, tag or commit; None: main.

    Raises:
        ConfigError: An argument is not text.
    """

    def __init__(self, name: str, config: str | None = None, revision: str | None = None) -> None:
        for key, value in (("name", name), ("config", config), ("revision", revision)):
            optional = key != "name"
            if not (optional and value is None) and not (isinstance(value, str) and value.strip()):
                raise ConfigError(
                    f"`data.source.{key}` must be text{' or null' if optional else ''}, got {value!r}; "
                    "name a data set of the Hub, such as nyu-mll/glue with config sst2"
                )
        self._name = name
        self._config = config
        self._revision = revision
        self._files: dict[str, list[Path]] = {}

    def read(self, spec: str) -> Table:
        """Return the rows of one split.

        Numbers and booleans become text; a class number becomes its name, and -1 (which hides the answers of
        a public test split) None; likewise in lists. Anything else stays as it is.

        Args:
            spec: The split, such as train, validation_matched or train[:1000].

        Raises:
            ConfigError: The data set, configuration, revision or split cannot be loaded.
            DataError: The split has no rows.
        """
        rows = self._load(spec)
        origin = "/".join(part for part in (self._name, self._config, spec) if part)
        if not len(rows):
            raise DataError(f"{origin} must hold at least one row, got none; name another split")
        return Table(rows=_as_text(rows), origin=origin, lines=np.arange(1, len(rows) + 1), unit="row")

    def _load(self, split: str) -> Dataset:
        import datasets

        if Path(self._name).exists():
            # load_dataset would read the folder, whatever it holds, in place of the data set that is named.
            raise ConfigError(
                f"`data.source.name` must be a data set of the Hub, got {self._name!r}, which is a local "
                "path; read it with data=files, or run from another folder"
            )
        try:
            rows = datasets.load_dataset(self._name, self._config, split=split, revision=self._revision)
        except (datasets.exceptions.DatasetsError, OSError, ValueError, RuntimeError) as error:
            raise ConfigError(
                f"`data.source` must name a data set of the Hub, with config and split, to load, "
                f"got name={self._name!r}, config={self._config!r}, revision={self._revision!r}, "
                f"split={split!r} ({type(error).__name__}: {_first_line(error)}); {_advice(error)}"
            ) from error
        self._files[split] = [Path(each["filename"]) for each in rows.cache_files]
        return rows

    def digests(self, spec: str) -> dict[str, str]:
        """Return the sha256 of the cached files that a split was read from.

        Args:
            spec: A split that was read.
        """
        names = "/".join(part for part in (self._name, self._config) if part)
        return {f"{names}/{path.name}": file_sha256(path) for path in self._files.get(spec, ())}


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), "no message")


def _advice(error: BaseException) -> str:
    """Return what to do about an error of load_dataset."""
    if "scripts are no longer supported" in str(error):
        return "its rows may stand, converted, at data.source.revision=refs/convert/parquet"
    if isinstance(error, ValueError):
        return "choose one of those that the message lists"
    return "check the names, and the connection or (offline) the cache; data=files reads a local copy"


def _as_text(rows: Dataset) -> Dataset:
    """Return the data set with every column of plain values, or of lists of them, as text."""
    import pyarrow as pa
    from datasets import Dataset
    from datasets.table import InMemoryTable

    arrow = rows.with_format("arrow")[:]
    columns = {name: _column(arrow.column(name), feature) for name, feature in rows.features.items()}
    return Dataset(InMemoryTable(pa.table(columns)))


def _column(values: ChunkedArray, feature: object) -> ChunkedArray:
    import pyarrow as pa
    import pyarrow.types as kinds
    from datasets import ClassLabel, LargeList, List

    if isinstance(feature, ClassLabel):
        return _names(values, feature.names)
    if isinstance(feature, List | LargeList):
        lists = values.cast(pa.large_list(values.type.value_type)).combine_chunks()
        items = _column(pa.chunked_array([lists.values]), feature.feature).combine_chunks()
        offsets = pa.array(lists.offsets.to_numpy())  # a copy, for Arrow takes no mask beside a slice
        return pa.chunked_array([pa.LargeListArray.from_arrays(offsets, items, mask=lists.is_null())])
    kind = values.type
    if kinds.is_boolean(kind) or kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_string(kind):
        return values.cast(pa.large_string())
    return values


def _names(numbers: ChunkedArray, names: list[str]) -> ChunkedArray:
    """Return class names for class numbers; null for null and for what lies below 0."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.if_else(pc.less(numbers, 0), None, numbers)
    return pc.take(pa.chunked_array([pa.array(names, type=pa.large_string())]), known)
