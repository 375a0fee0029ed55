"""The groups that cost least, against all ways of cutting."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.models.padding_groups import bucketed_length, padding_groups


def cost(lengths, groups, call_tokens):
    return sum((stop - start) * max(lengths[start:stop]) + call_tokens for start, stop in groups)


@given(lengths=st.lists(st.integers(1, 60), min_size=1, max_size=8), call_tokens=st.integers(0, 100))
def test_no_other_cut_costs_less(lengths, call_tokens):
    lengths = sorted(lengths)
    groups = padding_groups(lengths, call_tokens=call_tokens)
    assert [place for pair in groups for place in pair][::2] == [0, *(stop for _, stop in groups[:-1])]
    assert groups[-1][1] == len(lengths)
    ways = (
        [*pairwise((0, *cuts, len(lengths)))]
        for many in range(len(lengths))
        for cuts in combinations(range(1, len(lengths)), many)
    )
    assert cost(lengths, groups, call_tokens) == min(cost(lengths, way, call_tokens) for way in ways)


@pytest.mark.parametrize(
    ("call_tokens", "groups"), [(0, [(0, 2), (2, 3), (3, 4)]), (10, [(0, 3), (3, 4)]), (100, [(0, 4)])]
)
def test_dearer_calls_make_fewer_groups(call_tokens, groups):
    assert padding_groups([3, 3, 5, 20], call_tokens=call_tokens) == groups


def test_compiled_rows_come_in_few_lengths():
    found = [bucketed_length(longest, limit=512) for longest in range(1, 513)]
    assert sorted(set(found)) == [
        16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512
    ]  # fmt: skip
    assert all(longest <= length for longest, length in enumerate(found, 1))
    assert bucketed_length(130, limit=140) == 140
    assert bucketed_length(600, limit=512) == 600  # the model itself refuses it
