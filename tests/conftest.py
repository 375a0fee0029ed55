"""Settings of all tests, and the tokenizers, models and runs they share; long, as pytest looks only here."""

from __future__ import annotations

import csv
import json
import os
import random
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

# Before anything imports the libraries that read them.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
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


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory, wordpiece_tokenizer):
    """A folder with a random BERT of 2 layers and 32 dimensions, and its tokenizer: `backbone=local`."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("tiny_bert")
    config = BertConfig(
        vocab_size=len(wordpiece_tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        pad_token_id=wordpiece_tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    wordpiece_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def compose_config():
    """Return a function: (*overrides) -> the resolved config of `headway train`, as plain values."""
    from hydra import compose, initialize_config_module
    from omegaconf import OmegaConf

    from headway.config.search_path import register

    def composed(*overrides):
        register()
        with initialize_config_module("headway.conf", version_base="1.3"):
            cfg = compose("train", overrides=list(overrides))
        return OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)

    return composed


class FinishedRun(NamedTuple):
    """A run's folder and the file of its test split."""

    folder: Path
    file: Path


_WINDOWS = ("data.max_length=20", "data.truncation=windows", "data.overlap=4")
_FINISHED = {  # kind: suffix, overrides
    "class": (".csv", ("data.id=key", "data.text=body", "data.label=topic", *_WINDOWS)),
    "bf16": (".csv", ("data.text=body", "data.label=topic", "trainer.precision=bf16-mixed")),
    "pair": (".jsonl", ("data.text=question", "data.text_pair=body", "data.label=topic", "data.max_length=24",
                        "task.head.pooling=pooler")),
    "labels": (".parquet", ("task=multilabel", "data.text=body", "data.labels=[even,third]")),
    "score": (".tsv", ("task=regression", "data.text=body", "data.score=length")),
    "entities": (".conll", ("task=entities", "data.text=null", "data.tokens=0", "data.tags=1",
                            "data.scheme=IOB2", *_WINDOWS)),
    "words": (".jsonl", ("task=words", "data.text=null", "data.tokens=words", "data.tags=tags",
                         "data.max_length=16")),
}  # fmt: skip


def _finished_rows(count, seed):
    """Rows with an answer of every kind, of 2 to 40 words, so that some are cut."""
    draw = random.Random(seed)
    vocabulary = " ".join(CORPUS).split()
    for number in range(count):
        words = draw.choices(vocabulary, k=draw.randint(2, 40))
        yield {
            "key": f"row {seed}-{number}",
            "body": " ".join(words),
            "question": " ".join(words[:3]) + "?",
            "topic": ("earn", "grain", "ship")[number % 3],
            "even": str(int(number % 2 == 0)),
            "third": str(int(number % 3 == 0)),
            "length": str(len(words)),
            "words": words,
            "tags": ["upper" if word[0].isupper() else "lower" for word in words],
            "spans": ["B-NAME" if word[0].isupper() else "O" for word in words],
        }


def _write_rows(path, rows):
    if path.suffix == ".conll":
        sentences = ("\n".join(map(" ".join, zip(row["words"], row["spans"], strict=True))) for row in rows)
        path.write_text("\n\n".join(sentences) + "\n")
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        with path.open("w", newline="") as stream:
            names = [name for name, value in rows[0].items() if isinstance(value, str)]
            delimiter = "\t" if path.suffix == ".tsv" else ","
            writer = csv.DictWriter(stream, names, delimiter=delimiter, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory, tiny_bert, compose_config):
    """Return a function: kind -> a run of a few steps, trained once a session; the kinds are in _FINISHED."""

    @cache
    def backbone():
        """tiny_bert with weights ten times as large: fresh ones see next to nothing of the text."""
        from transformers import AutoModel, AutoTokenizer

        folder = tmp_path_factory.mktemp("lively_bert")
        model = AutoModel.from_pretrained(tiny_bert)
        for parameter in model.parameters():
            parameter.data *= 10 if parameter.ndim > 1 else 1
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(tiny_bert).save_pretrained(folder)
        return folder

    @cache
    def finished(kind):
        from headway.run import run

        folder = tmp_path_factory.mktemp(kind)
        suffix, overrides = _FINISHED[kind]
        for name, count, seed in (("train", 48, 0), ("test", 30, 1)):
            _write_rows(folder / f"{name}{suffix}", list(_finished_rows(count, seed)))
        cfg = compose_config(
            "backbone=local", f"backbone.name={backbone()}", "data=files", "data.max_length=32",
            "num_threads=1", "trainer.accelerator=cpu", "trainer.precision=32-true",
            "trainer.enable_progress_bar=false", "trainer.max_steps=4", "optimizer.lr=1e-3",
            "batching.batch_size=16", "data.eval_batch_size=8",
            f"cache_dir={folder / 'cache'}", f"data.train={folder / f'train{suffix}'}",
            f"data.test={folder / f'test{suffix}'}", "data.validation_ratio=0.25", *overrides,
        )  # fmt: skip
        return FinishedRun(run(cfg, folder / "run").folder, folder / f"test{suffix}")

    return finished


