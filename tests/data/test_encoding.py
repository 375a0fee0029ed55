"""Texts and pairs to windows, against what the tokenizers library gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import processors
from transformers import PreTrainedTokenizerFast

from headway.data.encoding import EncodingSpec, encode
from headway.data.pieces import prepare
from headway.types import DataError

WORDS = [
    "the",
    "Moon",
    "atmosphere",
    "unbelievably",
    "12.5",
    "is",
    "it's",
    "?",
    "Zürich",
    "日本",
    "🙂",
    "\u200b",
    "[SEP]",
]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)


def make_spec(max_length=16, truncation="longest_first", overlap=0, token_type_ids=True):
    return EncodingSpec(
        max_length=max_length,
        truncation=truncation,
        overlap=overlap,
        subword_labels="first",
        token_type_ids=token_type_ids,
    )


def windows_of(encoded, values):
    """Return a list of each window's values."""
    return [values[a:b].tolist() for a, b in zip(encoded.offsets[:-1], encoded.offsets[1:], strict=True)]


def own_pair(tokenizer, first, second, **options):
    """Return what the tokenizer gives for a pair, None where it says that nothing would be left of a text."""
    try:
        return tokenizer([first], [second], return_token_type_ids=True, **options)
    except Exception as error:
        if "too short" not in str(error):
            raise
        return None


@given(texts=st.lists(TEXTS, max_size=4), max_length=st.integers(5, 40))
def test_truncated_texts_equal_the_tokenizers_own(tokenizer, texts, max_length):
    encoded = encode(tokenizer, {"text": texts}, make_spec(max_length))
    own = [
        tokenizer(text, truncation=True, max_length=max_length, return_token_type_ids=True) for text in texts
    ]
    assert windows_of(encoded, encoded.input_ids) == [one["input_ids"] for one in own]
    assert windows_of(encoded, encoded.token_type_ids) == [one["token_type_ids"] for one in own]
    assert encoded.documents.tolist() == list(range(len(texts)))


@given(
    first=TEXTS,
    second=TEXTS,
    max_length=st.integers(6, 60),
    truncation=st.sampled_from(["longest_first", "only_first", "only_second"]),
    side=st.sampled_from(["right", "left"]),
)
def test_truncated_pairs_equal_the_tokenizers_own(tokenizer, first, second, max_length, truncation, side):
    tokenizer.truncation_side = side
    try:
        own = own_pair(tokenizer, first, second, truncation=truncation, max_length=max_length)
        examples, spec = {"text": [first], "text_pair": [second]}, make_spec(max_length, truncation)
        if own is None:
            with pytest.raises(DataError, match="document 0: text.* must have fewer than"):
                encode(tokenizer, examples, spec)
            return
        encoded = encode(tokenizer, examples, spec)
    finally:
        tokenizer.truncation_side = "right"
    assert windows_of(encoded, encoded.input_ids) == own["input_ids"]
    assert windows_of(encoded, encoded.token_type_ids) == own["token_type_ids"]


@given(text=TEXTS, max_length=st.integers(6, 24), data=st.data())
def test_windows_equal_the_tokenizers_overflow(tokenizer, text, max_length, data):
    room = max_length - tokenizer.num_special_tokens_to_add()
    overlap = data.draw(st.integers(0, room - 1))
    encoded = encode(tokenizer, {"text": [text]}, make_spec(max_length, "windows", overlap))
    own = tokenizer(
        [text], truncation=True, max_length=max_length, stride=overlap, return_overflowing_tokens=True
    )
    assert windows_of(encoded, encoded.input_ids) == own["input_ids"]
    assert not encoded.truncated.any()


@given(first=TEXTS, second=TEXTS, max_length=st.integers(30, 80), overlap=st.integers(0, 8))
def test_windows_of_pairs_cut_the_longer_text_and_repeat_the_shorter(
    tokenizer, first, second, max_length, overlap
):
    pieces = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in (first, second)]
    special = tokenizer.num_special_tokens_to_add(pair=True)
    spec = make_spec(max_length, "windows", overlap)
    total = sum(map(len, pieces)) + special
    if total > max_length and max_length - special - min(map(len, pieces)) <= overlap:
        with pytest.raises(DataError, match="the shorter text of the pair, must have fewer than"):
            encode(tokenizer, {"text": [first], "text_pair": [second]}, spec)
        return
    encoded = encode(tokenizer, {"text": [first], "text_pair": [second]}, spec)
    own = tokenizer(
        [first],
        [second],
        truncation="only_first" if len(pieces[0]) > len(pieces[1]) else "only_second",
        max_length=max_length,
        stride=overlap if total > max_length else 0,
        return_overflowing_tokens=True,
    )
    assert windows_of(encoded, encoded.input_ids) == own["input_ids"]


