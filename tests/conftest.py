"""Settings of all tests, and tokenizers of four kinds, trained here on a few sentences."""

from __future__ import annotations

import json
import os
import re

# Before anything imports the libraries that read them.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
from hypothesis import settings
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast, RobertaTokenizer

settings.register_profile("headway", deadline=None, derandomize=True, database=None, max_examples=60)
settings.load_profile("headway")

CORPUS = """
The quick brown fox jumps over the lazy dog while the farmer sleeps.
European Union officials rejected the German call to boycott British lamb on Thursday.
Peter Blackburn reported from Brussels that the ministers could not agree on anything.
A film this long needs a story, and this story needs an ending that is earned.
Shares in the company fell 12.5 percent after the quarterly results disappointed investors.
We are trapped on the roof, please send water, food and medicine as soon as possible!
Does the moon have an atmosphere? The moon has only a very thin one.
Unbelievably, the goalkeeper scored the winning goal in the ninetieth minute of the match.
She's reading "The Old Man and the Sea" again; it isn't her favourite, but it's short.
In 1996, Germany beat the Czech Republic in the final of the European championship.
""".strip().splitlines()

_BERT_SPECIALS = {"cls": "[CLS]", "sep": "[SEP]", "unk": "[UNK]", "pad": "[PAD]", "mask": "[MASK]"}
_ROBERTA_SPECIALS = {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"}


@pytest.fixture(scope="session")
def corpus_words():
    """Lowercase words of the corpus: no tokenizer here has an unknown piece for one."""
    return sorted(set(re.findall("[a-z]+", " ".join(CORPUS))))


def _names(specials):
    return {f"{role}_token": token for role, token in specials.items()}


def _bert_template(tokenizer):
    pieces = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    return processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=pieces
    )


def _byte_level(specials):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=list(specials.values()),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


@pytest.fixture(scope="session")
def wordpiece_tokenizer():
    """As BERT's: lowercased, [CLS] a [SEP] b [SEP], token types 0 and 1."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    trainer = trainers.WordPieceTrainer(
        vocab_size=220, special_tokens=list(_BERT_SPECIALS.values()), show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = _bert_template(tokenizer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **_names(_BERT_SPECIALS))


def _roberta(add_prefix_space):
    model = json.loads(_byte_level(_ROBERTA_SPECIALS).to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    return RobertaTokenizer(vocab=model["vocab"], merges=merges, add_prefix_space=add_prefix_space)


@pytest.fixture(scope="session")
def roberta_tokenizer():
    """Byte-level BPE without the prefix space, as roberta-base is published: <s> a </s></s> b </s>."""
    return _roberta(add_prefix_space=False)


@pytest.fixture(scope="session")
def roberta_prefix_tokenizer():
    """The same with add_prefix_space, as transformers wants it for words."""
    return _roberta(add_prefix_space=True)


@pytest.fixture(scope="session")
def modernbert_tokenizer():
    """Byte-level BPE with BERT's special tokens, as ModernBERT's; missing from lists of byte-level models."""
    tokenizer = _byte_level(_BERT_SPECIALS)
    tokenizer.post_processor = _bert_template(tokenizer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **_names(_BERT_SPECIALS))


@pytest.fixture(scope="session")
def unigram_tokenizer():
    """As SentencePiece's in DeBERTa-v3: a word starts with a visible space."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=220,
        special_tokens=list(_BERT_SPECIALS.values()),
        unk_token="[UNK]",
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = _bert_template(tokenizer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **_names(_BERT_SPECIALS))


@pytest.fixture(
    scope="session",
    params=["wordpiece", "roberta", "roberta_prefix", "modernbert", "unigram"],
    name="tokenizer",
)
def any_tokenizer(request):
    """Each kind of tokenizer in turn."""
    return request.getfixturevalue(f"{request.param}_tokenizer")
