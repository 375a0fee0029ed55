"""Numbers as people read them."""

from __future__ import annotations

import pytest

from headway.preflight.words import count, duration, millions, percent, share, size


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 s"),
        (0.214, "0.21 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (185, "3 min 5 s"),
        (7800, "2 h 10 min"),
    ],
)
def test_duration(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"), [(12, "12 bytes"), (1500, "1.5 kB"), (86_600_000, "86.6 MB"), (3e9, "3.0 GB")]
)
def test_size(count, words):
    assert size(count) == words


def test_counts():
    assert (count(1, "error"), count(0, "error"), count(2, "error")) == ("1 error", "0 errors", "2 errors")
    assert (millions(22_600_000), millions(3080)) == ("22.6 M", "3080")
    assert (share(1, 3), share(0, 0), percent(1, 8)) == ("1 (33.3%)", "0 (0.0%)", "12.5%")
    assert (percent(1, 100_000), percent(1, 1000)) == ("<0.1%", "0.1%")
