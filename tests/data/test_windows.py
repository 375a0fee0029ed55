"""Arithmetic of cutting: examples by hand and properties."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data.windows import STRATEGIES, slide, slide_words


def spans(windows):
    return [(window.start, window.stop) for window in windows]


@pytest.mark.parametrize(
    ("length", "room", "overlap", "expected"),
    [
        (0, 4, 0, [(0, 0)]),
        (4, 4, 3, [(0, 4)]),
        (5, 4, 0, [(0, 4), (4, 5)]),
        (5, 4, 3, [(0, 4), (1, 5)]),
        (10, 4, 1, [(0, 4), (3, 7), (6, 10)]),
        (11, 4, 1, [(0, 4), (3, 7), (6, 10), (9, 11)]),
    ],
)
def test_slide_by_hand(length, room, overlap, expected):
    assert spans(slide(length, room=room, overlap=overlap)) == expected


@given(length=st.integers(0, 300), room=st.integers(1, 40), data=st.data())
def test_slide_covers_everything_in_full_windows(length, room, data):
    overlap = data.draw(st.integers(0, room - 1))
    windows = slide(length, room=room, overlap=overlap)
    assert windows[0].start == 0
    assert windows[-1].stop == length
    assert all(window.stop - window.start == room for window in windows[:-1])
    assert all(a.stop - b.start == overlap for a, b in pairwise(windows))
    # No window more than needed: without the last one, something is left.
    assert len(windows) == 1 or windows[-2].stop < length


@pytest.mark.parametrize(
    ("word_lengths", "room", "overlap", "expected"),
    [
        ([], 4, 1, [(0, 0)]),
        ([2, 2], 4, 0, [(0, 4)]),
        ([2, 2, 2], 5, 0, [(0, 4), (4, 6)]),
        ([2, 2, 2], 5, 2, [(0, 4), (2, 6)]),
        ([2, 2, 2], 5, 1, [(0, 4), (4, 6)]),  # one shared token would split the second word
        ([5, 5, 8], 10, 9, [(0, 10), (10, 18)]),  # sharing the second word would leave no room for the third
        ([1, 9, 1], 4, 2, [(0, 1), (1, 5), (10, 11)]),  # a word longer than a window keeps its first pieces
        ([9], 4, 0, [(0, 4)]),
    ],
)
def test_slide_words_by_hand(word_lengths, room, overlap, expected):
    words = [word for word, count in enumerate(word_lengths) for _ in range(count)]
    assert spans(slide_words(words, room=room, overlap=overlap)) == expected


@given(word_lengths=st.lists(st.integers(1, 6), max_size=60), room=st.integers(1, 12), data=st.data())
def test_slide_words_holds_every_word_whole_or_its_first_pieces(word_lengths, room, data):
    overlap = data.draw(st.integers(0, room - 1))
    words = [word for word, count in enumerate(word_lengths) for _ in range(count)]
    windows = slide_words(words, room=room, overlap=overlap)
    covered = set()
    for window in windows:
        assert 0 <= window.stop - window.start <= room
        held = words[window]
        for word in set(held):
            start = words.index(word)
            whole = held.count(word) == word_lengths[word]
            # Only a word that no window can hold is cut, and it stands alone with its first pieces.
            assert whole or (word_lengths[word] > room and set(held) == {word} and window.start == start)
            covered.add(word)
    assert covered == set(range(len(word_lengths)))
    for before, after in pairwise(windows):
        assert before.start < after.start
        assert before.stop < after.stop
        assert before.stop - after.start <= overlap


@given(words=st.integers(1, 200), room=st.integers(1, 30), data=st.data())
def test_words_of_one_piece_are_cut_like_text(words, room, data):
    overlap = data.draw(st.integers(0, room - 1))
    by_word = slide_words(range(words), room=room, overlap=overlap)
    assert spans(by_word) == spans(slide(words, room=room, overlap=overlap))


@given(first=st.integers(0, 80), second=st.integers(0, 80), room=st.integers(2, 60))
def test_longest_first_takes_from_the_longer_until_they_are_equal(first, second, room):
    kept = [first, second]
    while (
        sum(kept) > room
    ):  # a token at a time; of equal ones the first gives way, so the odd one is the second's
        kept[0 if kept[0] >= kept[1] else 1] -= 1
    if first + second > room:
        ours = STRATEGIES["longest_first"](first, second, room)
        # Where both are cut, the library gives the odd token to the longer text.
        assert sorted(ours) == sorted(kept)
        assert first == second or (ours[0] >= ours[1]) == (first > second or ours[0] == ours[1])
