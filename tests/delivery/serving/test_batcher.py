"""Each request is answered once, with its own answers, whatever it waits beside."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from headway.delivery.serving.batcher import Batcher, QueueFullError, StoppedError
from headway.delivery.serving.limits import ServeLimits
from headway.delivery.serving.requests import Row


class Seen:
    """What an observer is told."""

    def __init__(self):
        self.waiting, self.batches = [], []

    def queued(self, texts):
        self.waiting.append(texts)

    def batch(self, texts, waited, seconds):
        self.batches.append((texts, waited))


def rows(*texts):
    return [Row({"text": text}, None) for text in texts]


def echo(found):
    return [{"prediction": row.cells["text"]} for row in found]


@pytest.fixture
def made():
    """(answer, workers, connections, limits) -> a started batcher and what it told; stopped at the end."""
    batchers = []

    def make(answer=echo, *, workers=1, connections=1, **limits):
        usual = {"max_texts": 1, "queue": 1000, "max_wait_ms": 0.0}
        seen = Seen()
        batcher = Batcher(
            answer,
            limits=ServeLimits(**{**usual, **limits}),
            workers=workers,
            connections=lambda: connections,
            observer=seen,
        )
        batcher.start()
        batchers.append(batcher)
        return batcher, seen

    yield make
    for batcher in batchers:
        assert batcher.stop(5)


class Gate:
    """Holds the answers of the first batch until it is opened."""

    def __init__(self):
        self.opened, self.entered, self.batches = threading.Event(), threading.Event(), []

    def __call__(self, found):
        self.batches.append([row.cells["text"] for row in found])
        self.entered.set()
        self.opened.wait(10)
        return echo(found)


def test_each_gets_its_own_answers_from_many_threads(made):
    batcher, seen = made(workers=3, max_wait_ms=1.0, connections=50)

    def ask(number):
        texts = [f"{number}/{place}" for place in range(1 + number % 3)]
        return texts, [answer["prediction"] for answer in batcher.submit(rows(*texts)).result(10)]

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(ask, range(500)))
    assert all(texts == answers for texts, answers in found)
    assert sum(texts for texts, _ in seen.batches) == sum(len(texts) for texts, _ in found)
    assert seen.waiting[-1] == 0


def test_what_waits_is_answered_together_in_order_and_no_more_than_fit(made):
    gate = Gate()
    batcher, seen = made(gate, max_batch=3)
    asked = [batcher.submit(rows("first"))]
    assert gate.entered.wait(5)
    asked += [batcher.submit(rows(*texts)) for texts in ("a", "b", "cd", "e", "fghij", "k")]
    gate.opened.set()
    wait(asked, 10)
    assert gate.batches == [["first"], ["a", "b"], ["c", "d", "e"], [*"fghij"], ["k"]]
    assert [texts for texts, _ in seen.batches] == [1, 2, 3, 5, 1]


def test_a_full_queue_refuses_and_takes_again(made):
    gate = Gate()
    batcher, _ = made(gate, queue=3)
    asked = [batcher.submit(rows("first"))]
    assert gate.entered.wait(5)
    asked.append(batcher.submit(rows("a", "b")))
    with pytest.raises(QueueFullError):
        batcher.submit(rows("c", "d"))
    asked.append(batcher.submit(rows("e")))
    with pytest.raises(QueueFullError):
        batcher.submit(rows("f"))
    gate.opened.set()
    wait(asked, 10)
    assert batcher.submit(rows("g")).result(5) == [{"prediction": "g"}]
    assert gate.batches == [["first"], ["a", "b", "e"], ["g"]]


class TestWait:
    def ask_twice(self, batcher, *, after):
        start = time.monotonic()
        first = batcher.submit(rows("a"))
        time.sleep(after)
        second = batcher.submit(rows("b"))
        wait([first, second], 10)
        return time.monotonic() - start

    def test_others_that_may_come_are_waited_for(self, made):
        batcher, seen = made(max_wait_ms=1000.0, connections=2)
        assert self.ask_twice(batcher, after=0.05) < 0.9  # nobody else can come: it goes at once
        assert [texts for texts, _ in seen.batches] == [2]

    def test_no_longer_than_is_said(self, made):
        batcher, seen = made(max_wait_ms=50.0, connections=9)
        batcher.submit(rows("a")).result(5)
        ((texts, waited),) = seen.batches
        assert texts == 1
        assert 0.04 < waited < 1

    def test_alone_it_is_answered_at_once(self, made):
        batcher, seen = made(max_wait_ms=1000.0, connections=1)
        batcher.submit(rows("a")).result(5)
        assert seen.batches[0][1] < 0.9


class TestFailures:
    def picky(self, found):
        if any(row.cells["text"] == "bad" for row in found):
            raise ValueError("bad")
        return echo(found)

    def test_one_bad_text_fails_alone(self, made):
        gate = Gate()

        def answer(found):
            gate(found)
            return self.picky(found)

        batcher, _ = made(answer)
        asked = [batcher.submit(rows("first"))]
        assert gate.entered.wait(5)
        asked += [batcher.submit(rows(text)) for text in ("a", "bad", "b")]
        gate.opened.set()
        wait(asked, 10)
        assert [future.exception() is None for future in asked] == [True, True, False, True]
        assert asked[3].result() == [{"prediction": "b"}]

    @pytest.mark.parametrize("error", [ValueError("x"), MemoryError(), KeyboardInterrupt(), SystemExit(3)])
    def test_the_thread_lives_on(self, error, made):
        failing = [True]

        def answer(found):
            if failing[0]:
                raise error
            return echo(found)

        batcher, _ = made(answer)
        assert isinstance(batcher.submit(rows("a")).exception(5), Exception)
        failing[0] = False
        assert batcher.submit(rows("a")).result(5) == [{"prediction": "a"}]
        assert batcher.alive()


class TestStop:
    def test_what_waits_is_answered_first(self):
        gate = Gate()
        batcher = Batcher(
            gate, limits=ServeLimits(max_batch=1), workers=1, connections=lambda: 1, observer=Seen()
        )
        batcher.start()
        asked = [batcher.submit(rows(str(number))) for number in range(5)]
        assert not batcher.stop(0.05)
        with pytest.raises(StoppedError):
            batcher.submit(rows("late"))
        gate.opened.set()
        assert batcher.stop(5)
        assert [future.result(0)[0]["prediction"] for future in asked] == list("01234")
        assert not batcher.alive()

    def test_a_cancelled_request_is_left_out(self, made):
        gate = Gate()
        batcher, _ = made(gate)
        batcher.submit(rows("first"))
        assert gate.entered.wait(5)
        gone, kept = batcher.submit(rows("gone")), batcher.submit(rows("kept"))
        assert gone.cancel()
        gate.opened.set()
        assert kept.result(5) == [{"prediction": "kept"}]
        assert gate.batches == [["first"], ["kept"]]
