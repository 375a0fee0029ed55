"""A batch cut into parts holds the same windows, each with all that belongs to it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headway.models.batch_parts import halves, num_tokens, parts, windows

LENGTHS = st.lists(st.integers(1, 12), min_size=1, max_size=12).map(sorted)


def _full(make_batch, lengths, *, token_level):
    """A batch with every field, whose rows are numbered."""
    count, total = len(lengths), sum(lengths)
    rows = total if token_level else count
    return make_batch(
        lengths,
        words=torch.arange(total) if token_level else None,
        labels=torch.arange(rows),
        weights=torch.arange(rows).float(),
        teacher_logits=torch.arange(rows).float()[:, None],
        features=torch.arange(total).float()[:, None],
    )


@pytest.mark.parametrize("token_level", [False, True])
@given(lengths=LENGTHS, most=st.integers(1, 40))
def test_parts_hold_every_window_once_and_in_order(make_batch, token_level, lengths, most):
    batch = _full(make_batch, lengths, token_level=token_level)
    cut = parts(batch, most)
    assert [length for part in cut for length in part.lengths] == lengths
    for name in ("input_ids", "token_type_ids", "documents", "windows", "words", "labels", "weights",
                 "features", "teacher_logits"):  # fmt: skip
        values = [getattr(part, name) for part in cut]
        if getattr(batch, name) is None:
            assert values == [None] * len(cut)
        else:
            torch.testing.assert_close(torch.cat(values), getattr(batch, name), rtol=0, atol=0)
    for part in cut:
        assert part.cu_seq_lens.tolist() == [sum(part.lengths[:n]) for n in range(len(part.lengths) + 1)]
        assert len(part.input_ids) == num_tokens(part)
        assert part.normalizer == batch.normalizer
        assert num_tokens(part) <= most or len(part.lengths) == 1


def test_a_batch_that_fits_or_has_one_window_stays_whole(make_batch):
    batch = make_batch([3, 5])
    assert parts(batch, None) == [batch]
    assert parts(batch, 8) == [batch]
    single = make_batch([9])
    assert parts(single, 2) == [single]


@pytest.mark.parametrize(
    ("lengths", "first"), [([1, 1], (1,)), ([2, 2, 2, 2], (2, 2)), ([1, 1, 9], (1, 1)), ([4, 4, 4], (4,))]
)
def test_halves_share_the_tokens_as_evenly_as_windows_let_them(make_batch, lengths, first):
    one, two = halves(make_batch(lengths))
    assert one.lengths == first
    assert (*one.lengths, *two.lengths) == tuple(lengths)


def test_kept_vectors_of_windows_are_cut_by_window(make_batch):
    batch = make_batch([3, 5], features=torch.tensor([[1.0], [2.0]]))
    assert windows(batch, 1, 2).features.tolist() == [[2.0]]
