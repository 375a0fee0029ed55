"""What leaves the model: rows with the numbers of their windows, documents and words, without padding."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headway.models.rows import concatenate, window_logits


def _logits(rows, columns=3):
    return torch.arange(rows * columns, dtype=torch.float32).view(rows, columns)


def test_a_row_a_window(make_batch):
    batch = make_batch([3, 5], documents=torch.tensor([4, 2]), windows=torch.tensor([9, 7]))
    rows = window_logits(_logits(2), batch, token_level=False)
    assert rows.logits.tolist() == _logits(2).tolist()
    assert rows.documents.tolist() == [4, 2]
    assert rows.windows.tolist() == [9, 7]
    assert rows.words is None
    assert rows.edge_distances is None


def test_a_row_a_word_with_its_distance_to_the_nearer_edge(make_batch):
    words = torch.tensor([-1, 0, -1, 1, -1, -1, 5, 6, 7, -1])
    batch = make_batch([5, 5], words=words, documents=torch.tensor([1, 0]), windows=torch.tensor([3, 8]))
    rows = window_logits(_logits(10), batch, token_level=True)
    assert rows.logits.tolist() == _logits(10)[[1, 3, 6, 7, 8]].tolist()
    assert rows.words.tolist() == [0, 1, 5, 6, 7]
    assert rows.documents.tolist() == [1, 1, 0, 0, 0]
    assert rows.windows.tolist() == [3, 3, 8, 8, 8]
    assert rows.edge_distances.tolist() == [1, 1, 1, 2, 1]


@pytest.mark.parametrize("token_level", [False, True])
def test_padding_gives_no_row(make_batch, token_level):
    words = torch.tensor([-1, 0, 1, -1, 0, -1])
    lengths = torch.tensor([4, 2])

    def weights(*each):  # of tokens, where they are labelled
        values = torch.tensor(each)
        return values.repeat_interleave(lengths) if token_level else values

    batch = make_batch([4, 2], words=words, weights=weights(1.0, 0.0))
    rows = window_logits(_logits(6 if token_level else 2), batch, token_level=token_level)
    assert set(rows.windows.tolist()) == {0}
    batch = make_batch([4, 2], words=words, weights=weights(0.0, 0.0))
    rows = window_logits(_logits(6 if token_level else 2), batch, token_level=token_level)
    assert rows.logits.shape == (0, 3)


def test_rows_are_float32_and_need_no_gradient(make_batch):
    logits = _logits(2).bfloat16().requires_grad_()
    assert window_logits(logits, make_batch([3, 5]), token_level=False).logits.dtype == np.float32


def test_words_are_needed_where_tokens_are_labelled(make_batch):
    with pytest.raises(ValueError, match=r"batch\.words"):
        window_logits(_logits(8), make_batch([3, 5]), token_level=True)


def test_batches_are_joined_in_order(make_batch):
    words = torch.tensor([-1, 0, 1])
    parts = [
        window_logits(
            _logits(3) + shift, make_batch([3], words=words, windows=torch.tensor([shift])), token_level=True
        )
        for shift in (0, 100)
    ]
    joined = concatenate(parts)
    assert joined.windows.tolist() == [0, 0, 100, 100]
    assert joined.logits[:, 0].tolist() == [3, 6, 103, 106]
    assert joined.words.tolist() == [0, 1, 0, 1]
    assert concatenate([window_logits(_logits(1), make_batch([3]), token_level=False)]).words is None
