"""Rows to fine-tune on, written once as JSON Lines that both sides read: real texts, known lengths."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

MEDIAN, P95, LONGEST, SHORTEST = 20, 60, 128, 4
"""Tokens of the sentence-like lengths: a lognormal draw, cut to SHORTEST and LONGEST."""


@dataclass(frozen=True)
class Work:
    """One fine-tuning: its rows, the form of its task, and what both sides set alike.

    Attributes:
        name: In tables.
        kind: "text", "pair" or "words".
        train: JSON Lines with text (and text_pair) and label, or tokens and tags.
        validation: Likewise; for throughput a few rows, since training alone is timed.
        test: Likewise; "" without.
        max_length: Tokens.
        pooling: "pooler", as BertForSequenceClassification has it; "cls": dropout and a linear layer on the
            first token's state; ignored for words.
        batch_size: Rows.
        epochs: Of training; of throughput the last alone is timed.
        lr: Peak learning rate; up over the first tenth of the steps, then down in a line.
        seed: Of weights, order and dropout.
    """

    name: str
    kind: str
    train: str
    validation: str
    test: str = ""
    max_length: int = 128
    pooling: str = "pooler"
    batch_size: int = 32
    epochs: int = 2
    lr: float = 5e-5
    seed: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def with_seed(self, seed: int) -> Work:
        """Return the same work with another seed."""
        return replace(self, seed=seed)

    def overrides(self) -> list[str]:
        """Return what tells headway the same: overrides of `headway train`."""
        columns = {
            "text": ["data.label=label"],
            "pair": ["data.label=label", "data.text_pair=text_pair", "data.truncation=only_second"],
            "words": ["task=entities", "data.text=null", "data.tokens=tokens", "data.tags=tags"],
        }[self.kind]
        windows = ("data.scheme=IOB2", "data.truncation=windows", "data.overlap=32")
        words = windows if self.kind == "words" else [f"task.head.pooling={self.pooling}"]
        return [
            *("data=files", f"data.train={self.train}", f"data.validation={self.validation}"),
            *([f"data.test={self.test}"] if self.test else ["score_splits=[validation]"]),
            *columns,
            *words,
            f"data.max_length={self.max_length}",
            f"batching.batch_size={self.batch_size}",
            f"trainer.max_epochs={self.epochs}",
            f"optimizer.lr={self.lr}",
            f"seed={self.seed}",
            "trainer.enable_progress_bar=false",
        ]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> str:
    """Write JSON Lines and return the path as text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    partial.replace(path)
    return str(path)


def read_rows(path: str) -> list[dict[str, Any]]:
    """Return the rows of JSON Lines."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def split_rows(data: str, *, kind: str = "text") -> dict[str, list[dict[str, Any]]]:
    """Return the rows of one of headway's data sets, in its own splits.

    Args:
        data: An option of the group `data`.
        kind: "text", "pair" or "words", which decides the task.

    Returns:
        Split -> rows with canonical column names.
    """
    from headway.assembly import build_data
    from speed_parts.headway_side import compose

    task = "entities" if kind == "words" else "classification"
    read = build_data(compose(f"data={data}", f"task={task}"))
    read.read()
    roles = read.roles
    names = [
        ("tokens", roles.tokens),
        ("text", roles.text if roles.tokens is None else None),
        ("text_pair", roles.text_pair),
        ("label", roles.label),
        ("tags", roles.tags),
    ]
    used = [name for name, column in names if column is not None]
    return {
        split: [
            dict(zip(used, values, strict=True))
            for values in zip(*(table.column(name) for name in used), strict=True)
        ]
        for split, table in read.tables.items()
    }


def drawn_lengths(count: int, *, seed: int) -> np.ndarray:
    """Return sentence-like lengths.

    Args:
        count: How many.
        seed: Of the draw.

    Returns:
        (count,) int64 tokens, special tokens included.
    """
    spread = np.log(P95 / MEDIAN) / 1.6449  # the 95th percentile of a standard normal
    drawn = np.random.default_rng(seed).lognormal(np.log(MEDIAN), spread, size=count)
    return np.clip(drawn.round(), SHORTEST, LONGEST).astype(np.int64)


def sentence_like(folder: Path, count: int, *, seed: int = 0) -> Work:
    """Write rows of Reuters R8 cut to drawn lengths, and return the work.

    Args:
        folder: Where they are written, unless they are there.
        count: Rows.
        seed: Of the draw.
    """
    train, validation = folder / f"sentences-{count}.jsonl", folder / f"sentences-{count}-few.jsonl"
    if not train.is_file():
        rows = _cut(split_rows("r8")["train"], drawn_lengths(count, seed=seed), seed=seed)
        write_rows(validation, rows[:32])
        write_rows(train, rows)
    return Work("sentences", "text", str(train), str(validation), max_length=LONGEST)


def _cut(rows: list[dict[str, Any]], lengths: np.ndarray, *, seed: int) -> list[dict[str, Any]]:
    """Return a row for each length: words of a random text, up to that many tokens."""
    from transformers import AutoTokenizer

    from speed_parts.headway_side import model_folder

    tokenizer = AutoTokenizer.from_pretrained(model_folder())
    encoded = tokenizer([row["text"] for row in rows], add_special_tokens=False, return_offsets_mapping=True)
    sizes = np.array([len(ids) for ids in encoded["input_ids"]])
    rng = np.random.default_rng((seed, 1))
    cut = []
    for length in lengths.tolist():
        index = int(rng.choice(np.flatnonzero(sizes >= length - 2)))
        end = encoded["offset_mapping"][index][length - 3][1]
        cut.append({"text": rows[index]["text"][:end], "label": rows[index]["label"]})
    return cut
