"""Entities as people use them: a label and the characters that it covers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from headway.evaluation.spans import TagSet, find_spans, tag_set


@cache
def tags_of_spans(label_names: tuple[str, ...]) -> TagSet | None:
    """Return what tags say of spans; None where they name none, such as parts of speech.

    Args:
        label_names: The labels in order.
    """
    try:
        found = tag_set(label_names)
    except ValueError:
        return None
    return found if found.names else None


def word_places(words: Sequence[str], text: str | None) -> list[tuple[int, int]]:
    """Return where each word starts and ends, in characters (Unicode code points).

    Args:
        words: Of one document.
        text: That they were split from; None: they count as joined by single blanks.

    Returns:
        (start, end) a word, the end excluded.
    """
    places, start = [], 0
    for word in words:
        start = start if text is None else text.index(word, start)
        places.append((start, start + len(word)))
        start += len(word) + (text is None)
    return places


def spans_of_documents(
    tags: np.ndarray,
    *,
    word_offsets: np.ndarray,
    label_names: tuple[str, ...],
    words: Sequence[Sequence[str]],
    texts: Sequence[str | None],
    chances: np.ndarray | None,
) -> list[list[dict[str, Any]]] | None:
    """Return the entities of each document.

    Args:
        tags: (num_words,) int64 tag numbers, negative where no window held the word.
        word_offsets: (num_documents + 1,) int64.
        label_names: The labels in order.
        words: Of each document.
        texts: That the words were split from, or None where words were given.
        chances: (num_words,) float32, the probability of each word's tag; None: left out.

    Returns:
        A list a document, in the order of the text: label, text, start and end in characters of the text (of
        the words joined by single blanks where there is none), start_word and end_word, and with `chances`
        probability, the least of its words' tags. Ends are excluded. None where the labels name no spans.
    """
    tagged = tags_of_spans(label_names)
    if tagged is None:
        return None
    table = find_spans(tags, word_offsets=word_offsets, tagged=tagged, strict=False)
    found: list[list[dict[str, Any]]] = [[] for _ in words]
    owners = np.searchsorted(word_offsets, table.starts, side="right") - 1
    places: dict[int, list[tuple[int, int]]] = {}
    for owner, start, end, kind in zip(
        owners.tolist(), table.starts.tolist(), table.ends.tolist(), table.types.tolist(), strict=True
    ):
        if owner not in places:
            places[owner] = word_places(words[owner], texts[owner])
        text, offset = texts[owner], int(word_offsets[owner])
        first, last = places[owner][start - offset][0], places[owner][end - offset - 1][1]
        covered = " ".join(words[owner][start - offset : end - offset]) if text is None else text[first:last]
        span = {
            "label": tagged.names[kind],
            "text": covered,
            "start": first,
            "end": last,
            "start_word": start - offset,
            "end_word": end - offset,
        }
        if chances is not None:
            span["probability"] = float(chances[start:end].min())
        found[owner].append(span)
    return found
