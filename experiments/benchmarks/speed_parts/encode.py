"""Texts a second through a frozen encoder, from text to vectors, against sentence-transformers' `encode`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from speed_parts.options import Options, verdict
from speed_parts.rounds import Found, best_of, interleaved, middle, ratio
from speed_parts.works import read_rows, split_rows, write_rows

HEADWAY = {"headway": "auto", "headway fp32": "32-true"}
BATCHES = (32, 64)
PEERS = {
    f"sentence-transformers {kind} batch {size}": {"bf16": kind == "bf16", "batch_size": size}
    for kind in ("fp32", "bf16")
    for size in BATCHES
}
AIM = 2.0
RATE = "texts_per_second"


def contend(contender: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Encode all texts twice and time the second pass; runs in a process of its own.

    Args:
        contender: Of HEADWAY or PEERS.
        settings: rows, threads, max_length, and precision, or batch_size and bf16.
    """
    import torch

    torch.set_num_threads(settings["threads"])
    texts = [row["text"] for row in read_rows(settings["rows"])]
    with tempfile.TemporaryDirectory() as folder:
        encode = _headway(settings, Path(folder)) if contender in HEADWAY else _peer(settings)
        encode(texts[: len(texts) // 4 + 1])  # kernels are compiled
        start = time.perf_counter()
        vectors = encode(texts)
        seconds = time.perf_counter() - start
    return {
        RATE: len(texts) / seconds,
        "seconds": seconds,
        "sample": vectors[:: max(1, len(texts) // 20)][:, :4].tolist(),
    }


def _peer(settings: dict[str, Any]) -> Any:
    """Return sentence-transformers' encode of the same model, with mean pooling and nothing after it."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    from speed_parts.headway_side import model_folder

    body = Transformer(
        model_folder(),
        max_seq_length=settings["max_length"],
        model_kwargs={"dtype": torch.bfloat16 if settings["bf16"] else torch.float32},
    )
    model = SentenceTransformer(
        modules=[body, Pooling(body.get_embedding_dimension(), pooling_mode="mean")], device="cpu"
    )

    def encode(texts: list[str]) -> Any:
        """Return (texts, hidden_size) float32."""
        vectors = model.encode(texts, batch_size=settings["batch_size"], convert_to_tensor=True)
        return vectors.float().numpy()

    return encode


def _headway(settings: dict[str, Any], folder: Path) -> Any:
    """Return a function that encodes texts as headway does, with nothing cached."""
    from speed_parts.frozen_encoding import FrozenEncoding

    return FrozenEncoding(
        max_length=settings["max_length"], precision=settings["precision"], folder=folder
    ).encode


def measure(options: Options) -> Found:
    """Encode R8's texts with every contender.

    Args:
        options: Of the command line.
    """
    count, max_length = options.size(2000, 48), 256
    rows = options.outputs / "rows" / f"r8-texts-{count}.jsonl"
    if not rows.is_file():
        splits = split_rows("r8")
        write_rows(rows, [row for split in splits.values() for row in split][:count])
    told: dict[str, dict[str, Any]] = {name: {"precision": kind} for name, kind in HEADWAY.items()}
    told |= PEERS if not options.quick else dict(list(PEERS.items())[:: len(BATCHES)])
    common = {"rows": str(rows), "max_length": max_length}
    found = interleaved("encode", told, options=options, rounds=options.times(3), shown=RATE, common=common)
    return {**found, "texts": count, "max_length": max_length}


def _apart(found: Found, pair: tuple[str, str]) -> float:
    """Return the largest difference of some values of two contenders' vectors."""
    pairs = zip(*(found["contenders"][name][0]["sample"] for name in pair), strict=True)
    return max(abs(a - b) for first, second in pairs for a, b in zip(first, second, strict=True))


def lines(found: Found) -> list[str]:
    """Return the page's section."""
    peers = [name for name in found["contenders"] if name not in HEADWAY]
    exact = [name for name in peers if "fp32" in name]
    best, best_exact = best_of(found, peers, key=RATE), best_of(found, exact, key=RATE)
    text = [
        f"The {found['texts']} texts of Reuters R8, at most {found['max_length']} tokens, from text to the "
        "mean of the last states: tokens and encoder are counted, loading is not; nothing is cached. "
        f"Medians of {found['rounds']} rounds.",
        "",
        "| contender | texts/s |",
        "|---|---|",
        *(f"| {name} | {middle(found, name, key=RATE):.1f} |" for name in found["contenders"]),
        "",
    ]
    for own, peer in (("headway", best), ("headway fp32", best_exact)):
        times = ratio(found, (own, peer), key=RATE)
        text.append(
            f"{own} against the fastest{' in fp32' if peer is best_exact else ''}, `{peer}`: {times:.2f} "
            f"times (aim {verdict(times, AIM)}); vectors differ by at most {_apart(found, (own, peer)):.1e}. "
        )
    return [*text, f"headway fp32 and headway differ by {_apart(found, ('headway fp32', 'headway')):.1e}."]
