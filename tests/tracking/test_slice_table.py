"""Slices as they are printed."""

from __future__ import annotations

import io

from rich.console import Console

from headway.evaluation.slices import Slice
from headway.tracking.slice_table import slice_table, slice_tables


def printed(table, *, width=80):
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    return console.file.getvalue()


def line_with(text, name):
    (line,) = (line for line in text.splitlines() if name in line)
    return line


LENGTHS = [
    Slice("length", "<=64 tokens", {"documents": 12}, {"accuracy": 0.75, "f1_macro": 0.5, "mcc": 0.25}),
    Slice("length", ">1024 tokens", {"documents": 3}, {"accuracy": 0.125, "f1_macro": 0.0625}),
]
ENTITIES = [Slice("entity", "seen surface form", {"gold": 7, "predicted": 9}, {"entity_f1": 0.5})]


def test_the_monitored_metric_stands_first():
    text = printed(slice_table(LENGTHS, split="test", monitor="f1_macro"))
    assert "test by length" in text
    line = line_with(text, "<=64 tokens")
    assert line.index("12") < line.index("0.5000") < line.index("0.7500") < line.index("0.2500")


def test_what_is_not_defined_is_empty():
    table = slice_table(LENGTHS, split="test", monitor="f1_macro")
    assert list(table.columns[-1].cells) == ["0.2500", ""]


def test_three_metrics_at_most_and_none_of_single_labels():
    values = {"f1/a": 0.1, "a": 0.2, "b": 0.3, "c": 0.4, "d": 0.5}
    slices = [Slice("length", "<=64 tokens", {"documents": 1}, values)]

    def metrics(monitor):
        table = slice_table(slices, split="test", monitor=monitor)
        return [str(column.header) for column in table.columns[2:]]

    assert metrics("c") == ["c", "a", "b"]
    assert metrics("loss") == ["a", "b", "c"]
    assert metrics("f1/a") == ["f1/a", "a", "b"]


def test_a_table_a_dimension():
    first, second = slice_tables([*LENGTHS, *ENTITIES], split="validation", monitor="entity_f1")
    assert str(first.title) == "validation by length"
    assert str(second.title) == "validation by surface form of entities"
    assert [str(column.header) for column in second.columns] == ["slice", "gold", "predicted", "entity_\nf1"]
    line = line_with(printed(second), "seen surface form")
    assert line.index("7") < line.index("9") < line.index("0.5000")
    assert slice_tables([], split="test", monitor="entity_f1") == []


def test_what_looks_like_markup_stays():
    slices = [Slice("length", "[red]", {"[b]": 1}, {"[/x]": 0.5})]
    text = printed(slice_table(slices, split="[bold]", monitor="[/x]"))
    assert "[bold] by length" in text
    assert all(name in text for name in ("[red]", "[b]", "[/x]"))


ENTITY_LENGTHS = [
    Slice(
        "length",
        "513-1024 tokens",
        {"documents": 12345, "words": 1234567},
        {"entity_f1_strict": 0.1234, "entity_precision_strict": -0.5678, "entity_recall_strict": 0.9012},
    )
]


def test_values_are_whole_in_a_narrow_terminal():
    text = printed(slice_table(ENTITY_LENGTHS, split="test", monitor="entity_f1_strict"), width=60)
    assert all(value in text for value in ("0.1234", "-0.5678", "0.9012", "12345", "1234567"))


def test_long_names_go_on_in_the_next_line_between_their_words():
    text = printed(slice_table(ENTITY_LENGTHS, split="test", monitor="entity_f1_strict"))
    assert all(word in text for word in ("entity_", "precision_", "recall_", "f1_strict", "513-1024 tokens"))
