"""Documents that came as words: alignment by round trip, windows between words, words without pieces."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import normalizers
from transformers import PreTrainedTokenizerFast

from headway.data.encoding import EncodingSpec, encode
from headway.data.pieces import prepare
from headway.types import ConfigError

NO_PIECES = [
    "",
    "\u200b",
    "\ufe0f",
    "\u0301",
    "\x00",
]  # empty, zero-width space, variation selector, accent, NUL
PLAIN = st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12), max_size=30)
ODD = st.lists(st.sampled_from(["Moon", "Zürich", "日本", "🙂", "12.5", "don't", *NO_PIECES]), max_size=20)


def make_spec(max_length=512, truncation="windows", overlap=0):
    return EncodingSpec(
        max_length=max_length,
        truncation=truncation,
        overlap=overlap,
        subword_labels="first",
        token_type_ids=False,
    )


@given(data=st.data())
def test_the_pieces_of_each_word_give_the_word_back(tokenizer, corpus_words, data):
    words = data.draw(st.lists(st.sampled_from(corpus_words), max_size=30))
    encoded = encode(tokenizer, {"tokens": [words]}, make_spec())
    pieces = [encoded.input_ids[encoded.words == number].tolist() for number in range(len(words))]
    assert [tokenizer.backend_tokenizer.decode(ids).strip() for ids in pieces] == words


@given(words=st.lists(st.text("aZ9-é\u0301ßЖ日本🙂\u200d", min_size=1, max_size=8), max_size=9))
def test_byte_level_round_trip_of_any_script(modernbert_tokenizer, words):
    encoded = encode(modernbert_tokenizer, {"tokens": [words]}, make_spec())
    pieces = [encoded.input_ids[encoded.words == number].tolist() for number in range(len(words))]
    backend = modernbert_tokenizer.backend_tokenizer
    assert [backend.decode(ids).removeprefix(" ") for ids in pieces] == words


@given(words=PLAIN)
def test_words_get_the_pieces_that_they_have_in_a_text(tokenizer, words):
    """Byte-level tokenizers need the space before a word for it, whatever their model's name."""
    encoded = encode(tokenizer, {"tokens": [words]}, make_spec())
    text = encode(tokenizer, {"text": [" ".join(words)]}, make_spec())
    assert encoded.input_ids.tolist() == text.input_ids.tolist()


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("wordpiece", ""), ("roberta", " "), ("roberta_prefix", ""), ("modernbert", " "), ("unigram", "")],
)
def test_the_prefix_is_found_by_behaviour(request, name, prefix):
    assert prepare(request.getfixturevalue(f"{name}_tokenizer")).word_prefix == prefix


@given(documents=st.lists(st.one_of(PLAIN, ODD), max_size=3))
def test_words_and_first_pieces_are_marked(tokenizer, documents):
    encoded = encode(tokenizer, {"tokens": documents}, make_spec())
    assert encoded.num_words.tolist() == [len(words) for words in documents]
    assert encoded.word_seen.all()
    for number, words in enumerate(documents):
        row = slice(encoded.offsets[number], encoded.offsets[number + 1])
        held, first = encoded.words[row], encoded.first_pieces[row]
        assert held[first].tolist() == list(range(len(words)))
        assert (held[0], held[-1]) == (-1, -1)
        assert (np.diff(held[1:-1]) >= 0).all()


@given(words=st.one_of(PLAIN, ODD), max_length=st.integers(12, 40), overlap=st.integers(0, 9))
def test_windows_show_every_word_whole(tokenizer, words, max_length, overlap):
    whole = encode(tokenizer, {"tokens": [words]}, make_spec(4096))
    encoded = encode(tokenizer, {"tokens": [words]}, make_spec(max_length, overlap=overlap))
    assert encoded.word_seen.all()
    assert encoded.window_lengths.max() <= max_length
    counts = np.bincount(whole.words[whole.words >= 0], minlength=len(words))
    room = max_length - 2
    for start, stop in zip(encoded.offsets[:-1], encoded.offsets[1:], strict=True):
        held = encoded.words[start:stop]
        for word in set(held[held >= 0].tolist()):
            assert (held == word).sum() == min(counts[word], room)
            pieces = encoded.input_ids[start:stop][held == word]
            assert pieces.tolist() == whole.input_ids[whole.words == word][:room].tolist()
    assert encoded.lost.tolist() == [np.maximum(counts - room, 0).sum()]


