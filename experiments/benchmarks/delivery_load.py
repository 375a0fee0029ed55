"""Clients that ask a server on loopback, and the plain servers and loops that it is compared with."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

TYPE = {"Content-Type": "application/json"}
NEAR = 0.1
"""By which a label's probability may differ from that of the text alone."""
SERVE = "import sys; from headway.cli.main import main; sys.exit(main(sys.argv[1:]))"
PLAIN = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
import headway
predictor = headway.load(sys.argv[1])
class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(predictor.predict([asked["text"]])[0]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        pass
predictor.predict(["a b"])
HTTPServer.request_queue_size = 128
server = HTTPServer(("127.0.0.1", 0), Handler)
print(f"serving at http://127.0.0.1:{server.server_port} plainly", flush=True)
server.serve_forever()
"""
LOOP = """
import json, sys, time
import headway
predictor, texts = headway.load(sys.argv[1]), json.load(open(sys.argv[2]))
predictor.predict(texts[:1])
taken, end, place = [], time.perf_counter() + float(sys.argv[3]), 0
start = time.perf_counter()
while time.perf_counter() < end:
    before = time.perf_counter()
    predictor.predict([texts[place % len(texts)]])
    taken.append(time.perf_counter() - before)
    place += 1
print(json.dumps({"seconds": time.perf_counter() - start, "taken": taken}))
"""


class Load:
    """Clients that each ask one request after the other, and what came of it.

    Args:
        port: Of the server.
        texts: Asked in turn.
        wanted: The answer to each.
    """

    def __init__(self, port: int, texts: Sequence[str], wanted: Sequence[dict[str, Any]]) -> None:
        self._port, self._texts, self._wanted = port, texts, wanted
        self._lock = threading.Lock()
        self.taken: list[float] = []
        self.sent = self.wrong = self.lost = self.turned_away = 0
        self.stop = threading.Event()

    def run(self, clients: int, seconds: float | None) -> dict[str, Any]:
        """Ask for some seconds, or until all clients are turned away, and return what came of it."""
        threads = [threading.Thread(target=self._client, args=(number,)) for number in range(clients)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        if seconds is not None:
            time.sleep(seconds)
            self.stop.set()
        for thread in threads:
            thread.join()
        return {
            "clients": clients,
            **figures(self.taken, time.perf_counter() - start),
            "sent": self.sent,
            "answered": len(self.taken),
            "wrong": self.wrong,
            "lost": self.lost,
            "turned_away": self.turned_away,
        }

    def _client(self, number: int) -> None:
        place = number * 7919
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while not self.stop.is_set():
            place = (place + 1) % len(self._texts)
            body, start = json.dumps({"text": self._texts[place]}), time.perf_counter()
            try:
                connection.request("POST", "/predict", body, TYPE)
                response = connection.getresponse()
                answer = json.loads(response.read())
            except ConnectionRefusedError:  # the port is closed: no request was sent
                break
            except (OSError, http.client.HTTPException):
                self._note(lost=1, sent=1)
                break
            if response.status == 503:
                self._note(turned_away=1, sent=1)
                break
            right = response.status == 200 and _same(answer, self._wanted[place])
            self._note(time.perf_counter() - start, sent=1, wrong=int(not right))
        connection.close()

    def _note(self, taken: float | None = None, **more: int) -> None:
        with self._lock:
            if taken is not None:
                self.taken.append(taken)
            for name, count in more.items():
                setattr(self, name, getattr(self, name) + count)


def _same(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    pairs = zip(found["probabilities"].items(), wanted["probabilities"].items(), strict=True)
    return all(name == other and abs(value - right) < NEAR for (name, value), (other, right) in pairs)


def figures(taken: Sequence[float], seconds: float) -> dict[str, float]:
    """Return requests a second, and the median and p99 in milliseconds."""
    p50, p99 = np.percentile(taken, [50, 99]) * 1000 if taken else (float("nan"), float("nan"))
    return {"per_second": round(len(taken) / seconds, 1), "p50": round(p50, 2), "p99": round(p99, 2)}


@contextmanager
def started(code: str, *words: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start a server that prints its address; yield its process and port, and end it."""
    command = [sys.executable, "-c", code, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None:
                raise TypeError("no pipe")
            found = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
            if found is None:
                raise SystemExit(f"{words} didn't start")
            yield process, int(found[1])
        finally:
            if process.poll() is None:
                process.kill()


def measure(
    folders: dict[str, Path], texts: Sequence[str], *, clients: Sequence[int], seconds: float
) -> dict[str, Any]:
    """Return what headway serve, a plain HTTP server and a plain loop do with the same model and texts.

    Args:
        folders: The export in "int8", and in "fp32", whose answers don't go by their neighbours in a batch.
        texts: Asked in turn.
        clients: At once.
        seconds: Of each load.
    """
    int8 = str(folders["int8"])
    wanted = {name: _alone(folder, texts) for name, folder in folders.items()}
    file = folders["int8"].parent / "texts.json"
    file.write_text(json.dumps(list(texts)), encoding="utf-8")
    found: dict[str, Any] = {"texts": len(texts), "seconds": seconds}
    words = [sys.executable, "-c", LOOP, int8, str(file), str(seconds)]
    loop = json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)
    found["loop"] = figures(loop["taken"], loop["seconds"])
    serve, two = (SERVE, "serve"), ("--workers", "2")
    for name, command, kind, counts in (
        ("serve", (*serve, int8, "--port", "0"), "int8", clients),
        ("plain", (PLAIN, int8), "int8", clients),
        ("two workers", (*serve, int8, "--port", "0", *two), "int8", clients),
        ("one text at a time", (*serve, int8, "--port", "0", *two, "--max-batch", "1"), "int8", clients[-1:]),
        ("fp32", (*serve, str(folders["fp32"]), "--port", "0", *two), "fp32", clients[-1:]),
    ):
        with started(*command) as (_, port):
            Load(port, texts, wanted[kind]).run(2, min(1.0, seconds))  # warm
            found[name] = [Load(port, texts, wanted[kind]).run(count, seconds) for count in counts]
    with started(*serve, int8, "--port", "0", *two) as (process, port):
        load = Load(port, texts, wanted["int8"])
        timer = threading.Timer(min(2.0, seconds), process.send_signal, [signal.SIGTERM])
        timer.start()
        found["stop"] = load.run(max(clients), None)
        found["stop"]["status"] = process.wait(60)
    return found


def _alone(folder: Path, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Return the answers to texts that are asked one by one."""
    import headway

    predictor = headway.load(folder)
    return [predictor.predict([text])[0] for text in texts]
