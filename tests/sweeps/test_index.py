"""The index tells what was begun and done, also when it was cut off."""

from __future__ import annotations

import pytest

from headway.sweeps.index import FILE, Index, read_index
from headway.sweeps.jobs import Outcome, Trial
from headway.types import ConfigError


def _trial(folder, name="a", point=0):
    return Trial(name, point, None, {}, folder / f"{point}", (), {})


def test_what_is_written_is_read(tmp_path):
    index = Index(tmp_path)
    index.study("s", "val/f1", "max")
    index.begin(_trial(tmp_path))
    index.end(_trial(tmp_path), Outcome("finished", value=0.5, seconds=2.0))
    index.begin(_trial(tmp_path, "b", 1))
    index.close()
    known, studied = read_index(tmp_path)
    assert studied == {"s": ("val/f1", "max")}
    assert known["a"].done
    assert known["a"].outcome == Outcome("finished", value=0.5, seconds=2.0)
    assert known["b"].outcome is None
    assert not known["b"].done
    again = Index(tmp_path)
    assert (again.next_number(), again.number_of("b"), again.number_of("c")) == (2, 1, None)
    again.close()


def test_every_cut_leaves_what_was_whole(tmp_path):
    index = Index(tmp_path)
    index.begin(_trial(tmp_path))
    index.end(_trial(tmp_path), Outcome("finished", value=0.5, error="naïve"))
    index.close()
    whole = (tmp_path / FILE).read_bytes()
    first = whole.index(b"\n") + 1
    for size in range(first, len(whole)):
        (tmp_path / FILE).write_bytes(whole[:size])
        index = Index(tmp_path)  # ends the torn line
        done = size == len(whole) - 1  # only the end of the line is missing
        assert index.known["a"].done is done
        index.end(_trial(tmp_path), Outcome("pruned"))
        index.close()
        assert read_index(tmp_path)[0]["a"].outcome == Outcome("pruned")


def test_two_commands_at_once_are_refused(tmp_path):
    index = Index(tmp_path)
    with pytest.raises(ConfigError, match="`sweep.name` must be a sweep that no other command is running"):
        Index(tmp_path)
    index.close()
    Index(tmp_path).close()


def test_a_refused_sweep_leaves_nothing_unless_there_was_something(tmp_path):
    Index(tmp_path).discard()
    assert list(tmp_path.iterdir()) == []
    index = Index(tmp_path)
    index.begin(_trial(tmp_path))
    index.discard()
    assert (tmp_path / FILE).is_file()


def _left(folder, *ends):
    """Begin an attempt in a folder of its own for each end, and return what the next may go on from."""
    index = Index(folder)
    for number, (end, trained) in enumerate(ends):
        trial = Trial("a", 0, None, {}, folder / f"{number}", (), {})
        index.begin(trial)
        if trained:
            (trial.folder / "checkpoints").mkdir(parents=True)
        if end is not None:
            index.end(trial, Outcome(end))
    index.close()
    again = Index(folder)  # as the next command reads it
    left = again.left_by(_trial(folder)), {path.name for path in again.folders()}
    again.close()
    return left


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((), None),
        (((None, True),), "0"),
        (((None, True), ("killed", True)), "1"),
        (((None, True), (None, False)), "0"),  # killed before it took over
        (((None, True), ("interrupted", False), (None, False)), "0"),
        ((("failed", True),), None),
        ((("killed", True), ("failed", True), (None, False)), None),
        ((("failed", True), (None, True), (None, False)), "1"),
    ],
)
def test_the_last_attempt_that_trained_is_gone_on_from(tmp_path, ends, expected):
    found, names = _left(tmp_path, *ends)
    assert found == (None if expected is None else tmp_path / expected)
    assert names == {str(number) for number in range(len(ends))}
