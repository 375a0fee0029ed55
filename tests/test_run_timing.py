"""A run's record says what the run cost."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.slow


def test_the_record_says_where_the_time_went(finished_run):
    record = json.loads((finished_run("class").folder / "record.json").read_text())
    timing, seconds = record["timing"], record["timing"]["seconds"]
    assert timing["tokens"] > 0
    assert timing["real_ratio"] == pytest.approx(timing["tokens"] / timing["computed_tokens"], abs=1e-4)
    assert timing["tokens_per_second"] > 0
    assert list(seconds) == [
        "import", "data", "encoder", "head", "optimizer", "evaluation", "other", "total"
    ]  # fmt: skip
    assert seconds["import"] is None  # a test started the run, not the command
    assert all(seconds[part] > 0 for part in list(seconds)[1:])
    assert sum(value for value in seconds.values() if value) == pytest.approx(2 * seconds["total"], abs=0.01)
