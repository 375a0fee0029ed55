"""How long a split's documents are, how they are cut, and what did not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headway.data.ledger import GoldCount, count_gold
from headway.data.windows import WINDOWS
from headway.types import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headway.data.encoding import EncodingSpec
    from headway.data.store import Encoded
    from headway.data.template import Template
    from headway.types import Gold

_COVERED_RATIO = 0.95


@dataclass(frozen=True)
class LengthReport:
    """What cutting did to one split; lengths are in tokens with special tokens, before cutting.

    Attributes:
        split: The split's name.
        documents: Documents of the split.
        windows: Windows of all documents.
        most_windows: Windows of the document that has most.
        tokens: Tokens of all documents before cutting.
        median: The length that half of the documents don't exceed.
        max_length_95: The max_length that holds 95 % of the documents whole, and no shorter one does.
        longest: The greatest length.
        truncated_documents: Documents of which something was cut off.
        tokens_lost: Tokens that no window holds.
        cut_documents: Documents of more than one window.
        gold: What becomes of the right answers; empty where they aren't known.
    """

    split: str
    documents: int
    windows: int
    most_windows: int
    tokens: int
    median: int
    max_length_95: int
    longest: int
    truncated_documents: int
    tokens_lost: int
    cut_documents: int
    gold: tuple[GoldCount, ...] = ()

    def lines(self) -> list[str]:
        """Return the report as lines of text, a fact each."""
        lines = [
            f"{self.split}: {self.documents} documents, {self.windows} windows, {self.tokens} tokens; "
            f"{self.cut_documents} documents of several windows, at most {self.most_windows}",
            f"{self.split}: tokens a document: median {self.median}, longest {self.longest}; "
            f"max_length={self.max_length_95} holds 95 % of the documents whole",
            f"{self.split}: {_share(self.truncated_documents, self.documents)} documents truncated, "
            f"{_share(self.tokens_lost, self.tokens)} tokens lost",
        ]
        lines += [f"{self.split}: {count.line()}" for count in self.gold]
        return lines


def length_report(
    split: str, encoded: Encoded, *, gold: Gold | None = None, label_names: Sequence[str] | None = None
) -> LengthReport:
    """Count what a split's documents are long and what of them no window holds.

    Args:
        split: The split's name.
        encoded: Its windows; one document at least.
        gold: The split's answers, where there are any.
        label_names: (num_labels,) the labels by number, for gold.

    Returns:
        The counts.
    """
    # The smallest length that at least this share of documents doesn't exceed: no value in between.
    median, covered = np.quantile(encoded.lengths, [0.5, _COVERED_RATIO], method="inverted_cdf")
    return LengthReport(
        split=split,
        documents=encoded.num_documents,
        windows=encoded.num_windows,
        most_windows=int(encoded.windows_per_document.max()),
        tokens=int(encoded.lengths.sum()),
        median=int(median),
        max_length_95=int(covered),
        longest=int(encoded.lengths.max()),
        truncated_documents=int(encoded.truncated.sum()),
        tokens_lost=int(encoded.lost.sum()),
        cut_documents=int((encoded.windows_per_document > 1).sum()),
        gold=() if gold is None else count_gold(gold, encoded, label_names=label_names or ()),
    )


def cut_line(spec: EncodingSpec, template: Template, *, pair: bool) -> str:
    """Return how documents are cut, as a line of text.

    Args:
        spec: How documents become windows.
        template: Says how many special tokens a window has.
        pair: Whether documents are pairs of texts.
    """
    room = spec.max_length - template.num_special(pair)
    line = f"windows: at most {spec.max_length} tokens, {room} of them text"
    if spec.truncation != WINDOWS:
        return f"{line}; longer documents are truncated ({spec.truncation})"
    if pair:
        return (
            f"{line}; the shorter text stands in each, and of the longer a new window begins every "
            f"{room - spec.overlap} tokens less those of the shorter ({spec.overlap} shared)"
        )
    return f"{line}; a new one begins every {room - spec.overlap} tokens ({spec.overlap} shared)"


def refuse_truncation(report: LengthReport, spec: EncodingSpec) -> None:
    """Raise if anything was cut off (data.on_truncate=error).

    Args:
        report: Of one split.
        spec: How its documents were cut.

    Raises:
        ConfigError: Something was.
    """
    if not report.truncated_documents:
        return
    # Windows lose pieces only of words that have more of them than a window holds.
    other = "" if spec.truncation == WINDOWS else ", set data.truncation=windows"
    raise ConfigError(
        f"`data.max_length` must hold every document with on_truncate=error, got {spec.max_length}: "
        f"{report.truncated_documents} documents of {report.split} were cut; raise it to {report.longest}"
        f"{other}, or set data.on_truncate=warn"
    )


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole if whole else 0:.1%})"
