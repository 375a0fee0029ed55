"""Annotations of constructors against plain values of yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Optional

import pytest

from headway.config.value_types import NODE, annotations_of, describe, fits
from headway.data.sources.package import Package
from headway.data.text_data import TextData

if TYPE_CHECKING:
    from nowhere import Unknown


@dataclass
class Part:
    whole: int
    share: float
    name: str | None
    old: Optional[int]  # noqa: UP045
    names: Sequence[str]
    changes: Mapping[str, Mapping[str, str | None]]
    kind: Literal["a", "b"]
    folder: Path
    flag: bool
    node: Unknown
    unsure: Unknown | None
    anything: Any = None


KNOWN = annotations_of(Part)


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("whole", [0, -3], [1.0, "1", True, None, [1]]),
        ("share", [0.5, 1, float("nan")], ["0.5", True, None]),
        ("name", ["x", "", None], [1, False, ["x"]]),
        ("old", [1, None], ["1", 1.5]),
        ("names", [[], ["a"], [0, 1], ("a",)], ["a", None, {"a": 1}, [["a"]], [None]]),
        ("changes", [{}, {"a": {}}, {"a": {"x": None, "y": 1}}, {0: {}}], ["a", [], {"a": "b"}, None]),
        ("kind", ["a", "b"], ["c", None, 1]),
        ("folder", ["x", "/x"], [1, None]),
        ("flag", [True, False], [0, 1, "true", None]),
        ("node", [{"_target_": "x"}], ["x", 1, None]),
    ],
)
def test_values(name, right, wrong):
    assert all(fits(value, KNOWN[name]) for value in right)
    assert not any(fits(value, KNOWN[name]) for value in wrong)


def test_what_cannot_be_told_is_left_alone():
    assert "unsure" not in KNOWN
    assert fits(object(), KNOWN["anything"])


def test_descriptions():
    words = {name: describe(annotation) for name, annotation in KNOWN.items() if name != "anything"}
    assert words == {
        "whole": "a whole number",
        "share": "a number",
        "name": "text or null",
        "old": "a whole number or null",
        "names": "a list",
        "changes": "a mapping",
        "kind": "a or b",
        "folder": "a path",
        "flag": "true or false",
        "node": "a mapping with a `_target_`",
    }


def test_ours_are_read_through_inheritance_and_type_checking_imports():
    assert describe(annotations_of(Package)["skip_rows"]) == "a whole number"  # of its base's module
    assert annotations_of(TextData)["source"] is NODE
    assert describe(annotations_of(TextData)["labels"]) == "text, a whole number, a list or null"
