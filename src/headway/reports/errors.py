"""The documents that a config gets most wrong, with their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headway.reports.answers import Answers
from headway.reports.plain_text import shown

SHOWN = 10
LONGEST = 1_500
"""Characters of a document that are shown."""
MOST_WORDS = 250


@dataclass(frozen=True)
class Word:
    """A word of a tagged document.

    Attributes:
        text: The word.
        right: Its right tag.
        given: Its given tag; None where no window held it.
    """

    text: str
    right: str
    given: str | None

    @property
    def wrong(self) -> bool:
        """Whether the tags differ."""
        return self.right != self.given


@dataclass(frozen=True)
class Mistake:
    """A document that was answered wrongly.

    Attributes:
        id: Of the document.
        right: The right answer.
        given: The given one.
        sure: Probability of the given answer; None where there is none.
        loss: Of the document.
        wrong_runs: In how many runs of the config it is wrong.
        parts: Name of the column -> its text.
        words: Of a tagged document; else empty.
        cut: Whether there is more text than is shown.
    """

    id: str
    right: str
    given: str
    sure: float | None
    loss: float
    wrong_runs: int
    parts: Mapping[str, str]
    words: tuple[Word, ...]
    cut: bool


def worst_errors(answers: Answers, others: Sequence[Answers], *, number: int = SHOWN) -> list[Mistake]:
    """Return the wrong documents with the highest losses; of scores those farthest off.

    Args:
        answers: Of one run, with texts.
        others: Of all replicates, this run among them.
        number: How many at most.
    """
    if answers.kind == "scores":
        off = np.abs(answers.prediction.values - answers.gold.values)
        order = np.argsort(-np.nan_to_num(off), kind="stable")[:number].tolist()
        return [_mistake(answers, row, len(others)) for row in order]
    wrong = np.stack([~each.correct() for each in others])
    losses = np.where(~answers.correct(), np.nan_to_num(answers.losses, nan=np.inf), -np.inf)
    order = np.argsort(-losses, kind="stable")[:number].tolist()
    return [_mistake(answers, row, int(wrong[:, row].sum())) for row in order if losses[row] != -np.inf]


def _mistake(answers: Answers, row: int, wrong_runs: int) -> Mistake:
    texts = answers.texts[row] if answers.texts else {}
    parts = {name: shown(value) for name, value in texts.items() if name != "tokens" and value is not None}
    words = _words(texts.get("tokens"), answers.right[row], answers.given[row])
    chances = answers.prediction.probabilities
    sure = None
    if chances is not None and answers.kind == "label" and answers.prediction.values[row] >= 0:
        sure = float(chances[row, answers.prediction.values[row]])
    return Mistake(
        id=answers.ids[row],
        right="" if words else answer_text(answers.right[row]),
        given="" if words else answer_text(answers.given[row]),
        sure=sure,
        loss=float(answers.losses[row]),
        wrong_runs=wrong_runs,
        parts={name: part[:LONGEST] for name, part in parts.items()},
        words=words[:MOST_WORDS],
        cut=any(len(part) > LONGEST for part in parts.values()) or len(words) > MOST_WORDS,
    )


def answer_text(value: Any) -> str:
    """Return an answer in words.

    Args:
        value: A label, some labels, tags, a score, or None for no answer.
    """
    if value is None:
        return "no answer"
    if isinstance(value, list):
        return ", ".join("no answer" if each is None else shown(each) for each in value) or "no label"
    return f"{value:.4g}" if isinstance(value, float) else shown(value)


def _words(tokens: Any, right: Any, given: Any) -> tuple[Word, ...]:
    if not isinstance(tokens, list) or not isinstance(right, list):
        return ()
    return tuple(
        Word(shown(word), shown(a), None if b is None else shown(b))
        for word, a, b in zip(tokens, right, given, strict=False)
    )
