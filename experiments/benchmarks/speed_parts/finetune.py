"""Samples a second of fine-tuning MiniLM on sentence-like lengths, against `transformers.Trainer`."""

from __future__ import annotations

from typing import Any

from speed_parts.options import Options, verdict
from speed_parts.rounds import Found, best_of, interleaved, middle, ratio
from speed_parts.works import Work, sentence_like

HEADWAY = {
    "headway": [],
    "headway fp32": ["trainer.precision=32-true"],
    "headway grouped": ["batching=grouped"],
    "headway padded": ["backbone.layout=padded"],
}
TRAINER: dict[str, dict[str, Any]] = {
    "trainer max fp32 default": {"pad_to_max": True, "best": False},
    "trainer max fp32 best": {"pad_to_max": True},
    "trainer dynamic fp32 default": {"best": False},
    "trainer dynamic fp32 best": {},
    "trainer dynamic bf16 default": {"bf16": True, "best": False},
    "trainer dynamic bf16 best": {"bf16": True},
    "trainer grouped bf16 default": {"bf16": True, "grouped": True, "best": False},
    "trainer grouped bf16 best": {"bf16": True, "grouped": True},
    "trainer grouped bf16 worker": {"bf16": True, "grouped": True, "workers": 1},
    "trainer grouped bf16 memory": {"bf16": True, "grouped": True, "keep_memory": True},
}
AIMS = {
    "trainer max fp32": 7.0,
    "trainer dynamic fp32": 4.0,
    "trainer dynamic bf16": 2.5,
    "trainer grouped bf16": 1.15,
}
STRETCH = 1.35
RATE = "samples_per_second"


def contend(contender: str, settings: dict[str, Any]) -> dict[str, float]:
    """Measure one contender once; runs in a process of its own.

    Args:
        contender: Of HEADWAY or TRAINER.
        settings: work, threads, cache, and overrides or way.
    """
    work = Work(**settings["work"])
    if contender in HEADWAY:
        from speed_parts import headway_side

        return headway_side.throughput(
            work, settings["overrides"], threads=settings["threads"], cache=settings["cache"]
        )
    from speed_parts import trainer_peer

    return trainer_peer.throughput(work, trainer_peer.Way(**settings["way"]), threads=settings["threads"])


def contenders(*, few: bool) -> dict[str, dict[str, Any]]:
    """Return the contenders and what each is told.

    Args:
        few: Whether headway's default and the slowest and fastest of Trainer's are enough.
    """
    told: dict[str, dict[str, Any]] = {name: {"overrides": words} for name, words in HEADWAY.items()}
    told |= {name: {"way": way} for name, way in TRAINER.items()}
    chosen = ("headway", "trainer max fp32 default", "trainer grouped bf16 best") if few else tuple(told)
    return {name: told[name] for name in chosen}


def measure(options: Options) -> Found:
    """Run all contenders in turn.

    Args:
        options: Of the command line.
    """
    work = sentence_like(options.outputs / "rows", options.size(1600, 32))
    common = {"work": work.to_dict(), "cache": str(options.outputs / "cache")}
    found = interleaved(
        "finetune",
        contenders(few=options.quick),
        options=options,
        rounds=options.times(5),
        shown=RATE,
        common=common,
    )
    return {**found, "rows": options.size(1600, 32)}


def _exact(found: Found, name: str) -> str:
    """Return how many times as fast headway is in fp32 too, for a peer in fp32."""
    if "fp32" not in name or "headway fp32" not in found["contenders"]:
        return ""
    return f"{ratio(found, ('headway fp32', name), key=RATE):.2f}"


def lines(found: Found) -> list[str]:
    """Return the page's section."""
    text = [
        f"{found['rows']} texts of Reuters R8 cut to sentence-like lengths (lognormal: median 20, 95th "
        "percentile 60, at most 128 tokens), batches of 32, dropout 0.1, AdamW, clipping at 1; the same "
        "classifier (BertForSequenceClassification's). A first epoch warms up, the second is timed from its "
        f"start to the end of its last step. Medians of {found['rounds']} rounds, every contender in a "
        "process of its own.",
        "",
        "| contender | samples/s | each round | peak MiB | headway is so many times as fast | aim | "
        "headway fp32 |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, rows in found["contenders"].items():
        each = ", ".join(f"{row[RATE]:.1f}" for row in rows)
        cells = [
            name,
            f"{middle(found, name, key=RATE):.1f}",
            each,
            f"{middle(found, name, key='peak_mib'):.0f}",
        ]
        family = next((family for family in AIMS if name.startswith(family)), None)
        if family is None:
            cells += ["", "", ""]
        else:
            times = ratio(found, ("headway", name), key=RATE)
            stretch = f"; stretch {verdict(times, STRETCH)}" if family == "trainer grouped bf16" else ""
            cells += [f"{times:.2f}", verdict(times, AIMS[family]) + stretch, _exact(found, name)]
        text.append("| " + " | ".join(cells) + " |")
    best = best_of(found, [name for name in found["contenders"] if name in TRAINER], key=RATE)
    times = ratio(found, ("headway", best), key=RATE)
    return [
        *text,
        "",
        f"The fastest of Trainer's is `{best}`; headway is {times:.2f} times as fast. `default` is Trainer "
        "as it comes (fused AdamW is its default, too), `best` without progress bar, logging and saving, on "
        "rows in Python lists; `worker` with a loader process besides; `memory` with the C allocator told "
        "to keep what is freed, as headway does.",
    ]
