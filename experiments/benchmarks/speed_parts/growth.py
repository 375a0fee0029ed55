"""Time and peak memory as the rows grow by 1, 10, 100: what must be linear, and what must not grow."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from speed_parts.machine import peak_mib
from speed_parts.options import Options, verdict
from speed_parts.rounds import Found, interleaved, middle
from speed_parts.works import split_rows, write_rows

FACTORS = (1, 10, 100)
STAGES = ("read", "encode", "build", "train")
AIM_MEMORY, AIM_TIME = 1.10, 1.10


class Stages:
    """Seconds and peak memory of each stage; the kernel is asked to set its mark back before each."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, float]] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a block."""
        self._set_back()
        start = time.perf_counter()
        yield
        self.found[name] = {"seconds": time.perf_counter() - start, "peak_mib": peak_mib()}

    @staticmethod
    def _set_back() -> None:
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:  # then each stage shows the highest so far
            return


def contend(_: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Read, encode, build and train a fixed number of steps as `headway train` does, stage by stage.

    Args:
        settings: file, validation, steps and threads.

    Returns:
        stages, and the highest peak_mib and the seconds of all of them.
    """
    import pytorch_lightning as pl
    import torch

    from headway.assembly import build_backbone, build_data, build_module, encode_data
    from headway.trainer_assembly import build_trainer
    from speed_parts.headway_side import compose

    torch.set_num_threads(settings["threads"])
    stages = Stages()
    with tempfile.TemporaryDirectory() as name:
        cfg = compose(
            *("data=files", f"data.train={settings['file']}", f"data.validation={settings['validation']}"),
            *("data.label=label", f"trainer.max_steps={settings['steps']}", f"cache_dir={name}/cache"),
            *("trainer.enable_progress_bar=false", "trainer.max_epochs=1"),
        )
        pl.seed_everything(1, verbose=False)
        data, backbone = build_data(cfg), build_backbone(cfg)
        with stages.stage("read"):
            data.read()
        with stages.stage("encode"):
            encode_data(data, backbone, backbone.load_tokenizer())
        with stages.stage("build"):
            trainer, _best = build_trainer(cfg, Path(name))
            module, loaders, _steps = build_module(cfg, data, backbone)
        with stages.stage("train"):
            trainer.fit(module, datamodule=loaders)
    found = stages.found
    return {
        "stages": found,
        "peak_mib": max(stage["peak_mib"] for stage in found.values()),
        "seconds": sum(stage["seconds"] for stage in found.values()),
    }


def write_grown(path: Path, texts: list[dict[str, Any]], *, count: int) -> str:
    """Write `count` short rows: the texts again and again, each with its number, so that none is another's.

    Args:
        path: The file; it is left as it is if it is there.
        texts: Rows with text and label.
        count: Rows.
    """
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with partial.open("w", encoding="utf-8") as stream:  # a row at a time: two million need no memory
            for number in range(count):
                row = texts[number % len(texts)]
                words = " ".join(row["text"].split()[:16])
                stream.write(json.dumps({"text": f"{number} {words}", "label": row["label"]}) + "\n")
        partial.replace(path)
    return str(path)


def measure(options: Options) -> Found:
    """Measure each size in turn.

    Args:
        options: Of the command line.
    """
    base = options.size(2000, 40)
    factors = FACTORS if not options.quick else FACTORS[:2]
    rows = options.outputs / "rows"
    texts = split_rows("r8")["train"][:1000]
    few = write_rows(rows / f"grown-{base}-few.jsonl", texts[:32])
    told = {
        f"{base * factor} rows": {
            "file": write_grown(rows / f"grown-{base * factor}.jsonl", texts, count=base * factor)
        }
        for factor in factors
    }
    common = {"validation": few, "steps": options.size(20, 1)}
    found = interleaved(
        "growth", told, options=options, rounds=options.times(3), shown="seconds", common=common
    )
    return {**found, "sizes": [base * factor for factor in factors], "steps": common["steps"]}


def _stage(found: Found, size: int, *, stage: str, key: str) -> float:
    """Return the median of a figure of one stage."""
    rows = found["contenders"][f"{size} rows"]
    values = sorted(row["stages"][stage][key] for row in rows)
    return float(values[len(values) // 2])


def lines(found: Found) -> list[str]:
    """Return the page's section."""
    sizes = found["sizes"]
    text = [
        f"Short rows (17 words) in a JSON Lines file, `data=files`, and {found['steps']} optimizer steps. "
        "Each size in a process of its own, with empty caches. Seconds, and peak resident MiB within each "
        f"stage; medians of {found['rounds']} rounds.",
        "",
        "| rows | "
        + " | ".join(f"{name}, s | MiB" for name in STAGES)
        + " | read + encode, µs a row | peak MiB |",
        "|---" * (3 + 2 * len(STAGES)) + "|",
    ]
    each: list[float] = []
    for size in sizes:
        cells = [
            f"{_stage(found, size, stage=name, key=key):.{digits}f}"
            for name in STAGES
            for key, digits in (("seconds", 2), ("peak_mib", 0))
        ]
        each.append(
            sum(_stage(found, size, stage=name, key="seconds") for name in ("read", "encode")) / size * 1e6
        )
        peak = middle(found, f"{size} rows", key="peak_mib")
        text.append(f"| {size} | {' | '.join(cells)} | {each[-1]:.0f} | {peak:.0f} |")
    peaks = [middle(found, f"{size} rows", key="peak_mib") for size in (sizes[0], sizes[-1])]
    memory, linear = peaks[1] / peaks[0], each[-1] / each[-2]
    growing = {
        name: _stage(found, sizes[-1], stage=name, key="peak_mib")
        / _stage(found, sizes[0], stage=name, key="peak_mib")
        for name in STAGES
    }
    worst = ", ".join(f"{name} {factor:.2f}" for name, factor in growing.items())
    return [
        *text,
        "",
        f"Peak memory of the largest over the smallest: {memory:.2f} (aim "
        f"{verdict(memory, AIM_MEMORY, at_least=False)}); stage by stage: {worst}. Time a row to read and "
        f"encode, of the largest over the one before it: {linear:.2f} (linear: aim "
        f"{verdict(linear, AIM_TIME, at_least=False)}).",
    ]
