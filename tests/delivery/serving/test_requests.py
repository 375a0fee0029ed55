"""A wrong request is refused with the field's name, whatever comes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.delivery.serving.limits import ServeLimits
from headway.delivery.serving.requests import RequestError, read_request
from headway.types import ConfigError

LIMITS = ServeLimits(max_texts=3, max_characters=50, queue=8)
TEXT, PAIR, TOKENS = ["text"], ["text", "text_pair"], ["tokens"]


def read(value, columns=TEXT):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return read_request(body, columns, LIMITS)


class TestRead:
    def test_one(self):
        asked = read({"text": "The fox."})
        assert [row.cells for row in asked.rows] == [{"text": "The fox."}]
        assert (asked.single, asked.probabilities) == (True, True)

    def test_several_in_order_as_texts_or_objects(self):
        asked = read({"inputs": ["a", {"text": "b"}], "probabilities": False})
        assert [row.cells["text"] for row in asked.rows] == ["a", "b"]
        assert (asked.single, asked.probabilities) == (False, False)

    def test_a_pair(self):
        (row,) = read({"inputs": [{"text": "a", "text_pair": "b"}]}, PAIR).rows
        assert row.cells == {"text": "a", "text_pair": "b"}

    def test_words_and_the_text_they_are_split_from(self):
        split, given_ = read({"inputs": ["New  York", {"tokens": ["New", "York"]}]}, TOKENS).rows
        assert split.cells == given_.cells == {"tokens": ["New", "York"]}
        assert (split.text, given_.text) == ("New  York", None)


WRONG = [
    (b"\xff\xfe", TEXT, 400, "body", "UTF-8, got the byte 0xff at 0"),
    (b'{"text": "\xc3("}', TEXT, 400, "body", "0xc3 at 10"),
    (b"", TEXT, 400, "body", "must be JSON"),
    (b'{"text": "a"', TEXT, 400, "body", "must be JSON"),
    (b'{"text": NaN}', TEXT, 400, "body", "NaN is no JSON"),
    (b"[" * 100_000, TEXT, 400, "body", "must be JSON"),
    (b'{"text": ' + b"1" * 5000 + b"}", TEXT, 400, "body", "must be JSON"),
    (b'{"text": "a", "text": "b"}', TEXT, 422, "text", "must come once"),
    ([], TEXT, 422, "body", "must be an object, got a list"),
    ("The fox.", TEXT, 422, "body", "must be an object, got a text"),
    (None, TEXT, 422, "body", "must be an object, got null"),
    ({}, TEXT, 422, "text", "must be given"),
    ({"txt": "a"}, TEXT, 422, "txt", "did you mean 'text'?"),
    ({"text": "a", "lang": "en"}, TEXT, 422, "lang", "must be left out"),
    ({"text": "a", "inputs": ["b"]}, TEXT, 422, "text", "must be left out beside `inputs`"),
    ({"text": ""}, TEXT, 422, "text", "isn't blank"),
    ({"text": " \n"}, TEXT, 422, "text", "isn't blank"),
    ({"text": 3}, TEXT, 422, "text", "must hold a text"),
    ({"text": None}, TEXT, 422, "text", "must hold a text"),
    ({"text": ["a"]}, TEXT, 422, "text", "must hold a text"),
    ({"text": {"a": 1}}, TEXT, 422, "text", "must hold a text"),
    (b'{"text": "\\ud800"}', TEXT, 422, "text", "half of a surrogate pair at 0"),
    ({"text": "a" * 51}, TEXT, 413, "text", "at most 50 characters, got 51"),
    ({"text": "a", "probabilities": 1}, TEXT, 422, "probabilities", "must be true or false, got 1"),
    ({"inputs": []}, TEXT, 422, "inputs", "at least one input"),
    ({"inputs": "a"}, TEXT, 422, "inputs", "must be a list"),
    ({"inputs": ["a"] * 4}, TEXT, 413, "inputs", "at most 3 inputs, got 4"),
    ({"inputs": ["a", ""]}, TEXT, 422, "inputs[1].text", "isn't blank"),
    ({"inputs": ["a", {"text": "b", "x": 1}]}, TEXT, 422, "inputs[1].x", "must be left out"),
    ({"inputs": ["a", {}]}, TEXT, 422, "inputs[1].text", "must be given"),
    ({"inputs": ["a" * 51]}, TEXT, 413, "inputs[0].text", "at most 50 characters"),
    ({"inputs": ["a"]}, PAIR, 422, "inputs[0]", "must be an object with ['text', 'text_pair']"),
    ({"text": "a"}, PAIR, 422, "text_pair", "must be given"),
    ({"tokens": []}, TOKENS, 422, "tokens", "isn't blank"),
    ({"tokens": ["a", 1]}, TOKENS, 422, "tokens", "a list of text"),
    ({"tokens": ["a" * 30, "b" * 30]}, TOKENS, 413, "tokens", "at most 50 characters, got 60"),
    ({"text": "a"}, TOKENS, 422, "text", "must be left out"),
]


@pytest.mark.parametrize(("value", "columns", "status", "field", "message"), WRONG)
def test_what_is_wrong_is_named(value, columns, status, field, message):
    with pytest.raises(RequestError) as caught:
        read(value, columns)
    assert (caught.value.status, caught.value.field) == (status, field)
    assert message in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    json_values
    | st.fixed_dictionaries({"text": json_values})
    | st.fixed_dictionaries({"inputs": st.lists(json_values | st.fixed_dictionaries({"text": json_values}))}),
    st.sampled_from([TEXT, PAIR, TOKENS]),
)
def test_any_json_is_read_or_refused(value, columns):
    refused = None
    try:
        read(value, columns)
    except RequestError as error:
        refused = error.status
    assert refused in (None, 413, 422)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body):
    with pytest.raises(RequestError) as caught:
        read(body, PAIR)
    assert caught.value.status in (400, 422)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_batch": 0}, "--max-batch must be >= 1 texts, got 0"),
        ({"max_wait_ms": -1.0}, r"--max-wait-ms must be in \[0, 1000\]"),
        ({"max_wait_ms": float("nan")}, "--max-wait-ms"),
        ({"queue": 0}, "--queue must be >= 1"),
        ({"queue": 2, "max_texts": 3}, "--queue must be >= --max-texts.*got 2 < 3"),
        ({"max_texts": 0}, "--max-texts"),
        ({"max_characters": 0}, "--max-characters"),
        ({"max_bytes": 0}, "--max-bytes must be >= 1 bytes"),
        ({"read_seconds": 0.0}, "--read-seconds must be > 0"),
        ({"stop_seconds": float("nan")}, "--stop-seconds must be > 0"),
    ],
)
def test_limits_are_checked(changes, message):
    with pytest.raises(ConfigError, match=message):
        ServeLimits(**changes)
