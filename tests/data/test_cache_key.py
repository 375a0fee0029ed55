"""The key of a kept encoding changes with all that decides it, and with nothing else."""

import subprocess
import sys
from dataclasses import replace
from itertools import combinations

import pytest
from transformers import PreTrainedTokenizerFast

from headway.data.cache_key import cache_key, hash_examples
from headway.data.encoding import EncodingSpec
from headway.data.pieces import prepare

SPEC = EncodingSpec(
    max_length=128, truncation="windows", overlap=0, subword_labels="first", token_type_ids=True
)


def key_of(tokenizer, spec=SPEC, data_hash="data"):
    return cache_key(prepare(tokenizer), spec, data_hash=data_hash)


def test_different_examples_have_different_hashes():
    examples = [
        {"text": []},
        {"text": ["ab", "c"]},
        {"text": ["a", "bc"]},
        {"text": ["abc"]},
        {"text": ["c", "ab"]},
        {"text": ["ab"], "text_pair": ["c"]},
        {"text": ["ab", "c"], "text_pair": ["", ""]},
        {"tokens": [["ab", "c"]]},
        {"tokens": [["ab"], ["c"]]},
        {"tokens": [["ab", "c"], []]},
        {"tokens": [["ab 1;c"]]},
        {"text": ["1;ab"]},
    ]
    hashes = [hash_examples(one) for one in examples]
    for one, other in combinations(range(len(hashes)), 2):
        assert hashes[one] != hashes[other], (examples[one], examples[other])


def test_an_absent_pair_is_no_pair():
    assert hash_examples({"text": ["a"], "text_pair": None}) == hash_examples({"text": ["a"]})


@pytest.mark.parametrize(
    "changes",
    [
        {"max_length": 127},
        {"truncation": "longest_first"},
        {"overlap": 1},
        {"token_type_ids": False},
    ],
)
def test_the_spec_decides(wordpiece_tokenizer, changes):
    assert key_of(wordpiece_tokenizer, replace(SPEC, **changes)) != key_of(wordpiece_tokenizer)


def test_the_data_decide(wordpiece_tokenizer):
    assert key_of(wordpiece_tokenizer, data_hash="other") != key_of(wordpiece_tokenizer)


def test_labels_of_continuations_do_not(wordpiece_tokenizer):
    assert key_of(wordpiece_tokenizer, replace(SPEC, subword_labels="all")) == key_of(wordpiece_tokenizer)


def test_the_tokenizer_decides(
    wordpiece_tokenizer, modernbert_tokenizer, roberta_tokenizer, roberta_prefix_tokenizer
):
    tokenizers = [wordpiece_tokenizer, modernbert_tokenizer, roberta_tokenizer, roberta_prefix_tokenizer]
    left = PreTrainedTokenizerFast(
        tokenizer_object=wordpiece_tokenizer.backend_tokenizer, unk_token="[UNK]", truncation_side="left"
    )
    no_unknown = PreTrainedTokenizerFast(tokenizer_object=wordpiece_tokenizer.backend_tokenizer)
    longer = PreTrainedTokenizerFast(
        tokenizer_object=wordpiece_tokenizer.backend_tokenizer, unk_token="[UNK]"
    )
    longer.add_tokens(["Brussels"])
    plain = PreTrainedTokenizerFast(
        tokenizer_object=wordpiece_tokenizer.backend_tokenizer, unk_token="[UNK]", split_special_tokens=True
    )
    keys = [key_of(tokenizer) for tokenizer in (*tokenizers, left, no_unknown, longer, plain)]
    assert len(set(keys)) == len(keys)


def test_padding_and_truncation_that_a_call_left_behind_do_not(roberta_tokenizer):
    before = key_of(roberta_tokenizer)
    roberta_tokenizer("a", truncation=True, max_length=7, padding="max_length")
    assert key_of(roberta_tokenizer) == before


def test_the_same_for_every_copy(tokenizer):
    """Each copy orders its hash maps anew."""
    assert len({prepare(tokenizer).fingerprint() for _ in range(5)}) == 1


@pytest.mark.slow
def test_the_same_in_another_process(tmp_path, unigram_tokenizer):
    unigram_tokenizer.save_pretrained(tmp_path)
    code = (
        "import sys; from transformers import AutoTokenizer; from headway.data.encoding import EncodingSpec;"
        "from headway.data.cache_key import cache_key, hash_examples;"
        "from headway.data.pieces import prepare;"
        f"print(cache_key(prepare(AutoTokenizer.from_pretrained(sys.argv[1])), {SPEC!r},"
        "data_hash=hash_examples({'text': ['a', 'b']})))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert other == key_of(unigram_tokenizer, data_hash=hash_examples({"text": ["a", "b"]}))
