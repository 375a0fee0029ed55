"""Curves as a CSV file that a kill leaves readable and that a resumed run goes on with, row for row."""

from __future__ import annotations

import csv
import errno
import io
import os
import time
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger

from headway.named_errors import naming
from headway.tracking.record import write_text

FILE = "metrics.csv"
SECONDS = 5.0
"""Rows wait at most so long for the next one before they are written."""


class CsvCurves(Logger):
    """Writes metrics.csv: a row a logged step, a column a metric.

    Rows are appended. A new column makes the file new, beside its place and renamed.

    Args:
        save_dir: The run's folder.
    """

    def __init__(self, save_dir: str | Path) -> None:
        super().__init__()
        self._path = Path(save_dir) / FILE
        self._columns: list[str] = []
        self._waiting: list[dict[str, Any]] = []
        self._written = 0
        self._since = time.monotonic()

    @property
    def name(self) -> str:
        """Return nothing: the run's folder has the name."""
        return ""

    @property
    def version(self) -> str:
        """Return nothing: the run's folder has the name."""
        return ""

    @property
    def save_dir(self) -> str:
        """Return the run's folder."""
        return str(self._path.parent)

    @property
    def num_rows(self) -> int:
        """How many rows were logged."""
        return self._written + len(self._waiting)

    def log_hyperparams(self, *_: Any, **__: Any) -> None:
        """Do nothing: config.yaml has them."""

    def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
        """Log a row.

        Args:
            metrics: Name -> number.
            step: The optimizer steps before it; None: the row's number.
        """
        row = {name: float(value) for name, value in metrics.items()}
        if "epoch" in row:
            row["epoch"] = int(row["epoch"])
        self._waiting.append({**row, "step": self.num_rows if step is None else step})
        if time.monotonic() - self._since > SECONDS:
            self.save()

    def save(self) -> None:
        """Write what waits.

        Raises:
            FileNotFoundError: What was written before is gone, and with it perhaps the run's whole folder.
        """
        self._since = time.monotonic()
        if not self._waiting:
            return
        if self._written and not self._path.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._path))
        new = set().union(*self._waiting) - set(self._columns)
        if new or not self._path.exists():
            self._columns = sorted({*self._columns, *new})
            # What lies there before this process has written or kept a row is of a training that begins anew.
            before = self._read() if self._written else []
            self._write_all([*before, *self._waiting])
        else:
            with naming(self._path), self._path.open("a", encoding="utf-8", newline="") as file:
                csv.DictWriter(file, self._columns).writerows(self._waiting)
        self._written, self._waiting = self.num_rows, []

    def keep(self, rows: int) -> None:
        """Go on after an earlier process's first rows; what it wrote after them is written again.

        Args:
            rows: How many.
        """
        kept = self._read()[:rows]
        self._columns = list(kept[0]) if kept else []
        self._write_all(kept)
        self._written, self._waiting = len(kept), []

    def finalize(self, status: str) -> None:
        """Write what waits."""
        self.save()

    def _read(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        with self._path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def _write_all(self, rows: list[dict[str, Any]]) -> None:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self._columns)
        writer.writeheader()
        writer.writerows(rows)
        write_text(self._path, text.getvalue(), newline="")
