"""Cuts a part off a split, and drops rows that other splits hold too; seeded, pure, and without leaks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from headway.data.columns import read_column
from headway.data.roles import as_text
from headway.types import ConfigError, DataError

if TYPE_CHECKING:
    from headway.data.table import Table

NUM_SCORE_BINS = 10


def cut(
    table: Table, *, role: str, ratio: float, seed: int, key: str = "data.validation_ratio"
) -> tuple[Table, Table]:
    """Cut a share of a split off, stratified, with equal inputs kept on one side.

    Rows whose texts (or words) are equal but for case and blanks form a group, which is never parted: a model
    would otherwise be scored on what it was trained on. Groups are drawn at random within strata: the label;
    the rarest of several labels or tags; the decile of a score. A stratum gives its share of rows, rounded by
    largest remainder so that the shares add up, and keeps at least one group, so a class of one text stays.

    Args:
        table: A canonical split.
        role: The column to stratify by: label, labels, score or tags.
        ratio: Share of the rows to cut, in (0, 1).
        seed: Of the draw; the same rows, ratio and seed give the same cut.
        key: The key that holds `ratio`, for messages.

    Returns:
        (kept, cut), each in the order of `table`.

    Raises:
        ConfigError: `ratio` is outside of (0, 1).
        DataError: No row can be cut.
    """
    if not 0 < ratio < 1:
        raise ConfigError(f"`{key}` must be in (0, 1), got {ratio}; set a share of the rows, such as 0.1")
    groups = _groups(table)
    strata = _strata(table, role)
    members: dict[object, list[list[int]]] = {}
    for rows in groups:
        members.setdefault(strata[rows[0]], []).append(rows)
    shares = _shares(list(members.values()), ratio)
    rng = np.random.default_rng(seed)
    chosen: list[int] = []
    for parts, share in zip(members.values(), shares, strict=True):
        chosen.extend(_draw(parts, share, rng))
    if not chosen:
        raise DataError(
            f"`{key}` must leave something to cut from {table.origin}, got {ratio} of {len(table)} rows with "
            f"{len(groups)} different inputs in {len(members)} strata; raise it or add rows"
        )
    mask = np.zeros(len(table), dtype=bool)
    mask[chosen] = True
    return table.select(np.flatnonzero(~mask)), table.select(np.flatnonzero(mask))


def drop_duplicates_of(train: Table, others: Iterable[Table], *, column: str | int) -> tuple[Table, int]:
    """Drop the train rows whose value in a column stands in another split; a missing value never does.

    Args:
        train: Rows, before or after their columns become canonical.
        others: Likewise the splits that stay whole: test, and validation where one is given.
        column: The column to compare, of every split (data.drop_duplicates_of).

    Returns:
        The rows left, in their order, and how many were dropped.

    Raises:
        DataError: A split has no such column, or no row is left.
    """
    key, name = "data.drop_duplicates_of", as_text(column)
    held = {_hashable(value) for other in others for value in read_column(other, name, key=key)} - {None}
    values = read_column(train, name, key=key)
    kept = [row for row, value in enumerate(values) if _hashable(value) not in held]
    if not kept:
        raise DataError(
            f"`{key}` must leave rows to train on, got {column!r}, by which all {len(train)} rows of "
            f"{train.origin} stand in other splits; name another column or set it to null"
        )
    return train.select(kept), len(train) - len(kept)


def content_keys(table: Table) -> list[str]:
    """Return what each row's input is known by: its texts or words, without case and with single blanks.

    Args:
        table: A canonical split.

    Returns:
        (num_rows,) keys; equal for inputs that differ in nothing that matters for leaks.
    """
    names = [name for name in ("text", "text_pair", "tokens") if name in table.column_names]
    columns = [table.column(name) for name in names]
    # \x1f is a blank to split(), so it stands inside no text and keeps "a b" + "c" apart from "a" + "b c".
    return ["\x1f".join(_plain(value) for value in values) for values in zip(*columns, strict=True)]


def _plain(value: str | list[str]) -> str:
    words = value.split() if isinstance(value, str) else value
    return " ".join(words).casefold()


def _hashable(value: object) -> object:
    return repr(value) if isinstance(value, list | dict) else value


def _groups(table: Table) -> list[list[int]]:
    """Return the rows of each distinct input, in order of first appearance."""
    groups: dict[str, list[int]] = {}
    for row, key in enumerate(content_keys(table)):
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def _strata(table: Table, role: str) -> Sequence[object]:
    """Return (num_rows,) strata."""
    values = table.column(role)
    if role == "label":
        return values
    if role == "score":
        ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
        bins: list[int] = (ranks * NUM_SCORE_BINS // max(len(values), 1)).tolist()
        return bins
    # By the rarest: the frequent ones come along by themselves, the rare ones would be lost to one side.
    counts = Counter(name for names in values for name in set(names))
    return [min(names, key=lambda name: (counts[name], name), default="") for names in values]


def _shares(strata: Sequence[list[list[int]]], ratio: float) -> list[int]:
    """Return how many rows each stratum of groups gives, by largest remainder; 0 if it has but one group."""
    sizes = [sum(map(len, groups)) for groups in strata]
    able = [index for index, groups in enumerate(strata) if len(groups) > 1]
    shares = [0] * len(strata)
    for index in able:
        shares[index] = math.floor(sizes[index] * ratio)
    missing = max(1, round(sum(sizes) * ratio)) - sum(shares)
    # Of equal remainders the larger stratum's goes first: it can spare a row most easily.
    able.sort(key=lambda index: (shares[index] - sizes[index] * ratio, -sizes[index]))
    for index in able[: max(missing, 0)]:
        shares[index] += 1
    return shares


def _draw(groups: list[list[int]], share: int, rng: np.random.Generator) -> list[int]:
    """Return the rows of whole groups, as near to `share` as they come, and never all of the groups."""
    chosen: list[int] = []
    left = len(groups) - 1
    for index in rng.permutation(len(groups)):
        rows = groups[index]
        if left and len(rows) <= 2 * (share - len(chosen)):  # nearer to the share with them than without
            chosen.extend(rows)
            left -= 1
    return chosen
