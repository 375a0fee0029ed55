"""What changed between two runs' answers, document by document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headway.reports.answers import Answers
from headway.reports.errors import answer_text
from headway.reports.plain_text import shown
from headway.types import DataError

LOST, WON, OTHERWISE = "right -> wrong", "wrong -> right", "wrong -> wrong otherwise"
CLOSER, FARTHER = "closer", "farther off"
KINDS = (LOST, WON, OTHERWISE, FARTHER, CLOSER)


@dataclass(frozen=True)
class Flip:
    """A document that is answered otherwise.

    Attributes:
        id: Of the document.
        kind: One of KINDS.
        right: The right answer; of words only those where an answer changed.
        first: The first run's answer.
        second: The second run's answer.
        losses: Of the first and of the second run.
        text: The document.
    """

    id: str
    kind: str
    right: str
    first: str
    second: str
    losses: tuple[float, float]
    text: str


@dataclass(frozen=True)
class Matched:
    """Two runs' answers to the documents that both have.

    Attributes:
        first: Rows of the first run's answers.
        second: Rows of the second run's, in the same order.
        only_first: Ids that the second lacks.
        only_second: Ids that the first lacks.
        other_gold: Ids whose right answer differs; they aren't compared.
    """

    first: np.ndarray
    second: np.ndarray
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    other_gold: tuple[str, ...]


def match(first: Answers, second: Answers) -> Matched:
    """Match documents by their ids.

    Args:
        first: Of one run.
        second: Of another.

    Raises:
        DataError: The two answer different kinds of questions, or no document is in both.
    """
    if first.kind != second.kind:
        raise DataError(
            f"A and B must be runs of the same kind of task, got {first.kind} and {second.kind}; compare "
            "runs with the same task"
        )
    rows = {name: row for row, name in enumerate(second.ids)}
    common = [(row, rows[name]) for row, name in enumerate(first.ids) if name in rows]
    same = [(a, b) for a, b in common if first.right[a] == second.right[b]]
    if not same:
        raise DataError(
            f"A and B must share documents, matched by id, got {len(first.ids)} and {len(second.ids)}, "
            f"{len(common)} ids in common and none of these with the same right answer; compare runs scored "
            "on the same data"
        )
    kept = np.array(same, dtype=np.int64)
    known, other = set(first.ids), set(second.ids)
    return Matched(
        kept[:, 0],
        kept[:, 1],
        tuple(name for name in first.ids if name not in other),
        tuple(name for name in second.ids if name not in known),
        tuple(first.ids[a] for a, b in common if first.right[a] != second.right[b]),
    )


def flips(first: Answers, second: Answers, matched: Matched) -> list[Flip]:
    """Return the documents that are answered otherwise, by kind, those whose loss changed most first.

    A document of words is right where every word is. A score counts as changed where it is closer to the
    right one, or farther off.

    Args:
        first: Of one run, with texts.
        second: Of another.
        matched: Their documents.
    """
    found = []
    for a, b in zip(matched.first.tolist(), matched.second.tolist(), strict=True):
        one, two, right = first.given[a], second.given[b], first.right[a]
        if one == two:
            continue
        kind = _kind(one, two, right)
        if kind is None:
            continue
        losses = float(first.losses[a]), float(second.losses[b])
        said = _said(right, one, two, first.texts[a].get("tokens") if first.texts else None)
        found.append(Flip(first.ids[a], kind, *said, losses, _text(first.texts[a] if first.texts else {})))
    order = {kind: place for place, kind in enumerate(KINDS)}
    return sorted(found, key=lambda flip: (order[flip.kind], -abs(_change(flip.losses))))


def _change(losses: tuple[float, float]) -> float:
    change = losses[1] - losses[0]
    return change if change == change else 0.0


def _kind(one: Any, two: Any, right: Any) -> str | None:
    if isinstance(right, float):
        if one is None or two is None:
            return None
        before, after = abs(one - right), abs(two - right)
        return None if before == after else CLOSER if after < before else FARTHER
    return LOST if one == right else WON if two == right else OTHERWISE


def _said(right: Any, one: Any, two: Any, tokens: Any) -> tuple[str, str, str]:
    """Return answers in words; of tags those that changed, with their words."""
    if not isinstance(tokens, list):
        return answer_text(right), answer_text(one), answer_text(two)
    changed = [place for place, (a, b) in enumerate(zip(one, two, strict=True)) if a != b]
    return tuple(  # type: ignore[return-value]
        ", ".join(f"{shown(tokens[place])}={answer_text(tags[place])}" for place in changed)
        for tags in (right, one, two)
    )


def _text(texts: Mapping[str, Any]) -> str:
    parts: Sequence[Any] = [
        " ".join(value) if isinstance(value, list) else value for value in texts.values() if value is not None
    ]
    return " | ".join(shown(part) for part in parts)
