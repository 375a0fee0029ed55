"""A few cases of each row of `make trust`; the suite itself tries all."""

from __future__ import annotations

import importlib
import re

import pytest
from trust_parts.rows import Row, check, count

from trust import ROWS, as_markdown

pytestmark = pytest.mark.slow
SHARES = {
    "save": 0.15, "corruption": 0.05, "steps": 0.02, "cache": 0.04, "targets": 0.06, "overrides": 0.03,
    "tables": 0.2, "faults": 0.15, "metrics": 0.1, "rerun": 0.05, "soak": 0.02,
}  # fmt: skip
OWN = ("resume", "signals", "fuzz")  # their own tests are beside this one


@pytest.mark.parametrize("name", [name for name in ROWS if name not in OWN])
def test_cases_of_a_row_hold(work, tmp_path, name):
    for part in ("bert", "rows.jsonl"):
        (tmp_path / part).symlink_to(work / part)
    result = count(importlib.import_module(f"trust_parts.{name}").ROW.cases(tmp_path, SHARES.get(name, 1.0)))
    assert result.failures == {}
    assert result.held == result.tried > 0


def test_a_case_that_does_not_hold_is_counted_and_named():
    cases = [("good", lambda: None), ("bad", lambda: check(False, "it broke")), ("slip", lambda: 1 / 0)]
    result = count(iter(cases))
    assert (result.tried, result.held) == (3, 1)
    assert result.failures == {"bad": "NotHeldError: it broke", "slip": "ZeroDivisionError: division by zero"}


def test_the_table_has_a_line_a_row_and_names_what_did_not_hold():
    part = {"tried": 3, "held": 2, "seconds": 61.4, "failures": {"kill 1": "it broke"}}
    text = as_markdown({"save": {"goal": "Saves: safe", "headway": {**part, "held": 3}, "Lightning": part}})
    assert "| Saves: safe | 3 of 3 | 61 | 2 of 3 | n/a |" in text
    assert re.search(r"hold: Lightning.*\n\n- Saves: kill 1: it broke", text)


def test_every_row_is_a_module_with_a_goal_of_its_own():
    rows = [importlib.import_module(f"trust_parts.{name}").ROW for name in ROWS]
    assert all(isinstance(row, Row) for row in rows)
    assert [row.name for row in rows] == list(ROWS)
    assert len({row.goal for row in rows}) == len(ROWS)
