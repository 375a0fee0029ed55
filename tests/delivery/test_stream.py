"""Records are read a few at a time, and a bad one is named by file and line."""

from __future__ import annotations

import threading
import time
import tracemalloc
from itertools import chain
from types import SimpleNamespace

import pytest

from headway.data.sources.source import Record
from headway.delivery.stream import CHARACTERS_AT_ONCE, ROWS_AT_ONCE, Answering, RecordReader, answers
from headway.types import DataError

READER = RecordReader({"text": "body"}, id=None, origin="my.csv", unit="line")


def predictor():
    """Answers with each text's length; the model itself isn't needed here."""

    def answer(examples, *, batch_size, where, texts, probabilities):
        return [{"prediction": len(text)} for text in examples["text"]]

    return SimpleNamespace(answer=answer)


def records(count, *, text="a text of some length", bad=None):
    for line in range(2, count + 2):
        yield Record(line, {"body": " " if line == bad else text, "key": f"row {line}"})


def test_order_and_lines_are_kept():
    found = [row for rows in answers(predictor(), records(2500), READER) for row in rows]
    assert [row["id"] for row in found] == [str(line) for line in range(2, 2502)]


def test_no_more_than_one_chunk_is_read_ahead():
    read = 0

    def counted():
        nonlocal read
        for record in records(10**9):
            read += 1
            yield record

    chunks = answers(predictor(), counted(), READER)
    for number in range(1, 4):
        assert len(next(chunks)) == ROWS_AT_ONCE
        assert read == number * ROWS_AT_ONCE


def test_long_documents_make_smaller_chunks():
    text = "x" * (CHARACTERS_AT_ONCE // 4)
    assert [len(rows) for rows in answers(predictor(), records(10, text=text), READER)] == [4, 4, 2]


def test_memory_does_not_grow_with_the_file():
    def peak(num_chunks):
        tracemalloc.start()
        for _ in answers(predictor(), records(num_chunks * ROWS_AT_ONCE), READER):
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(6) < 1.2 * peak(2)


@pytest.mark.parametrize("bad", [2, 700, 1026, 2000])
def test_good_rows_before_a_bad_one_are_answered(bad):
    found = []
    message = rf"my.csv, line {bad}, column 'body' must hold a text that isn't blank"
    with pytest.raises(DataError, match=message):
        found.extend(chain.from_iterable(answers(predictor(), records(2500, bad=bad), READER)))
    assert len(found) == bad - 2


def test_a_file_that_breaks_off_is_answered_so_far():
    def broken():
        yield from records(5)
        raise DataError("my.csv, line 7 must have 2 columns")

    found = []
    with pytest.raises(DataError, match="line 7 must have 2 columns"):
        found.extend(chain.from_iterable(answers(predictor(), broken(), READER)))
    assert len(found) == 5


def test_a_missing_column_is_told_with_the_nearest():
    reader = RecordReader({"text": "bodi"}, id=None, origin="my.csv", unit="row")
    message = (
        r"my.csv, row 2 must have the column 'bodi', got \['body', 'key'\] \(did you mean 'body'\?\).*--text"
    )
    with pytest.raises(DataError, match=message):
        list(answers(predictor(), records(1), reader))


class TestWorkers:
    def slow(self):
        """Answers the first chunk last, and notes how many threads are in it at once."""
        inside, most, lock = [0], [0], threading.Lock()

        def answer(examples, *, batch_size, where, texts, probabilities):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.2 if where(0).endswith(" 2") else 0.02)
            with lock:
                inside[0] -= 1
            return [{"prediction": len(text)} for text in examples["text"]]

        return SimpleNamespace(answer=answer), most

    def test_order_is_kept_while_they_work_side_by_side(self):
        model, most = self.slow()
        found = [row for rows in answers(model, records(5000), READER, Answering(workers=3)) for row in rows]
        assert [row["id"] for row in found] == [str(line) for line in range(2, 5002)]
        assert most[0] > 1

    def test_no_more_is_read_than_they_can_work_on(self):
        read = [0]

        def counted():
            for record in records(10**9):
                read[0] += 1
                yield record

        chunks = answers(predictor(), counted(), READER, Answering(workers=2))
        for number in range(1, 5):
            assert len(next(chunks)) == ROWS_AT_ONCE
            assert read[0] <= (number + 2) * ROWS_AT_ONCE
        chunks.close()

    @pytest.mark.parametrize("bad", [2, 1026, 4000])
    def test_good_rows_before_a_bad_one_are_answered(self, bad):
        found = []
        chunks = answers(predictor(), records(5000, bad=bad), READER, Answering(workers=3))
        with pytest.raises(DataError, match=rf"line {bad}, column 'body'"):
            found.extend(chain.from_iterable(chunks))
        assert [row["id"] for row in found] == [str(line) for line in range(2, bad)]

    def test_a_bug_comes_through(self):
        def answer(examples, **rest):
            raise ZeroDivisionError

        chunks = answers(SimpleNamespace(answer=answer), records(3000), READER, Answering(workers=2))
        with pytest.raises(ZeroDivisionError):
            list(chunks)


class TestId:
    def test_it_is_copied(self):
        reader = RecordReader({"text": "body"}, id="key", origin="my.csv", unit="line")
        (rows,) = answers(predictor(), records(2), reader)
        assert [row["id"] for row in rows] == ["row 2", "row 3"]

    @pytest.mark.parametrize(("column", "message"), [("kye", "column 'kye'.*'key'.*--id"), ("none", "--id")])
    def test_a_missing_one_is_refused(self, column, message):
        reader = RecordReader({"text": "body"}, id=column, origin="my.csv", unit="line")
        with pytest.raises(DataError, match=message):
            list(answers(predictor(), [Record(2, {"body": "a", "key": "b", "none": None})], reader))
