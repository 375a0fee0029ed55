"""The command itself: help at once, verbs, and how mistakes and bugs end."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from headway.cli.main import VERBS, usage
from headway.version import __version__

HEAVY = ("torch", "hydra", "omegaconf", "transformers", "datasets", "numpy", "pytorch_lightning")


def test_help_names_every_verb(headway):
    for words in (("--help",), ("-h",), ("help",)):
        outcome = headway(*words)
        assert (outcome.status, outcome.err) == (0, "")
        assert all(f"\n  {verb} " in outcome.out for verb in VERBS)
    assert "HEADWAY_TRACEBACK" in usage()


def test_no_verb_shows_help_and_is_a_mistake(headway):
    outcome = headway()
    assert outcome.status == 2
    assert outcome.out.startswith("headway: ")


def test_version(headway):
    assert headway("--version").out == f"headway {__version__}\n"


def test_an_unknown_verb(refused):
    message = refused("trian")
    assert (
        "the verb must be one of ['train', 'check', 'evaluate', 'export', 'predict', 'doctor'], got 'trian'"
        in message
    )
    assert "(did you mean 'train'?)" in message


@pytest.mark.slow
def test_help_takes_less_than_a_second_and_imports_nothing_heavy():
    code = (
        "import sys; from headway.cli.main import main; status = main(['--help']); "
        f"sys.exit(str([name for name in {HEAVY} if name in sys.modules] or '') or status)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (done.returncode, done.stderr) == (0, "")
    # The processor's time, not the clock's: other tests may run beside this one.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1


@pytest.mark.slow
def test_a_mistake_in_a_process_of_its_own(here):
    words = [sys.executable, "-m", "headway.cli.main", "train", "optimizer.lrr=1"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: `optimizer.lrr` is not a key of the config (did you mean 'lr'?)")
    assert done.stderr.count("\n") == 1
    assert list(here.iterdir()) == []


def test_the_variable_shows_the_traceback_of_a_mistake(headway, monkeypatch):
    monkeypatch.setenv("HEADWAY_TRACEBACK", "1")
    outcome = headway("train", "seed=abc")
    assert outcome.status == 2
    assert outcome.err.startswith("Traceback (most recent call last)")
    assert "ConfigCompositionException" in outcome.err
    assert outcome.err.rstrip().splitlines()[-1].startswith("error: `seed` must be a whole number")


def test_the_variable_shows_the_traceback_of_a_refused_run(headway, here, monkeypatch):
    monkeypatch.setenv("HEADWAY_TRACEBACK", "1")
    outcome = headway("train", "trainer.max_epochs=0")
    assert outcome.status == 2
    assert "in check_config" in outcome.err
    assert outcome.err.rstrip().splitlines()[-1].startswith("error: `trainer.max_epochs` must be")
    assert list(here.iterdir()) == []


def test_a_bug_keeps_its_traceback(headway, here, monkeypatch):
    # A user's own class with a slip in it stands for any bug.
    (here / "slips.py").write_text(
        "class Linear:\n    def __init__(self) -> None:\n        raise ZeroDivisionError('a slip')\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("HEADWAY_ALLOW_MODULES", "slips")
    words = (
        "data=files",
        "data.train=x.csv",
        "data.label=label",
        "~schedule",
        "+schedule._target_=slips.Linear",
    )
    with pytest.raises(ZeroDivisionError, match="a slip"):
        headway("train", *words)


def test_ctrl_c_ends_with_130(headway, here, monkeypatch):
    (here / "stops.py").write_text(
        "class Linear:\n    def __init__(self) -> None:\n        raise KeyboardInterrupt\n", encoding="utf-8"
    )
    monkeypatch.setenv("HEADWAY_ALLOW_MODULES", "stops")
    words = (
        "data=files",
        "data.train=x.csv",
        "data.label=label",
        "~schedule",
        "+schedule._target_=stops.Linear",
    )
    outcome = headway("train", *words)
    assert (outcome.status, outcome.err) == (130, "interrupted\n")
