"""Small trainings of four kinds, made on the spot: a random BERT, its tokenizer, rows, configs."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

TEXT = """
oil prices rise as opec cuts output while grain shipments wait in the harbour and traders expect earnings of
banks to fall after unbelievably long talks about interest rates in brussels ended without agreement
"""
WORDS = TEXT.split()

KINDS = {
    "single": ("data.text=body", "data.label=topic", "task.monitor=f1_macro"),
    "pair": ("data.text=question", "data.text_pair=body", "data.label=topic", "task.monitor=f1_macro"),
    "words": ("task=words", "data.text=null", "data.tokens=words", "data.tags=tags"),
    "windows": ("data.text=body", "data.label=topic", "data.max_length=16", "data.truncation=windows",
                "data.overlap=4", "task.monitor=f1_macro"),
}  # fmt: skip


def make_rows(path: Path, count: int = 40) -> Path:
    """Write rows with all that the four kinds read; return the file."""
    draw = random.Random(0)
    rows = []
    for number in range(count):
        words = draw.choices(WORDS, k=draw.randint(3, 30))
        tags = ["long" if len(word) > 4 else "short" for word in words]
        row = {"body": " ".join(words), "question": " ".join(words[:3]), "topic": "ab"[number % 2]}
        rows.append({**row, "words": words, "tags": tags})
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def make_bert(folder: Path) -> Path:
    """Write a random BERT of 2 layers and 32 dimensions with a tokenizer; return its folder."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # a process that is killed while it draws one keeps tqdm's lock from all others
    special = {"unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "pad": "[PAD]", "mask": "[MASK]"}
    # Not trained: the trainer numbers pieces in the order of a hash table that is another in each process,
    # and with them every training here would be another one.
    letters = sorted(set("".join(WORDS)))
    pieces = [*special.values(), *letters, *(f"##{each}" for each in letters), *sorted(set(WORDS))[::2]]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=ends
    )
    names = {f"{role}_token": token for role, token in special.items()}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)
    config = BertConfig(
        vocab_size=len(fast),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def compose(*overrides: str) -> dict[str, Any]:
    """Return the resolved config of `headway train OVERRIDES`, as plain values."""
    import hydra
    from omegaconf import OmegaConf

    from headway.config.search_path import register

    register()
    with hydra.initialize_config_module("headway.conf", version_base="1.3"):
        cfg = hydra.compose("train", overrides=list(overrides))
    plain: Any = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    return dict(plain)


def words_of(kind: str, work: Path, *more: str) -> list[str]:
    """Return the overrides of a training of 3 epochs of 5 steps; `work` holds `bert` and `rows.jsonl`."""
    size = [] if "batching=tokens" in more else ["batching.batch_size=8"]
    return [
        "backbone=local", f"backbone.name={work / 'bert'}", "data=files", f"data.train={work / 'rows.jsonl'}",
        f"data.validation={work / 'rows.jsonl'}", "data.max_length=24", "num_threads=1",
        "trainer.accelerator=cpu", "trainer.precision=32-true", "trainer.enable_progress_bar=false",
        "trainer.log_every_n_steps=2", "optimizer.lr=1e-3", "score_splits=[validation]",
        "callbacks.checkpoint.every_n_steps=2", f"cache_dir={work / 'cache'}", *KINDS[kind], *size, *more,
    ]  # fmt: skip
