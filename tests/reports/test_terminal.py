"""The leaderboard on the terminal."""

import io

import pytest
from rich.console import Console

from headway.reports.board import Settings
from headway.reports.boards import boards
from headway.reports.run_folders import read_runs
from headway.reports.terminal import LONGEST, show_boards
from headway.reports.words import count, plural, seconds


def printed(folder, width=100):
    stream = io.StringIO()
    show_boards(boards(read_runs([folder]), Settings(resamples=200)), Console(file=stream, width=width))
    return stream.getvalue()


def test_escapes_and_markup_are_texts(hostile):
    text = printed(hostile, width=300)
    assert not set(text) & {"\x1b", "\x9b", "\x07", "\r"}
    assert "<script>window.pwned=1</script>" in text
    assert "unfinished: " in text
    assert "collapsed: " in text
    assert "11 runs of 6 configs: 10 finished, 1 unfinished; 2 of the finished collapsed" in text


def test_markup_of_rich_is_a_text(written_run, answers, tmp_path):
    right, given = answers(0, 10)
    written_run("a", right, given, cfg={"optimizer": {"lr": "[red]x[/red]"}})
    written_run("b", right, given)
    assert "lr=[red]x[/red]" in printed(tmp_path / "runs", width=200)


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(written_run, answers, tmp_path, width):
    for number in range(3):
        right, given = answers(number, 10)
        written_run(str(number), right, given, cfg={"optimizer": {"lr": number / 1000}})
    assert max(map(len, printed(tmp_path / "runs", width).splitlines())) <= width


def test_a_long_table_is_cut_and_says_so(written_run, tmp_path):
    for number in range(LONGEST + 2):
        written_run(str(number), ["no"], ["no"], cfg={"optimizer": {"lr": number / 1000}})
    assert f"{LONGEST} of {LONGEST + 2} configs; --csv and --html have all" in printed(tmp_path / "runs")


def test_numbers_in_words():
    assert [count(value) for value in (7, 3_080, 22_566_146, None)] == ["7", "3.08 k", "22.6 M", ""]
    assert [seconds(value) for value in (0.517, 1623.4, None)] == ["0.517", "1,623", ""]
    assert (plural(1, "run"), plural(2, "run")) == ("1 run", "2 runs")
