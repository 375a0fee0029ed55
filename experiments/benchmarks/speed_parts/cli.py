"""Seconds of `headway --help` and of a config error, against the same command with eager imports."""

from __future__ import annotations

import subprocess
import sys
import time

from speed_parts.machine import machine
from speed_parts.options import ROOT, Options, verdict
from speed_parts.rounds import Found, Kept, environment, middle, ratio

AIM = 10.0
EAGER = (
    "import torch, pytorch_lightning, hydra, datasets\n"
    "from transformers import AutoModel, AutoTokenizer, BertModel\n"
)
PROGRAM = "import sys\nfrom headway.cli.main import main\nsys.exit(main(sys.argv[1:]))\n"
CALLS = {"--help": (["--help"], 0), "a config error": (["train", "optimizer.lrr=1e-4"], 2)}


def seconds_of(words: list[str], status: int, *, eager: bool, threads: int) -> float:
    """Run the command once in a process of its own, and return its seconds from start to end.

    Args:
        words: After `headway`.
        status: That it must end with.
        eager: Whether all libraries are imported first.
        threads: CPU threads.

    Raises:
        SystemExit: It ended with another status.
    """
    command = [sys.executable, "-c", (EAGER if eager else "") + PROGRAM, *words]
    start = time.perf_counter()
    done = subprocess.run(
        command, env=environment(threads), cwd=ROOT, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    if done.returncode != status:
        raise SystemExit(
            f"headway {' '.join(words)} must end with {status}, got {done.returncode}:\n{done.stderr}"
        )
    return seconds


def measure(options: Options) -> Found:
    """Call each, lazily and eagerly in turn.

    Args:
        options: Of the command line.
    """
    kept = Kept("cli", options, settings={"calls": CALLS, "eager": EAGER})
    state, rounds = machine(options.threads), options.times(9)
    found: dict[str, list[Found]] = {}
    for number in range(-1, rounds):  # the first round fills the caches of files
        for call, (words, status) in CALLS.items():
            for eager in (False, True):
                name = f"{call}, {'eager' if eager else 'headway'}"
                if (number, name) not in kept.found:
                    seconds = seconds_of(words, status, eager=eager, threads=options.threads)
                    kept.add(number, name, found={"seconds": seconds})
                if number >= 0:
                    found.setdefault(name, []).append(kept.found[(number, name)])
                    print(f"cli {name:28} {found[name][-1]['seconds']:.2f} s", flush=True)
    return {"machine": state, "rounds": rounds, "contenders": found}


def lines(found: Found) -> list[str]:
    """Return the page's section."""
    text = [
        f"From the start of the process to its end; medians of {found['rounds']} calls each, in turn. Eager: "
        "the same program after importing torch, transformers' models, pytorch_lightning, datasets and "
        "hydra.",
        "",
        "| command | headway, seconds | eager, seconds | times | aim |",
        "|---|---|---|---|---|",
    ]
    for call in CALLS:
        lazy, eager = f"{call}, headway", f"{call}, eager"
        times = ratio(found, (eager, lazy), key="seconds")
        cells = [f"{middle(found, name, key='seconds'):.3f}" for name in (lazy, eager)]
        text.append(f"| {call} | {' | '.join(cells)} | {times:.1f} | {verdict(times, AIM)} |")
    return text
