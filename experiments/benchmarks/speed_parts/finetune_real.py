"""Fine-tuning on R8, BoolQ and CoNLL-2003 as they are, against Trainer: samples a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from speed_parts.options import Options, verdict
from speed_parts.rounds import Found, best_of, interleaved, middle, ratio
from speed_parts.works import Work, split_rows, write_rows

SETS: dict[str, dict[str, Any]] = {
    "r8": {"kind": "text", "max_length": 128, "pooling": "cls"},
    "boolq": {"kind": "pair", "max_length": 256, "pooling": "cls"},
    "conll2003_ner": {"kind": "words", "max_length": 128, "pooling": "cls"},
}
"""Data set -> the form of its task; max_length and pooling are headway's defaults."""
STEPS = {"r8": 25, "boolq": 10, "conll2003_ner": 25}
"""Data set -> optimizer steps an epoch; BoolQ's are long."""
TRAINER: dict[str, dict[str, Any]] = {
    "trainer max fp32": {"pad_to_max": True},
    "trainer dynamic fp32": {},
    "trainer dynamic bf16": {"bf16": True},
    "trainer grouped bf16": {"bf16": True, "grouped": True},
}
AIMS = {
    "trainer max fp32": 7.0,
    "trainer dynamic fp32": 4.0,
    "trainer dynamic bf16": 2.5,
    "trainer grouped bf16": 1.15,
}
RATE = "samples_per_second"


def contend(contender: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Measure one contender once; runs in a process of its own.

    Args:
        contender: "headway", or one of TRAINER's names.
        settings: work, threads, cache, and way.
    """
    work = Work(**settings["work"])
    if contender.endswith("headway"):
        from speed_parts import headway_side

        return headway_side.throughput(work, [], threads=settings["threads"], cache=settings["cache"])
    from speed_parts import trainer_peer

    way = trainer_peer.Way(**settings["way"])
    return trainer_peer.throughput(work, way, threads=settings["threads"])


def first_rows(folder: Path, name: str, *, count: int) -> Work:
    """Write `count` random rows of a data set's training split, and return the work of timing them."""
    import numpy as np

    train, few = folder / f"{name}-{count}.jsonl", folder / f"{name}-{count}-few.jsonl"
    if not train.is_file():
        rows = split_rows(name, kind=SETS[name]["kind"])["train"]
        drawn = np.random.default_rng(0).permutation(len(rows))[:count]
        write_rows(few, [rows[index] for index in drawn[:8]])
        write_rows(train, [rows[index] for index in drawn])
    return Work(name, train=str(train), validation=str(few), **SETS[name])


def measure(options: Options) -> Found:
    """Time the same number of steps on each data set.

    Args:
        options: Of the command line.
    """
    told: dict[str, dict[str, Any]] = {}
    peers = dict(list(TRAINER.items())[-1:]) if options.quick else TRAINER
    for name in SETS:
        work = first_rows(options.outputs / "rows", name, count=32 * options.size(STEPS[name], 1))
        cache = str(options.outputs / "cache")
        told[f"{name} headway"] = {"work": work.to_dict(), "cache": cache}
        for peer, way in peers.items():
            told[f"{name} {peer}"] = {"work": work.to_dict(), "way": way}
    return interleaved("finetune_real", told, options=options, rounds=options.times(3), shown=RATE)


def lines(found: Found) -> list[str]:
    """Return the page's section."""
    text = [
        "Random rows of the training splits, 25 batches of 32 an epoch (BoolQ: 10); the first warms up, the "
        "second is timed. headway's defaults (max_length 128, of BoolQ's data set 256; dropout and "
        "a linear layer on the first token's state, which Trainer's model is given, too) against Trainer "
        f"without progress bar, logging and saving. Medians of {found['rounds']} rounds.",
        "",
        "| data | contender | samples/s | headway is so many times as fast | aim |",
        "|---|---|---|---|---|",
    ]
    for name in SETS:
        own = f"{name} headway"
        text.append(f"| {name} | headway | {middle(found, own, key=RATE):.1f} | | |")
        for peer in (peer for peer in TRAINER if f"{name} {peer}" in found["contenders"]):
            times = ratio(found, (own, f"{name} {peer}"), key=RATE)
            rate = middle(found, f"{name} {peer}", key=RATE)
            text.append(f"| | {peer} | {rate:.1f} | {times:.2f} | {verdict(times, AIMS[peer])} |")
    fastest = [
        best_of(found, [each for each in found["contenders"] if each.startswith(f"{name} trainer")], key=RATE)
        for name in SETS
    ]
    return [*text, "", f"Fastest of Trainer's: {'; '.join(fastest)}."]
