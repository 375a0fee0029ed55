from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headway.models.length_groups import group_lengths, join_groups, split_groups, token_positions


def test_groups_are_runs():
    assert group_lengths((2, 3, 3, 7)) == ((2, 1), (3, 2), (7, 1))
    assert group_lengths((3, 2, 3)) == ((3, 1), (2, 1), (3, 1))


def test_blocks_are_views_that_hold_the_windows():
    rows = torch.arange(16).view(8, 2)
    blocks = split_groups(rows, ((2, 1), (3, 2)))
    assert [tuple(block.shape) for block in blocks] == [(1, 2, 2), (2, 3, 2)]
    assert blocks[1][1].tolist() == rows[5:8].tolist()
    assert all(block.untyped_storage().data_ptr() == rows.untyped_storage().data_ptr() for block in blocks)
    assert join_groups([block.flatten(0, 1) for block in blocks]).tolist() == rows.tolist()


def test_groups_that_do_not_cover_the_rows_are_refused():
    with pytest.raises(RuntimeError):
        split_groups(torch.zeros(8, 2), ((2, 1), (3, 1)))
    with pytest.raises(RuntimeError):
        split_groups(torch.zeros(8, 2), ((3, 2),))


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_positions_restart_with_each_window(lengths):
    cu_seq_lens = torch.tensor([0, *lengths]).cumsum(0)
    expected = [position for length in lengths for position in range(length)]
    assert token_positions(cu_seq_lens, sum(lengths)).tolist() == expected
