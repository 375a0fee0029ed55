"""A plain script: encode once, keep the features, train each head with a DataLoader.

    python -m speed_parts.caching_script '{"work": …, "trials": …, "threads": …, "model": …}' FOUND

It imports what it needs and no more, and encodes with like lengths together, in bf16 where the processor
has it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from transformers import AutoModel, AutoTokenizer


def read(path: str) -> list[dict[str, Any]]:
    """Return the rows of JSON Lines."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def encode(model: Any, tokenizer: Any, *, texts: list[str], max_length: int) -> Tensor:
    """Return the states of the first tokens, (texts, hidden_size) float32."""
    tokens = tokenizer(texts, truncation=True, max_length=max_length)
    order = sorted(range(len(texts)), key=lambda index: len(tokens["input_ids"][index]))
    features = torch.empty(len(texts), model.config.hidden_size)
    bf16 = bool(torch.cpu.get_capabilities().get("avx512_bf16"))
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        for start in range(0, len(order), 64):
            chunk = order[start : start + 64]
            rows = {key: [tokens[key][index] for index in chunk] for key in tokens}
            batch = tokenizer.pad(rows, return_tensors="pt")
            features[chunk] = model(**batch).last_hidden_state[:, 0].float()
    return features


def train(
    trial: dict[str, float], data: dict[str, tuple[Tensor, Tensor]], *, epochs: int, batch_size: int
) -> float:
    """Train one head and return its best accuracy on validation."""
    features, labels = data["train"]
    head = nn.Sequential(nn.Dropout(trial["dropout"]), nn.Linear(features.shape[1], int(labels.max()) + 1))
    nn.init.normal_(head[1].weight, std=0.02)
    nn.init.zeros_(head[1].bias)
    optimizer = torch.optim.AdamW(
        head.parameters(), lr=trial["lr"], weight_decay=trial["weight_decay"], fused=True
    )
    loader = DataLoader(TensorDataset(features, labels), batch_size=batch_size, shuffle=True)
    total = epochs * len(loader)
    warmup = max(1, total // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(step / warmup, (total - step) / max(1, total - warmup))
    )
    best = 0.0
    for _ in range(epochs):
        head.train()
        for batch, gold in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(head(batch), gold).backward()
            nn.utils.clip_grad_norm_(head.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        head.eval()
        with torch.no_grad():
            held, gold = data["validation"]
            best = max(best, float((head(held).argmax(-1) == gold).float().mean()))
    return best


def main() -> None:
    """Encode, train every trial, and write the best accuracy."""
    told = json.loads(sys.argv[1])
    torch.set_num_threads(told["threads"])
    torch.manual_seed(1)
    work = told["work"]
    tokenizer = AutoTokenizer.from_pretrained(told["model"])
    model = AutoModel.from_pretrained(told["model"], add_pooling_layer=False).eval()
    splits = {split: read(work[split]) for split in ("train", "validation", "test")}
    names = sorted({row["label"] for row in splits["train"]})
    start = time.perf_counter()
    data = {
        split: (
            encode(model, tokenizer, texts=[row["text"] for row in rows], max_length=work["max_length"]),
            torch.tensor([names.index(row["label"]) for row in rows]),
        )
        for split, rows in splits.items()
    }
    encoding = time.perf_counter() - start
    scores = [
        train(trial, data, epochs=work["epochs"], batch_size=work["batch_size"]) for trial in told["trials"]
    ]
    Path(sys.argv[2]).write_text(json.dumps({"best_accuracy": max(scores), "encode_seconds": encoding}))


if __name__ == "__main__":
    main()