@given(
    texts=st.lists(TEXTS, min_size=1, max_size=3), max_length=st.integers(5, 20), overlap=st.integers(0, 2)
)
def test_every_token_of_every_document_is_in_a_window(tokenizer, texts, max_length, overlap):
    encoded = encode(
        tokenizer, {"text": texts}, make_spec(max_length, "windows", min(overlap, max_length - 3))
    )
    assert encoded.window_lengths.max() <= max_length
    windows = windows_of(encoded, encoded.input_ids)
    for number, text in enumerate(texts):
        whole = tokenizer(text, add_special_tokens=False)["input_ids"]
        own = [
            window[1:-1]
            for window, document in zip(windows, encoded.documents, strict=True)
            if document == number
        ]
        stitched = own[0]
        for window in own[1:]:
            stitched = stitched + window[min(overlap, max_length - 3) :]
        assert stitched == whole
        assert encoded.lengths[number] == len(whole) + 2


def test_lengths_and_losses_are_those_before_cutting(wordpiece_tokenizer):
    texts = ["a a a a", "a a a a a a a a a a"]
    encoded = encode(wordpiece_tokenizer, {"text": texts}, make_spec(max_length=8))
    assert encoded.lengths.tolist() == [6, 12]
    assert encoded.lost.tolist() == [0, 4]
    assert encoded.truncated.tolist() == [False, True]
    assert encoded.window_lengths.tolist() == [6, 8]
    pair = encode(wordpiece_tokenizer, {"text": texts, "text_pair": texts}, make_spec(max_length=11))
    assert pair.lengths.tolist() == [11, 23]
    assert pair.lost.tolist() == [0, 12]


def test_token_types_only_where_the_model_takes_them(wordpiece_tokenizer):
    encoded = encode(wordpiece_tokenizer, {"text": ["the moon"]}, make_spec(token_type_ids=False))
    assert encoded.token_type_ids is None


def test_dtypes_and_absent_word_columns(wordpiece_tokenizer):
    encoded = encode(wordpiece_tokenizer, {"text": ["the moon"], "text_pair": None}, make_spec())
    kinds = {name: value.dtype for name, value in vars(encoded).items() if isinstance(value, np.ndarray)}
    assert kinds == {
        "input_ids": np.int32,
        "token_type_ids": np.int8,
        "offsets": np.int64,
        "documents": np.int64,
        "lengths": np.int64,
        "lost": np.int64,
    }


def test_no_documents(wordpiece_tokenizer):
    encoded = encode(wordpiece_tokenizer, {"text": []}, make_spec())
    assert (encoded.num_documents, encoded.num_windows, encoded.num_tokens) == (0, 0, 0)


def test_more_documents_than_a_chunk(wordpiece_tokenizer):
    texts = [f"a film {number}" for number in range(2500)]
    encoded = encode(wordpiece_tokenizer, {"text": texts, "text_pair": texts[::-1]}, make_spec(64))
    own = wordpiece_tokenizer(texts, texts[::-1])["input_ids"]
    assert windows_of(encoded, encoded.input_ids) == own


def test_errors_name_the_origin_of_the_row(wordpiece_tokenizer):
    examples = {"text": ["a", "a"], "text_pair": ["a", "a " * 30]}
    with pytest.raises(DataError, match=r"my\.csv, line 3: text_pair must have fewer than 13 tokens.*got 30"):
        encode(
            wordpiece_tokenizer,
            examples,
            make_spec(truncation="only_first"),
            where=lambda number: f"my.csv, line {number + 2}",
        )


def test_a_text_without_tokens_needs_special_tokens(wordpiece_tokenizer):
    assert encode(wordpiece_tokenizer, {"text": ["\u200b"]}, make_spec()).window_lengths.tolist() == [2]
    bare = PreTrainedTokenizerFast(tokenizer_object=wordpiece_tokenizer.backend_tokenizer)
    bare.backend_tokenizer.post_processor = processors.TemplateProcessing(single="$A", pair="$A $B:1")
    with pytest.raises(DataError, match="document 1: the text must give a token, got none"):
        encode(bare, {"text": ["a", "\u200b"]}, make_spec())


def test_the_tokenizer_is_left_as_it_is_and_its_settings_do_not_matter(wordpiece_tokenizer):
    wordpiece_tokenizer("a", truncation=True, max_length=4, padding="max_length")  # leaves both switched on
    before = wordpiece_tokenizer.backend_tokenizer.to_str()
    encoded = encode(wordpiece_tokenizer, {"text": ["the moon has an atmosphere", "a"]}, make_spec(64))
    assert encoded.window_lengths.tolist() == encoded.lengths.tolist()
    assert wordpiece_tokenizer.backend_tokenizer.to_str() == before


def test_a_prepared_tokenizer_gives_the_same(tokenizer):
    examples = {"text": ["The moon has only a very thin one."]}
    one, other = encode(tokenizer, examples, make_spec()), encode(prepare(tokenizer), examples, make_spec())
    assert np.array_equal(one.input_ids, other.input_ids)
