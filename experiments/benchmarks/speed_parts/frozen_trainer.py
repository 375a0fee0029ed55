"""One epoch of transformers.Trainer with a frozen encoder, which a script that re-encodes runs every time."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from typing import Any

import torch
from transformers import AutoTokenizer, Trainer

from speed_parts.clocks import counted_seconds
from speed_parts.headway_side import model_folder
from speed_parts.trainer_peer import TrainerClock, Way, collator, encode_rows, label_names, load_model
from speed_parts.works import Work


def epoch_seconds(work: Work, way: dict[str, Any], *, threads: int) -> float:
    """Return the seconds of one epoch of training the head, and of validation after it.

    Args:
        work: Its rows; one epoch is run, whatever it says.
        way: Fields of Way.
        threads: CPU threads.
    """
    torch.set_num_threads(threads)
    one, used = replace(work, epochs=1), Way(**way)
    tokenizer = AutoTokenizer.from_pretrained(model_folder())
    names = label_names(one)
    model = load_model(one, model_folder(), num_labels=len(names))
    model.base_model.requires_grad_(False)
    clock = TrainerClock()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model,
            used.arguments(one, folder),
            data_collator=collator(one, used, tokenizer=tokenizer),
            train_dataset=encode_rows(one, tokenizer, path=one.train, names=names),
            eval_dataset=encode_rows(one, tokenizer, path=one.validation, names=names),
            processing_class=tokenizer,
            callbacks=[clock],
        )
        trainer.train()
        seconds = counted_seconds(clock.marks, epochs=1)
        start = time.perf_counter()
        trainer.evaluate()
        return seconds + time.perf_counter() - start
