import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data.sources.json_format import read_json, read_jsonl
from headway.types import DataError


def read(text, reader=read_jsonl):
    return list(reader(text.splitlines(keepends=True), origin="my.json"))


def test_numbers_keep_their_text():
    (record,) = read('{"a": 1, "b": 1.0, "c": 1e5, "d": 12345678901234567890, "e": NaN, "f": -0}')
    assert record.values == {
        "a": "1",
        "b": "1.0",
        "c": "1e5",
        "d": "12345678901234567890",
        "e": "NaN",
        "f": "-0",
    }


def test_booleans_are_text_and_null_is_none():
    assert read('{"a": true, "b": false, "c": null, "d": ["x", 2, null]}') == [
        (1, {"a": "true", "b": "false", "c": None, "d": ["x", "2", None]})
    ]


def test_nested_values_are_kept_as_they_are():
    assert read('{"a": {"b": 1}}') == [(1, {"a": {"b": "1"}})]


def test_blank_lines_are_skipped_and_counted():
    assert [record.line for record in read('{"a": "x"}\n\n  \r\n{"a": "y"}\r\n')] == [1, 4]


def test_an_array_names_the_line_of_each_object():
    text = '[\n  {"a": "x"},\n  {"a":\n   "y"}\n,\n{"a": "z"}]\n'
    assert read(text, read_json) == [(2, {"a": "x"}), (3, {"a": "y"}), (6, {"a": "z"})]


def test_an_empty_array_has_no_records():
    assert read(" [ ] ", read_json) == []


@pytest.mark.parametrize("reader", [read_json, read_jsonl])
@pytest.mark.parametrize("item", ["1", '"x"', "null", '["a"]'])
def test_an_item_that_is_no_object_is_an_error(reader, item):
    text = f"[{item}]" if reader is read_json else item
    with pytest.raises(DataError, match=r"my\.json, line 1 must be an object, got"):
        read(text, reader)


def test_broken_json_is_named_by_line_and_character():
    with pytest.raises(DataError, match=r"my\.json, line 2 must be JSON, got an error at character 7"):
        read('{"a": "x"}\n{"a": nope}\n')
    with pytest.raises(DataError, match=r"my\.json, line 3 must be JSON"):
        read('[\n{"a": "x"},\n{"a": nope}\n]', read_json)
    with pytest.raises(DataError, match=r"my\.json, line 2: ',' or '\]' must follow"):
        read('[{"a": "x"}\n{"a": "y"}]', read_json)


@pytest.mark.parametrize("text", ['{"a": "x"', '{"a": "x"} {"a": "y"}', '{"a": "\t"}'])
def test_a_line_must_be_one_whole_object(text):
    with pytest.raises(DataError, match=r"my\.json, line 1 must"):
        read(text)


def test_an_unfinished_array_is_an_error():
    for text in ("[", '[{"a": "x"}', '[{"a": "x"},'):
        with pytest.raises(DataError, match=r"my\.json, line 1"):
            read(text, read_json)


def test_json_lines_under_the_wrong_name_are_explained():
    with pytest.raises(DataError, match=r"must be an array of objects.*data\.source\.format=jsonl"):
        read('{"a": "x"}\n{"a": "y"}\n', read_json)


def test_a_repeated_key_is_an_error():
    with pytest.raises(
        DataError, match=r"line 1 must hold an object with each key once, got the key 'a' twice"
    ):
        read('{"a": "x", "b": "y", "a": "z"}')


def test_a_bottomless_object_is_an_error():
    with pytest.raises(DataError, match=r"line 1 must hold an object"):
        read('{"a": ' + "[" * 200_000 + "]" * 200_000 + "}")


def test_half_of_a_surrogate_pair_is_an_error_and_a_whole_one_is_not():
    assert read(r'{"a": "\ud83d\ude00"}') == [(1, {"a": "😀"})]
    with pytest.raises(DataError, match=r"line 1 must be text, got half of a surrogate pair"):
        read(r'{"a": ["\ud83d"]}')


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
objects = st.dictionaries(texts, st.none() | texts | st.lists(texts, max_size=3), max_size=4)


@given(st.lists(objects, max_size=5), st.booleans())
def test_what_the_json_module_writes_is_read_back(table, ascii_only):
    lines = [json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in table]
    records = list(read_jsonl(lines, origin="my.json"))
    assert records == [(number, row) for number, row in enumerate(table, start=1)]
    whole = json.dumps(table, ensure_ascii=ascii_only, indent=1)
    assert [record.values for record in read_json([whole], origin="my.json")] == table
