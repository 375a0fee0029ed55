"""How long documents are and what of them the model sees, for every split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from headway.data.checks import Finding
from headway.data.windows import WINDOWS

if TYPE_CHECKING:
    from headway.data.encoding import EncodingSpec
    from headway.data.lengths import LengthReport

TRUNCATED_RATIO = 0.05
"""Share of truncated documents above which data.max_length is doubted."""


@dataclass(frozen=True)
class LengthFacts:
    """How documents become windows.

    Attributes:
        max_length: Tokens of a window at most, special ones included.
        room: Of them, tokens of text.
        truncation: What happens to longer documents.
        overlap: Tokens that neighbouring windows share.
        step: Tokens from the start of a window to that of the next; None where documents aren't cut into
            windows.
        model_limit: The longest window that the model takes, in tokens.
        splits: Split -> the fields of its LengthReport, and `mean_windows` a document.
    """

    max_length: int
    room: int
    truncation: str
    overlap: int
    step: int | None
    model_limit: int
    splits: dict[str, dict[str, Any]]


def length_facts(
    reports: Mapping[str, LengthReport], spec: EncodingSpec, *, num_special: int, model_limit: int
) -> LengthFacts:
    """Return what is known of lengths.

    Args:
        reports: Split -> report.
        spec: How documents were cut.
        num_special: Special tokens of a window.
        model_limit: The longest window that the model takes, in tokens.
    """
    room = spec.max_length - num_special
    return LengthFacts(
        max_length=spec.max_length,
        room=room,
        truncation=spec.truncation,
        overlap=spec.overlap,
        step=room - spec.overlap if spec.truncation == WINDOWS else None,
        model_limit=model_limit,
        splits={
            split: asdict(report) | {"mean_windows": report.windows / report.documents}
            for split, report in reports.items()
        },
    )


def length_findings(facts: LengthFacts) -> Iterator[Finding]:
    """Find that too many documents are truncated.

    Args:
        facts: Of all splits.
    """
    cut = {
        split: each["truncated_documents"] / each["documents"]
        for split, each in facts.splits.items()
        if each["truncated_documents"] > TRUNCATED_RATIO * each["documents"]
    }
    if not cut:
        return
    shares = ", ".join(f"{share:.1%} of {split}" for split, share in cut.items())
    needed = max(facts.splits[split]["max_length_95"] for split in cut)
    longer = f"raise it to {needed}, or " if facts.max_length < needed <= facts.model_limit else ""
    yield Finding(
        "warning",
        f"`data.max_length` should hold {1 - TRUNCATED_RATIO:.0%} of the documents whole, got "
        f"{facts.max_length}, which truncates {shares}; {longer}set data.truncation={WINDOWS}",
    )
