"""The peer: `transformers.Trainer` with its own model classes, collators and samplers."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from transformers import (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from speed_parts.clocks import counted_seconds
from speed_parts.headway_side import model_folder
from speed_parts.machine import peak_mib
from speed_parts.works import Work, read_rows


@dataclass(frozen=True)
class Way:
    """How Trainer is used.

    Attributes:
        pad_to_max: Whether rows are padded to max_length (run_glue's default), else to the batch's longest.
        bf16: Autocast.
        grouped: train_sampling_strategy="group_by_length".
        best: Whether what costs time is off: progress bar, logging, saving, token counts, the NaN filter; and
            rows are Python lists instead of a `datasets.Dataset`. Fused AdamW is transformers' default.
        workers: Processes that make batches.
        keep_memory: Whether the C allocator is told to keep freed memory, as headway does. No setting of
            Trainer's; a knowing user could do it.
    """

    pad_to_max: bool = False
    bf16: bool = False
    grouped: bool = False
    best: bool = True
    workers: int = 0
    keep_memory: bool = False

    def arguments(self, work: Work, folder: str) -> TrainingArguments:
        """Return Trainer's arguments for a work.

        Args:
            work: Batch size, rate, epochs and seed.
            folder: Where Trainer may write.
        """
        quiet: dict[str, Any] = {
            "disable_tqdm": True,
            "logging_strategy": "no",
            "save_strategy": "no",
            "logging_nan_inf_filter": False,
            "dataloader_num_workers": self.workers,
            "dataloader_persistent_workers": self.workers > 0,
        }
        return TrainingArguments(
            output_dir=folder,
            use_cpu=True,
            bf16=self.bf16,
            per_device_train_batch_size=work.batch_size,
            num_train_epochs=work.epochs,
            learning_rate=work.lr,
            weight_decay=0.01,
            warmup_steps=0.1,  # a ratio, below 1
            train_sampling_strategy="group_by_length" if self.grouped else "random",
            optim="adamw_torch_fused",
            seed=work.seed,
            report_to=[],
            **(quiet if self.best else {}),
        )


class TrainerClock(TrainerCallback):
    """Marks epochs and steps as LightningClock does."""

    def __init__(self) -> None:
        self.marks: dict[str, list[float]] = {"epochs": [], "steps": []}

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Mark the start of an epoch."""
        self.marks["epochs"].append(time.perf_counter())

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Mark the end of a step."""
        self.marks["steps"].append(time.perf_counter())


class FirstToken(torch.nn.Module):
    """In place of a pooler: the first token's state and nothing else, as headway's pooling=cls."""

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Return (batch, hidden_size) of (batch, length, hidden_size)."""
        return states[:, 0]


def label_names(work: Work) -> list[str]:
    """Return the labels of the training rows, sorted."""
    rows = read_rows(work.train)
    if work.kind == "words":
        return sorted({tag for row in rows for tag in row["tags"]})
    return sorted({row["label"] for row in rows})


def encode_rows(work: Work, tokenizer: Any, *, path: str, names: list[str]) -> list[dict[str, Any]]:
    """Return encoded rows, unpadded.

    Args:
        work: The form of the rows.
        tokenizer: Fast.
        path: JSON Lines.
        names: Labels in order.
    """
    rows = read_rows(path)
    limit = {"max_length": work.max_length, "truncation": "only_second" if work.kind == "pair" else True}
    if work.kind == "words":
        encoded = tokenizer([row["tokens"] for row in rows], is_split_into_words=True, **limit)
        labels: list[Any] = []
        for number, row in enumerate(rows):
            words = encoded.word_ids(number)
            first = [
                word is not None and word != before
                for word, before in zip(words, [None, *words[:-1]], strict=True)
            ]
            labels.append(
                [
                    names.index(row["tags"][w]) if is_first else -100
                    for w, is_first in zip(words, first, strict=True)
                ]
            )
    else:
        pairs = [[row["text_pair"] for row in rows]] if work.kind == "pair" else []
        encoded = tokenizer([row["text"] for row in rows], *pairs, **limit)
        labels = [names.index(row["label"]) for row in rows]
    kept = [key for key in encoded if key in tokenizer.model_input_names]
    return [
        {**{key: encoded[key][number] for key in kept}, "labels": labels[number]}
        for number in range(len(rows))
    ]


def load_model(work: Work, folder: str, *, num_labels: int) -> Any:
    """Return transformers' model with a fresh head, drawn with the work's seed."""
    torch.manual_seed(work.seed)
    if work.kind == "words":
        return AutoModelForTokenClassification.from_pretrained(folder, num_labels=num_labels)
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=num_labels)
    if work.pooling == "cls":
        model.bert.pooler = FirstToken()
    return model


def collator(work: Work, way: Way, *, tokenizer: Any) -> Any:
    """Return Trainer's collator of a task, padding to max_length or to the longest."""
    kind = DataCollatorForTokenClassification if work.kind == "words" else DataCollatorWithPadding
    padding = {"padding": "max_length", "max_length": work.max_length} if way.pad_to_max else {}
    return kind(tokenizer, **padding)


def throughput(work: Work, way: Way, *, threads: int) -> dict[str, float]:
    """Train with Trainer and return what the last epoch came to.

    Args:
        work: Its last epoch is timed, the others warm up.
        way: How Trainer is used.
        threads: CPU threads.

    Returns:
        samples_per_second, seconds and peak_mib.
    """
    from headway.allocator import keep_freed_memory

    torch.set_num_threads(threads)
    if way.keep_memory:
        keep_freed_memory()
    folder = model_folder()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    names = label_names(work)
    rows = encode_rows(work, tokenizer, path=work.train, names=names)
    clock = TrainerClock()
    with tempfile.TemporaryDirectory() as name:
        trainer = Trainer(
            load_model(work, folder, num_labels=len(names)),
            way.arguments(work, name),
            data_collator=collator(work, way, tokenizer=tokenizer),
            train_dataset=rows if way.best else Dataset.from_list(rows),
            processing_class=tokenizer,
            callbacks=[clock],
        )
        trainer.train()
    seconds = counted_seconds(clock.marks, epochs=work.epochs)
    tokens = int(np.sum([len(row["input_ids"]) for row in rows]))
    return {
        "samples_per_second": len(rows) / seconds,
        "seconds": seconds,
        "tokens": tokens,
        "peak_mib": peak_mib(),
    }
