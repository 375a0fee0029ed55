"""How long a text takes to be answered, tokenizer and decoding included, by length and batch size."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from headway.data.encoding import Examples
    from headway.delivery.predictor import Predictor

WARM = 2
"""Answers before the clock runs: the first allocates."""
SECONDS = 20.0
"""That a cell of the table takes by default, at most, after the first answers of each engine."""
WORDS = 20_000
"""Words that timed texts are made of, at most."""


@dataclass(frozen=True)
class Timing:
    """Milliseconds that a batch of texts takes.

    Attributes:
        engine: What computes.
        length: Tokens of each text, special ones included, or a few less.
        batch_size: Texts at once.
        p50: The median.
        p95: That 95 % don't exceed.
        p99: That 99 % don't exceed; of fewer than 100 answers, the slowest.
        answers: Timed batches.
    """

    engine: str
    length: int
    batch_size: int
    p50: float
    p95: float
    p99: float
    answers: int


def timings(
    predictors: Mapping[str, Predictor],
    texts: Mapping[str, Sequence[Any]],
    *,
    lengths: Sequence[int],
    batch_sizes: Sequence[int],
    repeats: int,
    seconds: float = SECONDS,
) -> list[Timing]:
    """Time predictors side by side: each text goes to all of them in turn, so that noise hits all alike.

    Args:
        predictors: Name -> predictor; all read the same columns.
        texts: Canonical column -> documents, of whose words texts of each length are made.
        lengths: Tokens of a text.
        batch_sizes: Texts at once.
        repeats: Times that each cell is timed, at most.
        seconds: That a cell may take.
    """
    words = list(_words(texts))
    found: list[Timing] = []
    for length in lengths:
        for size in batch_sizes:
            examples = timed_texts(next(iter(predictors.values())), words, length, size)
            found += _cell(predictors, examples, length=length, size=size, repeats=repeats, seconds=seconds)
    return found


def _cell(
    predictors: Mapping[str, Predictor],
    examples: Examples,
    *,
    length: int,
    size: int,
    repeats: int,
    seconds: float,
) -> Iterator[Timing]:
    times: dict[str, list[float]] = {name: [] for name in predictors}
    for predictor in predictors.values():
        for _ in range(WARM):
            predictor.answer(examples, batch_size=size)
    end = time.perf_counter() + seconds
    for number in range(repeats):
        if number and time.perf_counter() > end:
            break
        for name, predictor in predictors.items():
            start = time.perf_counter()
            predictor.answer(examples, batch_size=size)
            times[name].append(1000 * (time.perf_counter() - start))
    for name, values in times.items():
        p50, p95, p99 = np.quantile(values, [0.5, 0.95, 0.99], method="higher").tolist()
        yield Timing(name, length, size, p50, p95, p99, len(values))


def _words(texts: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    """Yield words of the documents, over and over if they are few."""
    count = 0
    while count < WORDS:
        before = count
        for column in texts.values():
            for document in column:
                for word in document.split() if isinstance(document, str) else document:
                    if word.strip():
                        yield word
                        count += 1
                if count >= WORDS:
                    return
        if count == before:
            raise ValueError("texts without words can't be timed")


def timed_texts(predictor: Predictor, words: Sequence[str], length: int, size: int) -> Examples:
    """Return texts of as many words as come to at most `length` tokens.

    Args:
        predictor: Whose tokens are counted.
        words: At least `length` of them.
        length: Tokens, special ones included; at most the model's max_length.
        size: Texts.
    """
    columns: dict[str, list[Any]] = {name: [] for name in predictor.spec.columns}
    for number in range(size):
        start = number * length % max(1, len(words) - length)
        low, high = 1, min(length, len(words) - start)
        while low < high:  # the most words that fit; tokens grow with words
            middle = (low + high + 1) // 2
            row = _row(predictor, words[start : start + middle])
            fits = int(predictor.encode(row).lengths[0]) <= length  # type: ignore[arg-type]
            low, high = (middle, high) if fits else (low, middle - 1)
        for name, values in _row(predictor, words[start : start + low]).items():
            columns[name] += values
    return columns  # type: ignore[return-value]


def _row(predictor: Predictor, words: Sequence[str]) -> dict[str, list[Any]]:
    """Return one document of some words in the columns that a model reads."""
    names = list(predictor.spec.columns)
    if names == ["tokens"]:
        return {"tokens": [list(words)]}
    if len(names) == 1:
        return {"text": [" ".join(words)]}
    half = max(1, len(words) // 2)
    return {"text": [" ".join(words[:half])], "text_pair": [" ".join(words[half:]) or words[0]]}
