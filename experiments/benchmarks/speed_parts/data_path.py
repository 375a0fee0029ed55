"""Samples a second from store to batch, against datasets, DataLoader and DataCollatorWithPadding."""

from __future__ import annotations

import time
from typing import Any

from speed_parts.options import Options, verdict
from speed_parts.rounds import Found, interleaved, middle, ratio
from speed_parts.works import Work, sentence_like

AIM = 50.0
RATE = "samples_per_second"
HEADWAY = "headway"
PEERS = {
    "datasets, DataLoader, DataCollatorWithPadding": {"lists": False, "pad_to_max": False},
    "the same on Python lists": {"lists": True, "pad_to_max": False},
    "the same on Python lists, padded to 128": {"lists": True, "pad_to_max": True},
}


def contend(contender: str, settings: dict[str, Any]) -> dict[str, float]:
    """Make every batch of an epoch, and throw it away; the first epoch warms up.

    Args:
        contender: "headway" or of PEERS.
        settings: work, cache, epochs, and how the peer holds its rows.
    """
    work = Work(**settings["work"])
    epochs = _headway(work, settings) if contender == HEADWAY else _peer(work, settings)
    count = sum(1 for _ in next(epochs))
    samples, seconds = 0, 0.0
    for _ in range(settings["epochs"]):
        start = time.perf_counter()
        batches = next(epochs)
        samples += sum(batches)
        seconds += time.perf_counter() - start
    return {RATE: samples / seconds, "seconds": seconds, "batches": count}


def _headway(work: Work, settings: dict[str, Any]) -> Any:
    """Yield epochs of headway's own loader: each an iterator over the batches' numbers of rows."""
    from headway.assembly import build_backbone, build_data, encode_data
    from headway.config.build import build
    from headway.data.datamodule import DataModule
    from speed_parts.headway_side import compose

    cfg = compose(*work.overrides(), f"cache_dir={settings['cache']}")
    data, backbone = build_data(cfg), build_backbone(cfg)
    data.read()
    encode_data(data, backbone, backbone.load_tokenizer())
    loaders = DataModule(data, batching=build(cfg["batching"], key="batching"), data_seed=1, accumulate=1)
    loader: Any = loaders.train_dataloader()
    for epoch in range(settings["epochs"] + 1):
        yield _drawn(loader, epoch)


def _drawn(loader: Any, epoch: int) -> Any:
    """Yield the rows of each batch; the plan of the epoch is drawn within, as it is in training."""
    loader.sampler.set_epoch(epoch)
    for batch in loader:
        yield len(batch.lengths)


def _peer(work: Work, settings: dict[str, Any]) -> Any:
    """Yield epochs of a DataLoader as Trainer makes it."""
    from datasets import Dataset
    from torch.utils.data import DataLoader
    from transformers import AutoTokenizer

    from speed_parts import trainer_peer
    from speed_parts.headway_side import model_folder

    tokenizer = AutoTokenizer.from_pretrained(model_folder())
    rows = trainer_peer.encode_rows(work, tokenizer, path=work.train, names=trainer_peer.label_names(work))
    way = trainer_peer.Way(pad_to_max=settings["pad_to_max"])
    loader: Any = DataLoader(
        rows if settings["lists"] else Dataset.from_list(rows),  # type: ignore[arg-type]
        batch_size=work.batch_size,
        shuffle=True,
        collate_fn=trainer_peer.collator(work, way, tokenizer=tokenizer),
    )
    for _ in range(settings["epochs"] + 1):
        yield (len(batch["labels"]) for batch in loader)


def measure(options: Options) -> Found:
    """Run all contenders in turn.

    Args:
        options: Of the command line.
    """
    count = options.size(20000, 640)
    work = sentence_like(options.outputs / "rows", count)
    told: dict[str, dict[str, Any]] = {HEADWAY: {"epochs": options.size(10, 2)}}
    told |= {name: {**how, "epochs": options.size(2, 1)} for name, how in PEERS.items()}
    common = {"work": work.to_dict(), "cache": str(options.outputs / "cache")}
    found = interleaved(
        "data_path", told, options=options, rounds=options.times(5), shown=RATE, common=common
    )
    return {**found, "rows": count}


def lines(found: Found) -> list[str]:
    """Return the page's section."""
    text = [
        f"{found['rows']} encoded sentence-like texts, random batches of 32, labels included, no worker "
        "processes; the order of an epoch is drawn within the time. The first epoch isn't counted. Medians "
        f"of {found['rounds']} rounds.",
        "",
        "| contender | samples/s | headway is so many times as fast | aim |",
        "|---|---|---|---|",
        f"| {HEADWAY} | {middle(found, HEADWAY, key=RATE):,.0f} | | |",
    ]
    for number, name in enumerate(PEERS):
        times = ratio(found, (HEADWAY, name), key=RATE)
        aim = verdict(times, AIM) if number == 0 else ""
        text.append(f"| {name} | {middle(found, name, key=RATE):,.0f} | {times:.1f} | {aim} |")
    return text
