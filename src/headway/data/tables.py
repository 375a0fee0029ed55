"""The splits of a data set: read, mapped to canonical columns, cut where one is missing, and checked."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from headway.data.columns import canonical
from headway.data.roles import Roles
from headway.data.splits import cut, drop_duplicates_of
from headway.types import ConfigError, DataError

if TYPE_CHECKING:
    from headway.data.encoding import Examples
    from headway.data.sources.source import Source
    from headway.data.table import Table

log = logging.getLogger(__name__)
INPUT_COLUMNS = ("text", "text_pair", "tokens")


@dataclass(frozen=True)
class SplitRules:
    """Where each split comes from and what is done to its rows; the keys of the data node of the same names.

    Attributes:
        train: What the source reads for training.
        validation: Likewise; None: cut from train.
        test: Likewise; None: cut from train if test_ratio is given, else there is none.
        validation_ratio: Share of train that is cut off for validation, in (0, 1); None only beside a
            validation that is read.
        test_ratio: Share of train that is cut off for test, in (0, 1), or None.
        replace: {column: {old: new}}.
        on_empty: "error" or "drop".
        drop_unlabelled: Whether rows without a target are dropped.
        drop_duplicates_of: Column, as it came, by which train rows that stand in another split are dropped.
        seed: Of what is cut.

    Raises:
        ConfigError: A ratio is outside (0, 1), or test and test_ratio are both given.
    """

    train: str
    validation: str | None = None
    test: str | None = None
    validation_ratio: float | None = 0.1
    test_ratio: float | None = None
    replace: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    on_empty: str = "error"
    drop_unlabelled: bool = False
    drop_duplicates_of: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, needed in (("validation_ratio", self.validation is None), ("test_ratio", False)):
            value = getattr(self, name)
            if not (isinstance(value, float) and 0 < value < 1) and (needed or value is not None):
                raise ConfigError(
                    f"`data.{name}` must be in (0, 1), got {value!r}; set a share of train, such as 0.1"
                )
        if self.seed < 0:
            raise ConfigError(f"`data.split_seed` must be >= 0, got {self.seed}; set a seed such as 0")
        if self.test is not None and self.test_ratio is not None:
            raise ConfigError(
                f"`data.test_ratio` must be null beside data.test={self.test!r}, got {self.test_ratio}; "
                "keep one"
            )


def read_table(
    source: Source, spec: str, roles: Roles, rules: SplitRules, *, require_target: bool = True
) -> Table:
    """Read one split into canonical columns.

    Args:
        source: Where the rows come from.
        spec: What the source reads.
        roles: Which column plays which part.
        rules: What is done to the rows.
        require_target: Whether every row must have its answer.

    Returns:
        The split.

    Raises:
        DataError: Nothing is left of it, or a row is wrong.
    """
    return _canonical(source.read(spec), roles, rules, require_target=require_target)


def _canonical(raw: Table, roles: Roles, rules: SplitRules, *, require_target: bool = True) -> Table:
    table = canonical(
        raw,
        roles,
        replace=rules.replace,
        on_empty=rules.on_empty,
        drop_unlabelled=rules.drop_unlabelled,
        require_target=require_target,
    )
    if not len(table):
        raise DataError(
            f"{table.origin} must hold at least one row that is used, got none of {len(raw)}; look at its "
            "text and target columns"
        )
    return table


def read_splits(source: Source, roles: Roles, rules: SplitRules) -> dict[str, Table]:
    """Read train, validation and, if there is one, test.

    Args:
        source: Where the rows come from.
        roles: Which column plays which part.
        rules: Where the splits come from and what is done to them.

    Returns:
        Split name -> rows, each in canonical columns.

    Raises:
        DataError: A row, a column or a split is wrong.
    """
    named = (("train", rules.train), ("validation", rules.validation), ("test", rules.test))
    raw = {name: source.read(spec) for name, spec in named if spec is not None}
    if rules.drop_duplicates_of is not None:
        others = [raw[name] for name in ("validation", "test") if name in raw]
        raw["train"], dropped = drop_duplicates_of(raw["train"], others, column=rules.drop_duplicates_of)
        log.info("train: dropped %d rows whose %s stands in another split", dropped, rules.drop_duplicates_of)
    tables = {name: _canonical(table, roles, rules) for name, table in raw.items()}
    if rules.test_ratio is not None:
        tables["train"], tables["test"] = cut(
            tables["train"], role=roles.target, ratio=rules.test_ratio, seed=rules.seed, key="data.test_ratio"
        )
    if rules.validation is None and rules.validation_ratio is not None:
        tables["train"], tables["validation"] = cut(
            tables["train"], role=roles.target, ratio=rules.validation_ratio, seed=rules.seed
        )
    return {name: tables[name] for name in ("train", "validation", "test") if name in tables}


def examples_of(table: Table) -> Examples:
    """Return the columns of a canonical table that are encoded."""
    return {name: table.column(name) for name in INPUT_COLUMNS if name in table.column_names}  # type: ignore[return-value]
