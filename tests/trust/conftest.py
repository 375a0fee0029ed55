"""Small trainings of four kinds, as the trust benchmark has them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments" / "benchmarks"))


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    """A folder with a random BERT, rows and a cache."""
    from trust_parts.works import make_bert, make_rows

    folder = tmp_path_factory.mktemp("work")
    make_bert(folder / "bert")
    make_rows(folder / "rows.jsonl")
    return folder


@pytest.fixture
def config(work):
    """Return a function: (kind, *overrides) -> the config of a training of 3 epochs of 5 steps."""
    from trust_parts.works import compose, words_of

    return lambda kind, *more: compose(*words_of(kind, work, *more))
