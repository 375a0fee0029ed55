"""A whole training with `transformers.Trainer`: the best epoch on validation, scored on test."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from sklearn.metrics import accuracy_score, f1_score
from transformers import AutoTokenizer, Trainer

from speed_parts.headway_side import model_folder
from speed_parts.trainer_peer import Way, collator, encode_rows, label_names, load_model
from speed_parts.works import Work


def scores_of(work: Work, names: list[str], *, logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return the metrics that headway's record has, too, by scikit-learn and seqeval.

    Args:
        work: Says whether words or texts are labelled.
        names: Labels in order.
        logits: (rows, num_labels), or (rows, length, num_labels).
        labels: (rows,), or (rows, length) with -100 where nothing is labelled.
    """
    predicted = logits.argmax(-1)
    if work.kind != "words":
        return {
            "accuracy": float(accuracy_score(labels, predicted)),
            "f1_macro": float(f1_score(labels, predicted, average="macro")),
        }
    from seqeval.metrics import f1_score as entity_f1

    gold, found = (
        [
            [names[tag] for tag, label in zip(row, mask, strict=True) if label != -100]
            for row, mask in zip(tags, labels, strict=True)
        ]
        for tags in (labels, predicted)
    )
    return {"entity_f1": float(entity_f1(gold, found))}


def train(work: Work, way: Way, *, threads: int) -> dict[str, Any]:
    """Train to the end and score the best epoch.

    Args:
        work: Has a test split; its epochs, rate and seed are used.
        way: How Trainer is used.
        threads: CPU threads.

    Returns:
        test, metric -> value; and the seconds of training and validation.
    """
    torch.set_num_threads(threads)
    tokenizer = AutoTokenizer.from_pretrained(model_folder())
    names = label_names(work)
    splits = {
        name: encode_rows(work, tokenizer, path=path, names=names)
        for name, path in (("train", work.train), ("validation", work.validation), ("test", work.test))
    }
    with tempfile.TemporaryDirectory() as folder:
        arguments = replace(
            way.arguments(work, folder),
            eval_strategy="epoch",
            save_strategy="epoch",
            save_total_limit=1,
            save_only_model=True,
            load_best_model_at_end=True,
            metric_for_best_model="entity_f1" if work.kind == "words" else "f1_macro",
            greater_is_better=True,
            per_device_eval_batch_size=64,
        )
        trainer = Trainer(
            load_model(work, model_folder(), num_labels=len(names)),
            arguments,
            data_collator=collator(work, way, tokenizer=tokenizer),
            train_dataset=splits["train"],
            eval_dataset=splits["validation"],
            processing_class=tokenizer,
            compute_metrics=lambda found: scores_of(
                work, names, logits=found.predictions, labels=found.label_ids
            ),
        )
        begin = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - begin
        found = trainer.predict(splits["test"])
    test = scores_of(work, names, logits=found.predictions, labels=found.label_ids)
    return {"test": test, "seconds": seconds}