@pytest.fixture(scope="session")
def plain_bert(tiny_bert, tmp_path_factory):
    """tiny_bert without dropout: what a step does then depends on its windows alone."""
    from transformers import AutoModel, AutoTokenizer

    folder = tmp_path_factory.mktemp("plain_bert")
    model = AutoModel.from_pretrained(tiny_bert)
    model.config.hidden_dropout_prob = model.config.attention_probs_dropout_prob = 0.0
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_bert).save_pretrained(folder)
    return folder


@pytest.fixture
def tagged(tmp_path):
    """A file of 30 rows of words, each tagged as an animal or as something else."""
    animals = ("dog", "fox", "goalkeeper", "farmer")
    path = tmp_path / "tagged.jsonl"
    rows = []
    for i in range(30):
        tokens = ["the", animals[i % 4], "jumps", "unbelievably", "far"][: 2 + i % 4]
        rows.append({"tokens": tokens, "tags": ["ANIMAL" if word in animals else "OTHER" for word in tokens]})
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


@pytest.fixture
def written_run(tmp_path):
    """Return a function that writes a run's folder as a training would, from answers alone.

    (name, right, given) -> the folder; keywords set seed, settings of the config and parts of the record.
    """

    def written(name, right, given, *, labels=("no", "yes"), metric="accuracy", mode="max", seed=1,
                split="test", texts=None, ids=None, losses=None, chances=None,
                task="classification.Classification", cfg=None, record=None, curves=None,
                place=None):  # fmt: skip
        folder = (place or tmp_path / "runs") / name
        (folder / "predictions").mkdir(parents=True)
        rows = len(right)
        known = [0.5] * rows if losses is None else losses
        columns = {
            "id": [str(row) for row in range(rows)] if ids is None else ids,
            "text": [f"text {row}" for row in range(rows)] if texts is None else texts,
            "gold": right, "prediction": given, "loss": known,
        }  # fmt: skip
        if labels and task.startswith("classification"):
            columns["probabilities"] = chances or [[1 / len(labels)] * len(labels)] * rows
        table = pa.table(columns).replace_schema_metadata({"label_names": json.dumps(list(labels))})
        pq.write_table(table, folder / "predictions" / f"{split}.parquet")
        config = {
            "name": "runs", "seed": seed, "data_seed": seed, "output_dir": "outputs",
            "backbone": {"name": "tiny", "trainable": "all"}, "data": {"name": "mine", "train": "a.csv"},
            "task": {"metrics": {"_target_": f"headway.evaluation.metrics.{task}"}, "monitor": metric},
            "optimizer": {"lr": 0.001}, **(cfg or {}),
        }  # fmt: skip
        (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        facts = {
            "environment": {"python": "3.11.7", "argv": ["headway train"]}, "precision": "32-true",
            "monitor": {"name": f"val/{metric}", "mode": mode, "value": 0.5, "epoch": 1},
            "metrics": {},
            "collapsed": None, "lengths": {"train": {"documents": 100}},
            "seconds": {"fit": 4.0, "score": 1.0},
            **(record or {}),
        }  # fmt: skip
        (folder / "record.json").write_text(json.dumps(facts), encoding="utf-8")
        lines = [
            "step,train/loss,val/loss,val/accuracy",
            *(curves or ["9,0.9,,", "9,,0.8,0.5", "19,0.7,,", "19,,0.6,0.7"]),
        ]
        (folder / "metrics.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder

    return written
