"""Runs the command in this process, from an empty folder, and takes away what Hydra leaves in the process."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
from typing import NamedTuple

import pytest

from headway.cli.main import main


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder; the cache and whatever else runs share lie beside it."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # a run that starts by mistake ends soon
    for name in ("HEADWAY_TRACEBACK", "HEADWAY_EXPERIMENTS", "HEADWAY_ALLOW_MODULES", "HYDRA_FULL_ERROR"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def headway(here, capsys, monkeypatch):
    """(*words) -> status, stdout and stderr of `headway words`."""
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    monkeypatch.setitem(os.environ, "HYDRA_FULL_ERROR", "1")  # main sets it: taken back afterwards
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def run(*words):
        capsys.readouterr()
        try:
            status = main([str(word) for word in words])
        except SystemExit as stop:
            status = stop.code
        done = capsys.readouterr()
        return Outcome(status, done.out, done.err)

    yield run
    for handler in [handler for handler in root.handlers if handler not in handlers]:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def _contents(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in folder.rglob("*")
    }


@pytest.fixture
def refused(headway, here):
    """(*words) -> the message of a command that ends as a user's mistake must, and changes nothing."""

    def refused(*words):
        before = _contents(here)
        outcome = headway(*words)
        assert outcome.status == 2, outcome
        assert outcome.err.startswith("error: "), outcome.err
        assert outcome.err.count("\n") == 1, outcome.err
        assert "Traceback" not in outcome.out
        assert _contents(here) == before
        return outcome.err

    return refused


@pytest.fixture
def predict(headway):
    """(*words) -> the status of `headway predict words --probabilities`, the answers, and the error."""

    def predict(*words):
        outcome = headway("predict", *words, "--probabilities")
        return outcome.status, [json.loads(line) for line in outcome.out.splitlines()], outcome.err

    return predict
