"""Answers whose quality is known, a report with payloads in it, and a browser."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest

from headway.reports.board import Settings
from headway.reports.boards import boards
from headway.reports.page import write_page
from headway.reports.run_folders import read_runs

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PAYLOADS = (
    "<script>window.pwned=1</script>", "<img src=x onerror=window.pwned=1>", '"><svg onload=window.pwned=1>',
    "{{ 7*7 }}", "</style><script>window.pwned=1</script>", "javascript:window.pwned=1",
    "'\" onclick='window.pwned=1", "<iframe src='http://127.0.0.1:9/x'></iframe>", "\x1b[31mred\x1b[0m",
    "</title><script>window.pwned=1</script>", "x" * 400,
)  # fmt: skip


@pytest.fixture
def answers():
    """(seed, errors, size) -> right and given labels, of which `errors` are wrong."""

    def made(seed, errors, size=100):
        right = ["yes" if row % 2 else "no" for row in range(size)]
        wrong = set(random.Random(seed).sample(range(size), errors))
        return right, [("no" if each == "yes" else "yes") if row in wrong else each
                       for row, each in enumerate(right)]  # fmt: skip

    return made


@pytest.fixture
def hostile(written_run, answers, tmp_path):
    """The folder of 5 configs with 2 seeds, and of a failed run, whose every text is a payload."""
    labels = (PAYLOADS[0], PAYLOADS[1])
    names = {"no": labels[0], "yes": labels[1]}
    data = {"data": {"name": PAYLOADS[0]}}
    for number in range(5):
        for seed in (1, 2):
            right, given = (
                [names[each] for each in part] for part in answers(10 * number + seed, 9 + 4 * number)
            )
            cfg = {"optimizer": {"lr": 10.0**-number}, "backbone": {"name": PAYLOADS[number]}, **data}
            record = {"environment": {"argv": [PAYLOADS[4]]}}
            record["collapsed"] = PAYLOADS[1] if number == 4 else None
            texts = [PAYLOADS[row % len(PAYLOADS)] for row in range(100)]
            ids = [f"{row} {PAYLOADS[row % 3]}" for row in range(100)]
            folder = written_run(f"{number}-{seed}", right, given, labels=labels, seed=seed, texts=texts,
                                 ids=ids, cfg=cfg, record=record)  # fmt: skip
            part = {"by": PAYLOADS[0], "name": PAYLOADS[1], "counts": {PAYLOADS[2]: 3}}
            slices = [{**part, "metrics": {"accuracy": 0.5}}]
            (folder / "slices.json").write_text(json.dumps({"test": slices}))
            low = [k / 5 for k in range(5)]
            bins = [{"low": at, "high": at + 0.2, "count": k, "confidence": at + 0.1, "accuracy": at * 0.8}
                    for k, at in enumerate(low)]  # fmt: skip
            found = {"temperature": 1.1, "ece": 0.02, "ece_before": 0.03, "bins": bins}
            (folder / "calibration.json").write_text(json.dumps({"test": found}))
    lost = written_run("lost", ["no"], ["no"], cfg={"optimizer": {"lr": 3.0}, **data})
    (lost / "record.json").unlink()
    (lost / "run.log").write_text(f"[t][x][ERROR] {PAYLOADS[1]}\n")
    return tmp_path / "runs"


@pytest.fixture
def page_of(tmp_path):
    """(folder, **settings) -> the file of its report."""

    def made(folder, **settings):
        used = Settings(resamples=300, **settings)
        write_page(tmp_path / "report.html", boards(read_runs([folder]), used), used)
        return tmp_path / "report.html"

    return made


class Seen(NamedTuple):
    """What a browser saw of a page.

    Attributes:
        values: Of the expressions that were asked for.
        errors: What the console says, and what was thrown.
        requests: Addresses that were asked for.
    """

    values: list
    errors: list
    requests: list


class Browser:
    """A headless Chromium, driven over its DevTools protocol.

    Args:
        port: Where it listens.
    """

    def __init__(self, port):
        self._port = port

    def visit(self, path, *expressions, width=1280, scheme="light"):
        """Open a file and evaluate expressions in it."""
        return asyncio.run(self._visit(path, expressions, width, scheme))

    async def _visit(self, path, expressions, width, scheme):
        events, number = [], 0

        async def send(method, **params):
            """Call a method and wait for its answer; keep the events that come before."""
            nonlocal number
            number += 1
            await socket.send_json({"id": number, "method": method, "params": params})
            while True:
                message = await socket.receive_json(timeout=30)
                if message.get("id") == number:
                    assert "error" not in message, message
                    return message["result"]
                events.append(message)

        async with aiohttp.ClientSession() as session:
            async with session.put(f"http://127.0.0.1:{self._port}/json/new?about:blank") as answer:
                target = await answer.json()
            async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                for domain in ("Page", "Runtime", "Log", "Network"):
                    await send(f"{domain}.enable")
                await send("Emulation.setDeviceMetricsOverride", width=width, height=900,
                           deviceScaleFactor=1, mobile=width < 700)  # fmt: skip
                features = [{"name": "prefers-color-scheme", "value": scheme}]
                await send("Emulation.setEmulatedMedia", features=features)
                await send("Page.navigate", url=path.as_uri())
                while not any(event["method"] == "Page.loadEventFired" for event in events):
                    events.append(await socket.receive_json(timeout=30))
                await send("Runtime.evaluate", expression="new Promise(r => setTimeout(r, 200))",
                           awaitPromise=True)  # what an onerror would need  # fmt: skip
                values = []
                for expression in expressions:
                    found = await send("Runtime.evaluate", expression=expression, returnByValue=True)
                    assert "exceptionDetails" not in found, found
                    values.append(found["result"].get("value"))
            async with session.get(f"http://127.0.0.1:{self._port}/json/close/{target['id']}"):
                pass
        errors = [event["params"] for event in events if _is_error(event["method"], event["params"])]
        asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return Seen(values, errors, asked)


def _is_error(method, params):
    if method == "Log.entryAdded":
        return params["entry"]["level"] in ("error", "warning")
    return method == "Runtime.exceptionThrown" or (
        method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning")
    )


@pytest.fixture(scope="session")
def browser():
    """A Browser; tests that need it are skipped where there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"needs a browser, one of {', '.join(BROWSERS)}: apt-get install chromium")
    with tempfile.TemporaryDirectory() as profile:
        command = [found, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]  # fmt: skip
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield Browser(_port(process, Path(profile)))
        finally:
            process.terminate()
            process.wait(timeout=30)
            time.sleep(0.5)  # its children let go of the profile
            shutil.rmtree(profile, ignore_errors=True)
            Path(profile).mkdir(exist_ok=True)


def _port(process, profile):
    """Return the port that a starting browser writes down."""
    file = profile / "DevToolsActivePort"
    for _ in range(600):
        if file.is_file() and file.read_text().strip():
            return int(file.read_text().split()[0])
        if process.poll() is not None:
            break
        time.sleep(0.1)
    pytest.skip(f"the browser doesn't start here: exit status {process.poll()}")
