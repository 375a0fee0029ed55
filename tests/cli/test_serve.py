"""What `headway serve` refuses, with one message and status 2."""

from __future__ import annotations

import socket
import sys

import pytest


def test_a_missing_library_is_named(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    message = refused("serve", "nowhere")
    assert "headway serve must run where uvicorn is installed" in message
    assert "pip install 'headway[serve]'" in message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nowhere",), "RUN must be a run's folder"),
        (("nowhere", "--workers", 0), "--workers must be >= 1, got 0"),
        (("nowhere", "--threads", -1), "--threads must be >= 1, got -1"),
        (("nowhere", "--port", 70000), "--port must be in [0, 65535], got 70000"),
        (("nowhere", "--queue", 0), "--queue must be >= 1 texts, got 0"),
    ],
)
def test_a_wrong_option(words, message, refused):
    assert message in refused("serve", *words)


@pytest.mark.slow
def test_a_port_that_is_taken(refused, finished_run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        message = refused("serve", finished_run("class").folder, "--port", taken.getsockname()[1])
    assert "--host and --port must be an address of this machine that is free" in message


@pytest.mark.slow
def test_an_address_that_is_none(refused, finished_run):
    words = (finished_run("class").folder, "--host", "256.1.1.1", "--port", 0)
    assert "--host and --port must be" in refused("serve", *words)
