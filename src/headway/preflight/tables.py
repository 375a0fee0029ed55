"""The data's side of a preflight as tables: labels, rows, tokens and lengths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from headway.preflight.words import percent, share
from headway.tracking.printable import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from headway.preflight.labels import LabelFacts, SplitLabels
    from headway.preflight.lengths import LengthFacts
    from headway.preflight.rows import RowFacts
    from headway.preflight.tokenizer_trip import RoundTrip

ALL_SHOWN = 20
"""Labels up to which all are shown."""

ENDS = 5
"""Of more labels, how many of the most and of the least frequent are shown."""

Row = tuple[str, Callable[[Any], str]]
"""What a row is called, and what stands in it for a split."""


def by_split(splits: Mapping[str, Any], rows: Sequence[Row], *, title: str = "") -> Table:
    """Return a table with a column a split.

    Args:
        splits: Split -> what is known of it.
        rows: Those that are empty for all splits are left out.
        title: What the first column is called.
    """
    table = Table(show_edge=False, pad_edge=False)
    table.add_column(title, overflow="fold")
    for split in splits:
        table.add_column(split, justify="right", overflow="fold")
    for name, cell in rows:
        cells = [cell(each) for each in splits.values()]
        if any(cells):
            table.add_row(Text(printable(name)), *(Text(printable(each)) for each in cells))
    return table


def label_table(facts: LabelFacts) -> Iterator[RenderableType]:
    """Yield the schema and the balance.

    Args:
        facts: Of all splits.
    """
    train = facts.splits["train"]
    if train.scores is not None:
        yield Text(f"a number a document (data.{facts.role})")
        spreads = {split: vars(each.scores) for split, each in facts.splits.items()}
        yield by_split(spreads, [(name, _spread(name)) for name in ("mean", "sd", "min", "median", "max")])
        return
    kind = {"label": "one class a document", "labels": "any labels a document", "tags": "a tag a word"}
    scheme = f", spans in {facts.scheme}" if facts.scheme else ""
    yield Text(f"{kind[facts.role]} (data.{facts.role}{scheme}), {facts.num_labels} labels")
    order = sorted(range(len(facts.names)), key=lambda number: -train.counts[number])
    left_out = len(order) - 2 * ENDS if len(order) > ALL_SHOWN else 0
    shown = order[:ENDS] + order[-ENDS:] if left_out else order
    rows: list[Row] = [(facts.names[number], _of_label(number)) for number in shown]
    if left_out:
        rows.insert(ENDS, (f"… {left_out} more (--json has all)", lambda _: "…"))
    if facts.role != "label":
        rows.append(("documents with none", lambda each: str(each.without)))
    rows.append(("labels of train that are absent", lambda each: str(len(each.absent) or "")))
    yield by_split(facts.splits, rows, title=f"{facts.unit}")


def _spread(name: str) -> Callable[[Mapping[str, float]], str]:
    return lambda each: f"{each[name]:.4g}"


def _of_label(number: int) -> Callable[[SplitLabels], str]:
    return lambda each: share(each.counts[number], each.total)


def row_table(facts: RowFacts) -> Iterator[RenderableType]:
    """Yield what repeats, what is odd, and what reading said.

    Args:
        facts: Of all splits.
    """
    # Row -> number, for each split.
    counts: dict[str, dict[str, int]] = {}
    for split, each in facts.splits.items():
        counts[split] = {
            "documents": each.documents,
            "repeat an earlier one": each.repeats,
            "… with another answer": each.contradictions,
            **{f"also in {other}": each.also_in.get(other, 0) for other in facts.splits},
        }
    for odd in facts.odd:
        counts[odd.split][f"{odd.kind.replace('_', ' ')} in {odd.column}"] = odd.count
    names = dict.fromkeys(name for each in counts.values() for name in each)
    yield by_split(counts, [(name, _counted(name)) for name in names])
    # Two splits of one file say the same.
    for note, times in Counter(facts.notes).items():
        yield Text(f"{note} ({times} times)" if times > 1 else note)


def _counted(name: str) -> Callable[[Mapping[str, int]], str]:
    return lambda each: _count(each.get(name, 0))


def _count(number: int) -> str:
    return str(number) if number else ""


def tokenizer_table(trips: Mapping[str, RoundTrip]) -> Iterator[RenderableType]:
    """Yield what the tokenizer makes of samples.

    Args:
        trips: Split -> what became of its sample.
    """
    yield by_split(
        trips,
        [
            ("documents looked at", lambda each: str(each.documents)),
            ("pieces a word", lambda each: f"{each.pieces / max(1, each.words):.2f}"),
            ("unknown pieces", lambda each: share(each.unknown, each.pieces)),
            ("read back, but for blanks", lambda each: percent(each.read_back, each.documents)),
            ("words without a piece", lambda each: _count(each.wordless)),
        ],
    )
    unknown = dict.fromkeys(word for trip in trips.values() for word in trip.unknown_words)
    if unknown:
        yield Text("unknown: " + ", ".join(repr(word[:20]) for word in list(unknown)[:10]))


def length_table(facts: LengthFacts) -> Iterator[RenderableType]:
    """Yield how documents become windows, and what doesn't fit.

    Args:
        facts: Of all splits.
    """
    line = f"windows of at most {facts.max_length} tokens, {facts.room} of them text"
    if facts.step is None:
        line += f"; longer documents are truncated ({facts.truncation})"
    else:
        line += f"; a new one begins every {facts.step} tokens ({facts.overlap} shared)"
    yield Text(line)
    rows: list[Row] = [
        ("tokens a document, median", lambda each: _value(each, "median")),
        ("max_length that holds 95% whole", lambda each: _value(each, "max_length_95")),
        ("longest", lambda each: _value(each, "longest")),
        ("documents truncated", lambda each: share(each["truncated_documents"], each["documents"])),
        ("tokens lost", lambda each: share(each["tokens_lost"], each["tokens"])),
    ]
    kinds = dict.fromkeys(count["kind"] for each in facts.splits.values() for count in each.get("gold", ()))
    rows += [(f"gold {kind} seen", _seen(kind)) for kind in kinds]
    rows += [
        ("windows a document, mean", lambda each: f"{each['mean_windows']:.2f}"),
        ("windows a document, most", lambda each: _value(each, "most_windows")),
    ]
    yield by_split(facts.splits, rows)


def _value(facts: Mapping[str, Any], name: str) -> str:
    return str(facts.get(name, ""))


def _seen(kind: str) -> Callable[[Mapping[str, Any]], str]:
    def cell(facts: Mapping[str, Any]) -> str:
        """Return the share of this kind of gold that was seen."""
        counts = [count for count in facts.get("gold", ()) if count["kind"] == kind]
        return percent(counts[0]["seen"], counts[0]["total"]) if counts else ""

    return cell
