"""A plain fine-tuning script, as users of transformers write it; ends after its first optimizer step.

    python -m speed_parts.trainer_script MODEL TRAIN VALIDATION CACHE MARK THREADS [--bf16]

The time at the end of that step is written to MARK.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
from datasets import load_dataset
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)


class EndAfterFirstStep(TrainerCallback):
    """Writes the time and ends the process."""

    def __init__(self, path: str) -> None:
        self.path = path

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Write, and end without any tidying, which would be counted in neither."""
        Path(self.path).write_text(repr(time.time()))
        os._exit(0)


def main() -> None:
    """Load, tokenise, train."""
    model_path, train, validation, cache, mark, threads = sys.argv[1:7]
    torch.set_num_threads(int(threads))
    files = {"train": train, "validation": validation}
    rows = load_dataset("json", data_files=files, cache_dir=cache)
    tokenizer = AutoTokenizer.from_pretrained(model_path)
    names = sorted(set(rows["train"]["label"]))

    def encode(batch: dict[str, list[str]]) -> dict[str, Any]:
        """Return token ids and label numbers."""
        encoded = tokenizer(batch["text"], truncation=True, max_length=128)
        return {**encoded, "labels": [names.index(label) for label in batch["label"]]}

    encoded = rows.map(encode, batched=True, remove_columns=rows["train"].column_names)
    arguments = TrainingArguments(
        output_dir="run",
        use_cpu=True,
        bf16="--bf16" in sys.argv,
        per_device_train_batch_size=32,
        num_train_epochs=2,
        weight_decay=0.01,
        warmup_steps=0.1,
        report_to=[],
        disable_tqdm=True,
    )
    Trainer(
        AutoModelForSequenceClassification.from_pretrained(model_path, num_labels=len(names)),
        arguments,
        data_collator=DataCollatorWithPadding(tokenizer),
        train_dataset=encoded["train"],
        eval_dataset=encoded["validation"],
        processing_class=tokenizer,
        callbacks=[EndAfterFirstStep(mark)],
    ).train()


if __name__ == "__main__":
    main()
