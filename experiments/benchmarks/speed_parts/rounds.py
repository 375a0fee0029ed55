"""Interleaved rounds, A B C A B C: each contender in a process of its own, and every figure kept at once."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from speed_parts.machine import machine, source_hash
from speed_parts.options import BENCHMARKS, Options

Found = dict[str, Any]


def environment(threads: int) -> dict[str, str]:
    """Return the variables of a contender's process: as many threads as all others, no hub, these parts."""
    count = str(threads)
    paths = [str(BENCHMARKS), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "OMP_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "HEADWAY_ALLOW_MODULES": "speed_parts",
        "PYTHONPATH": os.pathsep.join(paths),
    }


def in_process(part: str, contender: str, *, settings: Mapping[str, Any], threads: int) -> Found:
    """Run one contender once, in a process of its own.

    Args:
        part: Module of speed_parts with a `contend(contender, settings)`.
        contender: Which of the part's.
        settings: What it is told; plain values.
        threads: CPU threads.

    Returns:
        What it found.

    Raises:
        SystemExit: It failed; its output is shown.
    """
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "found.json"
        words = ["--worker", part, contender, json.dumps({**settings, "threads": threads}), str(out)]
        done = subprocess.run(
            [sys.executable, str(BENCHMARKS / "speed.py"), *words],
            env=environment(threads),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode or not out.is_file():
            raise SystemExit(
                f"{part} {contender} ended with status {done.returncode}:\n{done.stdout[-6000:]}"
            )
        found: Found = json.loads(out.read_text(encoding="utf-8"))
    return found


class Kept:
    """Rounds of one part, kept line by line: a command that was stopped goes on where it was.

    Args:
        part: Names the file.
        options: Where it lies, and whether old rounds count.
        settings: What the figures depend on; other settings, code or threads have another file.
    """

    def __init__(self, part: str, options: Options, *, settings: Mapping[str, Any]) -> None:
        key = json.dumps([settings, options.threads, source_hash()], sort_keys=True)
        name = f"{part}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.jsonl"
        self.path = options.outputs / "rounds" / name
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if options.again:
            self.path.unlink(missing_ok=True)
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.is_file() else []
        self.found: dict[tuple[int, str], Found] = {}
        for line in lines:
            row = json.loads(line)
            self.found[(row["round"], row["contender"])] = row["found"]

    def add(self, number: int, contender: str, *, found: Found) -> None:
        """Keep one figure."""
        self.found[(number, contender)] = found
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"round": number, "contender": contender, "found": found}) + "\n")


def interleaved(
    part: str,
    contenders: Mapping[str, Mapping[str, Any]],
    *,
    options: Options,
    rounds: int,
    shown: str,
    common: Mapping[str, Any] | None = None,
) -> Found:
    """Run every contender in every round.

    Args:
        part: Module of speed_parts.
        contenders: Name -> what it is told.
        options: Threads, and where rounds are kept.
        rounds: How often.
        shown: Which figure is printed as it comes.
        common: What all are told.

    Returns:
        machine, and under `contenders` a list of what each found, in the order of rounds.
    """
    told = {name: {**(common or {}), **settings} for name, settings in contenders.items()}
    kept = Kept(part, options, settings=told)
    state = machine(options.threads)
    for number in range(rounds):
        for name, settings in told.items():
            if (number, name) not in kept.found:
                kept.add(
                    number, name, found=in_process(part, name, settings=settings, threads=options.threads)
                )
            value = kept.found[(number, name)][shown]
            print(f"{part} round {number + 1}/{rounds}  {name:34} {shown} {value:.4g}", flush=True)
    found = {name: [kept.found[(number, name)] for number in range(rounds)] for name in told}
    return {"machine": state, "rounds": rounds, "contenders": found}


def middle(found: Found, contender: str, *, key: str) -> float:
    """Return the median of a contender's figure over the rounds."""
    return float(median(row[key] for row in found["contenders"][contender]))


def ratio(found: Found, pair: tuple[str, str], *, key: str) -> float:
    """Return the median over the rounds of the first's figure divided by the second's in the same round."""
    pairs = zip(*(found["contenders"][name] for name in pair), strict=True)
    return float(median(first[key] / second[key] for first, second in pairs))


def best_of(found: Found, names: list[str], *, key: str, most: bool = True) -> str:
    """Return which of some contenders has the best median."""
    choose = max if most else min
    return choose(names, key=lambda name: middle(found, name, key=key))