@given(words=PLAIN, max_length=st.integers(4, 40), side=st.sampled_from(["right", "left"]))
def test_truncated_words_equal_the_tokenizers_own(tokenizer, words, max_length, side):
    tokenizer.truncation_side = side
    try:
        encoded = encode(tokenizer, {"tokens": [words]}, make_spec(max_length, "longest_first"))
        spaced = [
            word if number == 0 else prepare(tokenizer).word_prefix + word
            for number, word in enumerate(words)
        ]
        own = tokenizer([spaced], is_split_into_words=True, truncation=True, max_length=max_length)
    finally:
        tokenizer.truncation_side = "right"
    assert encoded.input_ids.tolist() == own["input_ids"][0]
    assert encoded.words.tolist() == [-1 if word is None else word for word in own.word_ids(0)]
    firsts = encoded.words[encoded.first_pieces].tolist()
    assert encoded.word_seen.tolist() == [number in firsts for number in range(len(words))]


def test_a_word_whose_first_piece_is_cut_off_is_not_seen(wordpiece_tokenizer):
    wordpiece_tokenizer.truncation_side = "left"
    try:
        words = ["zzz", "a"]  # zzz is z ##z ##z
        encoded = encode(wordpiece_tokenizer, {"tokens": [words]}, make_spec(5, "longest_first"))
    finally:
        wordpiece_tokenizer.truncation_side = "right"
    assert encoded.words.tolist() == [-1, 0, 0, 1, -1]
    assert encoded.first_pieces.tolist() == [False, False, False, True, False]
    assert encoded.word_seen.tolist() == [False, True]


@pytest.mark.parametrize("word", NO_PIECES)
def test_a_word_without_pieces_becomes_unknown(wordpiece_tokenizer, word):
    encoded = encode(wordpiece_tokenizer, {"tokens": [["a", word, "a"], [word]]}, make_spec())
    cls, sep, unknown = (wordpiece_tokenizer.convert_tokens_to_ids(t) for t in ("[CLS]", "[SEP]", "[UNK]"))
    a = wordpiece_tokenizer.convert_tokens_to_ids("a")
    assert encoded.input_ids.tolist() == [cls, a, unknown, a, sep, cls, unknown, sep]
    assert encoded.words.tolist() == [-1, 0, 1, 2, -1, -1, 0, -1]
    assert encoded.lengths.tolist() == [5, 3]


def test_without_an_unknown_piece_the_word_is_not_seen(wordpiece_tokenizer):
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=wordpiece_tokenizer.backend_tokenizer)
    assert tokenizer.unk_token is None
    encoded = encode(tokenizer, {"tokens": [["a", "", "a"]]}, make_spec())
    assert encoded.word_seen.tolist() == [True, False, True]
    assert encoded.words.tolist() == [-1, 0, 2, -1]


def test_documents_without_words(wordpiece_tokenizer):
    encoded = encode(wordpiece_tokenizer, {"tokens": [[], ["a"], []]}, make_spec())
    assert encoded.word_offsets.tolist() == [0, 0, 1, 1]
    assert encoded.window_lengths.tolist() == [2, 3, 2]


def test_a_tokenizer_that_drops_the_space_is_refused_for_words_only(modernbert_tokenizer):
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=modernbert_tokenizer.backend_tokenizer)
    tokenizer.backend_tokenizer.normalizer = normalizers.Strip()
    assert encode(tokenizer, {"text": ["a b"]}, make_spec()).num_windows == 1
    with pytest.raises(ConfigError, match="backbone must have a tokenizer that gives words the pieces"):
        encode(tokenizer, {"tokens": [["a", "b"]]}, make_spec())
