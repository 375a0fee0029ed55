"""Tags that spell spans: the likeliest sequence in which every span begins as the scheme says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from headway.evaluation.activations import log_softmax
from headway.evaluation.decoding import NOTHING, Argmax
from headway.evaluation.spans import tag_set
from headway.evaluation.viterbi import best_sequences
from headway.types import ConfigError, DocumentLogits, Prediction


@dataclass(frozen=True)
class SpanDecoding(Argmax):
    """The likeliest tags of a document among those that obey IOB2: an I-X stands behind a B-X or an I-X.

    Word by word, the largest logits may spell an I- that continues nothing, which strict and lenient readers
    count differently. Here they agree. A word that no window held breaks spans, as an O does.

    Args:
        label_names: The tags by number. Not in the yaml; they are the data's.
        temperature: See Tempered; it changes no answer.

    Raises:
        ConfigError: The tags aren't of the IOB2 scheme.
    """

    roles: ClassVar[frozenset[str]] = frozenset({"tags"})
    needs_words: ClassVar[bool] = True

    label_names: Sequence[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "label_names", tuple(self.label_names))
        try:
            tag_set(self.label_names)
        except ValueError as error:
            raise ConfigError(
                f"`task.decoding` must be argmax for tags that mark no spans, got spans: {error}; set "
                "task/decoding=argmax, or data.scheme"
            ) from error

    def __call__(self, documents: DocumentLogits) -> Prediction:
        """Return tag numbers, (num_words,) int64, and each word's softmax of logits / temperature.

        The probabilities are the word's own: the chosen tag's may be below another's.
        """
        plain = super().__call__(documents)
        seen = documents.seen
        offsets = documents.word_offsets
        if offsets is None or not seen.any():
            return plain
        tagged = tag_set(self.label_names)
        inside = ~tagged.begins & (tagged.types >= 0)  # (num_labels,)
        same_type = tagged.types[:, None] == tagged.types[None, :]
        # What is seen closes up, with a new sequence behind every gap: an I- can't reach over it.
        first = np.zeros(len(seen) + 1, dtype=bool)
        first[offsets] = True
        first[1:] |= ~seen
        breaks = np.flatnonzero(first[:-1][seen])
        values = plain.values.copy()
        values[seen] = best_sequences(
            log_softmax(documents.logits[seen]),
            offsets=np.append(breaks, int(seen.sum())),
            may_follow=~inside[None, :] | (same_type & (tagged.types >= 0)[:, None]),
            may_begin=~inside,
        )
        values[~seen] = NOTHING
        return replace(plain, values=values)
