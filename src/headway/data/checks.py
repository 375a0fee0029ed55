"""What is wrong, or odd, with the rows of the splits together; what is wrong with one row raises earlier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from headway.data.splits import content_keys

if TYPE_CHECKING:
    from headway.data.table import Table

# A column with this many rows whose labels mostly stand in one row each is likely not one of classes.
_MANY_ROWS = 50


@dataclass(frozen=True)
class Finding:
    """Something that a check found.

    Attributes:
        level: "error" if training or its score would mean nothing, else "warning".
        message: What it is, with the key or split it concerns and what to do.
    """

    level: Literal["error", "warning"]
    message: str


def check_splits(splits: Mapping[str, Table], *, role: str, label_names: Sequence[str] = ()) -> list[Finding]:
    """Return what is wrong with the splits, errors first.

    Args:
        splits: Canonical tables by their names, among train, validation and test.
        role: The target column: label, labels, score or tags.
        label_names: The frozen names; () for scores, or where they are not known yet.

    Returns:
        Findings: empty splits, splits whose target is constant, names that train never holds, labels that are
        almost the same or as many as rows, inputs that repeat inside train or stand in two splits.
    """
    findings = [
        Finding("error", f"`data.{name}` must have at least one row, got none; name a split that has rows")
        for name, table in splits.items()
        if len(table) == 0
    ]
    filled = {name: table for name, table in splits.items() if len(table)}
    answers = {name: _answers(table, role) for name, table in filled.items()}
    findings.extend(_constant(answers, role, splits))
    if "train" in filled and role != "score":
        findings.extend(_NAMES_CHECKS[role](answers["train"], len(filled["train"]), label_names))
    findings.extend(_repeated(filled, role))
    return sorted(findings, key=lambda finding: finding.level)


def _answers(table: Table, role: str) -> Counter[object]:
    """Return how many rows hold each answer (rows with several labels or tags count once for each)."""
    values = table.column(role)
    if role in ("labels", "tags"):
        return Counter(name for names in values for name in set(names))
    return Counter(values)


def _constant(
    answers: Mapping[str, Counter[object]], role: str, splits: Mapping[str, Table]
) -> Iterator[Finding]:
    """Find splits that cannot tell a good model from a bad one."""
    for name, counts in answers.items():
        # One label in some rows and not in others is variety enough where a row may have none.
        several = bool(counts) if role == "labels" else len(counts) > 1
        if several:
            continue
        came = f"only {next(iter(counts))!r}" if counts else "no label at all"
        yield Finding(
            "warning" if name == "test" else "error",
            f"`data.{name}` must hold more than one value of data.{role}, got {came} in "
            f"{len(splits[name])} rows of {splits[name].origin}; check data.{role}, or name other rows",
        )


def _class_names(counts: Counter[object], rows: int, names: Sequence[str]) -> Iterator[Finding]:
    yield from _never(counts, names, "label")
    yield from _alike([str(label) for label in counts], "label")
    if rows >= _MANY_ROWS and len(counts) > rows / 2:
        yield Finding(
            "warning",
            f"`data.label` should hold classes, got {len(counts)} different values in {rows} rows of train; "
            "if they are numbers to predict set data.score instead, if they are names of rows data.id",
        )


def _several_names(counts: Counter[object], rows: int, names: Sequence[str]) -> Iterator[Finding]:
    yield from _never(counts, names, "labels")
    yield from _alike([str(label) for label in counts], "labels")
    always = sorted(str(label) for label, count in counts.items() if count == rows)
    if always:
        yield Finding(
            "warning",
            f"`data.labels`: every row of train holds {', '.join(always)}, which leaves nothing to learn",
        )


def _tag_names(counts: Counter[object], rows: int, names: Sequence[str]) -> Iterator[Finding]:  # noqa: ARG001
    # An I- tag that no span of train is long enough for is declared for the sake of its B-, and no news.
    continued = {f"I-{name[2:]}" for name in names if name.startswith("B-")}
    yield from _never(counts, [name for name in names if name not in continued], "tags")


def _never(counts: Counter[object], names: Sequence[str], role: str) -> Iterator[Finding]:
    missing = [name for name in names if not counts[name]]
    if missing:
        yield Finding(
            "warning",
            f"`data.label_names`: no row of train holds {', '.join(missing)} (data.{role}), so it cannot be "
            "learned; add rows or take it off the list",
        )


def _alike(labels: Sequence[str], role: str) -> Iterator[Finding]:
    """Find labels that differ in case or blanks only, which are most often slips."""
    spellings: dict[str, list[str]] = {}
    for label in sorted(labels):
        spellings.setdefault(" ".join(label.split()).casefold(), []).append(label)
    for same in spellings.values():
        if len(same) > 1:
            written = ", ".join(repr(label) for label in same)
            yield Finding(
                "warning",
                f"`data.{role}`: {written} differ only in case or blanks and count as different labels; "
                "if they are one, say so with data.replace",
            )


def _repeated(splits: Mapping[str, Table], role: str) -> Iterator[Finding]:
    """Find inputs that stand in two splits, or more than once in train."""
    keys = {name: content_keys(table) for name, table in splits.items()}
    for first, second in combinations(keys, 2):
        known = set(keys[first])
        count = sum(key in known for key in keys[second])
        if count:
            remedy = "; data.drop_duplicates_of drops rows from train" if first == "train" else ""
            yield Finding(
                "warning",
                f"{count} of {len(keys[second])} rows of {second} are in {first} too (equal but for case and "
                f"blanks), so the score of {second} flatters{remedy}",
            )
    if "train" in splits:
        yield from _repeated_in_train(keys["train"], splits["train"].column(role))


def _repeated_in_train(keys: Sequence[str], answers: Sequence[object]) -> Iterator[Finding]:
    seen: dict[str, object] = {}
    repeats, contradictions = 0, 0
    for key, answer in zip(keys, answers, strict=True):
        if key in seen:
            repeats += 1
            contradictions += seen[key] != answer
        else:
            seen[key] = answer
    if repeats:
        yield Finding(
            "warning",
            f"{repeats} of {len(keys)} rows of train repeat an earlier one (equal but for case and blanks), "
            f"{contradictions} of them with another answer",
        )


_NAMES_CHECKS: Mapping[str, Callable[[Counter[object], int, Sequence[str]], Iterator[Finding]]] = {
    "label": _class_names,
    "labels": _several_names,
    "tags": _tag_names,
}
