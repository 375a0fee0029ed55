"""`headway serve` over real sockets: right answers, named errors, and a stop that loses nothing."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

import headway
from headway.delivery.export import Options, export_named
from headway.delivery.loading import read_artifact
from headway.delivery.serving import pages

pytestmark = pytest.mark.slow
NO_TORCH = """
import atexit, sys
atexit.register(lambda: print([n for n in ("torch", "transformers") if n in sys.modules], file=sys.stderr))
from headway.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


class Server:
    """A running `headway serve`."""

    def __init__(self, process, port):
        self.process, self.port = process, port

    def connect(self):
        return closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30))

    def ask(self, body, *, path="/predict", method="POST", headers=None):
        """Send a request on a connection of its own; return status, headers and what JSON came."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        with self.connect() as connection:
            connection.request(method, path, content, headers or {"Content-Type": "application/json"})
            response = connection.getresponse()
            found = response.read()
        kind = response.headers["content-type"]
        return response.status, response.headers, json.loads(found) if kind == "application/json" else found

    def get(self, path):
        return self.ask(None, path=path, method="GET")

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        out, error = self.process.communicate(timeout=60)
        return self.process.returncode, out, error


@contextmanager
def serving(folder, *options):
    words = ["serve", folder, "--port", "0", *options]
    command = [sys.executable, "-c", NO_TORCH, *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield Server(process, int(re.search(r"http://127\.0\.0\.1:(\d+) ", line)[1]))
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def onnx_folder(random_artifact, tmp_path_factory):
    """pooling -> the ONNX export of a random BERT."""

    def made(pooling):
        target = tmp_path_factory.mktemp(pooling)
        artifact = read_artifact(random_artifact("bert", pooling), layout="padded", attention="eager")
        export_named("onnx", Options()).write(target, artifact)
        return target

    return made


@pytest.fixture(scope="module")
def classes(onnx_folder):
    folder = onnx_folder("mean")
    with serving(folder, "--max-texts", 8, "--max-characters", 2000, "--workers", 2) as server:
        server.model = headway.load(folder)
        yield server


@pytest.fixture(scope="module")
def tags(onnx_folder):
    folder = onnx_folder("token")
    with serving(folder) as server:
        server.model = headway.load(folder)
        yield server


def assert_same(found, wanted):
    assert found["prediction"] == wanted["prediction"]
    assert found["probabilities"] == pytest.approx(wanted["probabilities"], abs=1e-5)


class TestAnswers:
    def test_one_and_several(self, classes):
        texts = ["The fox.", "A film this long needs a story.", "water, food and medicine"]
        wanted = classes.model.predict(texts)
        status, _, found = classes.ask({"inputs": texts})
        assert status == 200
        for answer, right in zip(found["answers"], wanted, strict=True):
            assert_same(answer, right)
        status, _, found = classes.ask({"text": texts[1], "probabilities": False})
        assert (status, found) == (200, {"prediction": wanted[1]["prediction"]})

    def test_tags_and_spans(self, tags):
        text = "the  goalkeeper scored \U0001f600 in\tthe match"
        (wanted,) = tags.model.predict([text])
        status, _, found = tags.ask({"tokens": text})
        assert status == 200
        assert [span.pop("probability") for span in found["spans"]] == pytest.approx(
            [span.pop("probability") for span in wanted["spans"]], abs=1e-5
        )
        assert found["spans"] == wanted["spans"] != []
        assert all(text[span["start"] : span["end"]] == span["text"] for span in found["spans"])
        _, _, plain = tags.ask({"tokens": text.split(), "probabilities": False})
        assert list(plain) == ["prediction", "spans", "tokens"]
        assert all("probability" not in span for span in plain["spans"])

    def test_many_clients_each_get_their_own_answers_once(self, classes, corpus_words):
        words = corpus_words
        texts = [" ".join(words[(7 * i + k) % len(words)] for k in range(1 + i % 9)) for i in range(160)]
        wanted = classes.model.predict(texts)

        def client(first):
            answers = {}
            with classes.connect() as connection:
                for number in range(first, len(texts), 16):
                    body = json.dumps({"text": texts[number]})
                    connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
                    response = connection.getresponse()
                    assert response.status == 200
                    answers[number] = json.loads(response.read())
            return answers

        with ThreadPoolExecutor(16) as pool:
            found = {n: answer for part in pool.map(client, range(16)) for n, answer in part.items()}
        assert sorted(found) == list(range(len(texts)))
        for number, answer in found.items():
            assert_same(answer, wanted[number])

    def test_pipelined_requests_are_answered_in_order(self, classes):
        texts = ["The fox.", "water", "the ninetieth minute of the match", "dog"]
        bodies = [json.dumps({"text": text}).encode() for text in texts]
        sent = b"".join(
            b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            for body in bodies
        )
        with socket.create_connection(("127.0.0.1", classes.port), timeout=30) as connection:
            connection.sendall(sent)
            received = b""
            while received.count(b"probabilities") < len(texts):
                received += connection.recv(65536)
        found = [json.loads(part) for part in re.findall(rb"\r\n\r\n(\{.*?\}\})", received)]
        for answer, right in zip(found, classes.model.predict(texts), strict=True):
            assert_same(answer, right)


WRONG = [
    (b"\xff\xfe", 400, "body"),
    (b"{", 400, "body"),
    ([], 422, "body"),
    ({"text": 3}, 422, "text"),
    ({"text": ""}, 422, "text"),
    ({"text": "a", "lang": "en"}, 422, "lang"),
    ({"inputs": ["a", " "]}, 422, "inputs[1].text"),
    (b'{"text": "\\udc00"}', 422, "text"),
    (b'{"\\udc00": 1}', 422, "\udc00"),
    ({"text": "a" * 2001}, 413, "text"),
    ({"inputs": ["a"] * 9}, 413, "inputs"),
    (b'{"text": "' + b"a" * 10_000_000 + b'"}', 413, "body"),
]


class TestRefusals:
    @pytest.mark.parametrize(("body", "status", "field"), WRONG)
    def test_the_field_is_named_and_the_process_lives_on(self, body, status, field, classes):
        found, _, answer = classes.ask(body)
        assert (found, answer["error"]["field"]) == (status, field)
        assert classes.ask({"text": "The fox."})[0] == 200

    def test_ten_megabytes_in_chunks(self, classes):
        def chunks():
            for _ in range(160):
                yield b"a" * 65536

        with classes.connect() as connection:
            connection.request(
                "POST", "/predict", chunks(), {"Content-Type": "application/json"}, encode_chunked=True
            )
            assert connection.getresponse().status == 413

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
    def test_another_content_type(self, kind, classes):
        status, _, answer = classes.ask({"text": "a"}, headers={"Content-Type": kind})
        assert (status, answer["error"]["field"]) == (415, "content-type")

    def test_another_address_or_method(self, classes):
        status, _, answer = classes.get("/predikt")
        assert (status, answer["error"]["field"]) == (404, "path")
        assert "'/predict'" in answer["error"]["message"]
        assert classes.get("/predict")[0] == 405

    def test_what_is_no_http(self, classes):
        with socket.create_connection(("127.0.0.1", classes.port), timeout=30) as connection:
            connection.sendall(b"\x16\x03\x01\x02\x00 hello\r\n\r\n")
            assert b" 400 " in connection.recv(4096)
        assert classes.get("/health")[0] == 200

    def test_a_client_that_leaves_in_the_middle(self, classes):
        for sent in (b"", b"POST /predict HTTP/1.1\r\nHost", b"POST /predict HTTP/1.1\r\nHost: x\r\n"
                     b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"):  # fmt: skip
            with socket.create_connection(("127.0.0.1", classes.port), timeout=30) as connection:
                connection.sendall(sent)
        assert classes.ask({"text": "The fox."})[0] == 200


class TestAround:
    def test_the_document_is_openapi_and_answers_obey_it(self, classes, tags):
        for server, body in ((classes, {"text": "The fox."}), (tags, {"tokens": "The fox sleeps"})):
            status, _, document = server.get("/openapi.json")
            assert status == 200
            validate(document)
            answer = document["components"]["schemas"]["Answer"]
            for more in ({}, {"probabilities": False}):
                Draft202012Validator(answer).validate(server.ask({**body, **more})[2])
            request = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
            schema = {**request["schema"], "components": document["components"]}
            checked = Draft202012Validator(schema)
            for good in (request["example"], {"inputs": [body]}, {**body, "probabilities": True}):
                checked.validate(good)
                assert server.ask(good)[0] == 200
            assert not any(checked.is_valid(bad) for bad in ({}, {"x": 1}, {"inputs": []}, {**body, "x": 1}))

    def test_health_readiness_and_model(self, classes):
        assert classes.get("/health")[2] == {"status": "alive"}
        assert classes.get("/ready")[2] == {"status": "ready"}
        about = classes.get("/model")[2]
        assert (about["role"], about["columns"]) == ("label", ["text"])
        assert about["label_names"] == ["earn", "grain", "ship"]

    def test_metrics_count(self, classes):
        def counted(name):
            text = classes.get("/metrics")[2].decode()
            return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)[1])

        ok, texts = counted('headway_requests_total{status="200"}'), counted("headway_texts_total")
        classes.ask({"inputs": ["a", "b", "c"]})
        assert counted('headway_requests_total{status="200"}') == ok + 1
        assert counted("headway_texts_total") == texts + 3
        assert counted("headway_queue_texts") == 0
        assert counted("headway_batch_texts_sum") == texts + 3

    @pytest.mark.parametrize("path", ["/", "/docs"])
    def test_pages_run_their_own_script_alone(self, path, classes):
        status, headers, content = classes.get(path)
        assert status == 200
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        text = content.decode()
        # Nothing from elsewhere, and nothing that makes markup of a text.
        assert not re.search(r"https?://|innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text)
        assert not re.search(r"\son\w+=|style=|javascript:", text)

    def test_a_page_of_no_name_is_no_file(self):
        with pytest.raises(FileNotFoundError):
            pages.page("missing.html")


class TestBounds:
    def test_a_full_queue_gives_503_and_all_else_is_answered(self, onnx_folder):
        options = ("--queue", 2, "--max-texts", 2, "--max-batch", 1, "--workers", 1)
        with serving(onnx_folder("mean"), *options) as server:
            body = {"inputs": ["the fox jumps over the lazy dog " * 300, "a"]}

            def ask(_):
                status, headers, answer = server.ask(body)
                return status, headers["retry-after"], answer

            with ThreadPoolExecutor(24) as pool:
                found = list(pool.map(ask, range(48)))
            statuses = [status for status, _, _ in found]
            assert set(statuses) == {200, 503}
            for status, retry, answer in found:
                if status == 503:
                    assert (retry, answer["error"]["field"]) == ("1", "body")
                else:
                    assert len(answer["answers"]) == 2
            assert server.ask({"text": "a"})[0] == 200

    def test_a_body_that_doesnt_come_gives_408(self, onnx_folder):
        with serving(onnx_folder("mean"), "--read-seconds", 0.3) as server:
            with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
                connection.sendall(
                    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    b"Content-Length: 100\r\n\r\n{"
                )
                assert b" 408 " in connection.recv(4096)
            assert server.ask({"text": "a"})[0] == 200


class TestStop:
    @pytest.mark.parametrize(("sig", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
    def test_idle(self, sig, status, onnx_folder):
        with serving(onnx_folder("mean")) as server, server.connect() as idle:
            idle.request("GET", "/health")
            idle.getresponse().read()
            found, _, error = server.stop(sig)
        assert found == status
        assert error == "[]\n"  # of torch and transformers none was imported, and nothing else is said

    def test_under_load_what_was_taken_is_answered_once(self, onnx_folder):
        """Clients ask until they are turned away; each answer is its own request's, and none is missing."""
        with serving(onnx_folder("mean"), "--max-batch", 4) as server:
            wanted = {}
            model = headway.load(Path(server.process.args[4]))
            texts = [f"the fox {'jumps ' * n}" for n in range(1, 9)]
            wanted = dict(zip(texts, model.predict(texts), strict=True))
            lost, answered, begun = [], [0], threading.Event()

            def client(number):
                place = number
                while True:
                    text = texts[place % len(texts)]
                    place += 1
                    try:
                        status, headers, answer = server.ask({"text": text})
                    except ConnectionRefusedError:
                        return
                    except (OSError, http.client.HTTPException) as error:
                        lost.append(repr(error))
                        return
                    if status == 503:
                        return
                    assert status == 200
                    assert_same(answer, wanted[text])
                    answered[0] += 1
                    if answered[0] > 40:
                        begun.set()

            with ThreadPoolExecutor(8) as pool:
                clients = [pool.submit(client, number) for number in range(8)]
                assert begun.wait(60)
                found, _, _ = server.stop()
                for done in clients:
                    done.result(30)
            assert found == 0
            assert lost == []

    def test_while_it_stops_it_is_not_ready(self, onnx_folder):
        with serving(onnx_folder("mean")) as server:
            with server.connect() as connection:
                connection.request("GET", "/ready")
                assert connection.getresponse().read()
                server.process.send_signal(signal.SIGTERM)
                time.sleep(0.15)
                connection.request("GET", "/ready")
                response = connection.getresponse()
                assert (response.status, response.headers["connection"]) == (503, "close")
                response.read()
            assert server.stop(0)[0] == 0


def test_a_torch_artifact_is_served_from_several_threads(random_artifact, corpus_words):
    folder = random_artifact("bert", "mean")
    model = headway.load(folder, device="cpu")
    texts = [" ".join(corpus_words[i : i + 1 + i % 7]) for i in range(40)]
    wanted = model.predict(texts)
    with serving(folder, "--workers", 3, "--device", "cpu") as server, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: server.ask({"text": text}), texts))
        for (status, _, answer), right in zip(found, wanted, strict=True):
            assert status == 200
            assert_same(answer, right)
