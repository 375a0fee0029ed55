"""Seconds from the command to the end of the first optimizer step, warm caches, against a Trainer script."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from speed_parts.headway_side import model_folder
from speed_parts.machine import machine
from speed_parts.options import Options, verdict
from speed_parts.rounds import Found, Kept, environment, middle, ratio
from speed_parts.works import Work, split_rows, write_rows

AIM = 1.0
SCRIPT = "speed_parts.trainer_script"
CONTENDERS = ("headway", "trainer fp32", "trainer bf16")


def _command(contender: str, work: Work, *, mark: Path, cache: Path, threads: int, model: str) -> list[str]:
    """Return a contender's command line."""
    if contender == "headway":
        return [
            *(sys.executable, "-m", "headway.cli.main", "train", *work.overrides()),
            *(f"num_threads={threads}", f"cache_dir={cache}", "hydra.run.dir=run"),
            "+callbacks.clock._target_=speed_parts.clocks.EndAfterFirstStep",
            f"+callbacks.clock.path={mark}",
        ]
    words = [model, work.train, work.validation, str(cache / "datasets"), str(mark), str(threads)]
    return [sys.executable, "-m", SCRIPT, *words, *(["--bf16"] if contender.endswith("bf16") else [])]


def seconds_of(contender: str, work: Work, *, options: Options, model: str) -> float:
    """Run one command and return the seconds from its start to the time that it writes after its first step.

    Args:
        contender: Of CONTENDERS.
        work: Its rows.
        options: Outputs and threads.
        model: Folder of the model.

    Raises:
        SystemExit: It failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        mark = Path(folder) / "mark"
        cache = options.outputs / "cache"
        command = _command(contender, work, mark=mark, cache=cache, threads=options.threads, model=model)
        start = time.time()
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment(options.threads),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if not mark.is_file():
            raise SystemExit(f"first_step {contender} ended with {done.returncode}:\n{done.stdout[-4000:]}")
        return float(mark.read_text()) - start


def measure(options: Options) -> Found:
    """Run each in turn; the first round fills the caches and isn't counted.

    Args:
        options: Of the command line.
    """
    name = "tiny" if options.quick else "r8"
    paths = {
        split: options.outputs / "rows" / f"first-{name}-{split}.jsonl" for split in ("train", "validation")
    }
    if not all(path.is_file() for path in paths.values()):
        splits = split_rows("r8")
        rows = splits["train"][:64] if options.quick else splits["train"]
        write_rows(paths["train"], rows)
        write_rows(paths["validation"], rows[:32] if options.quick else splits["validation"])
    work = Work("first step", "text", **{split: str(path) for split, path in paths.items()})
    kept = Kept("first_step", options, settings={"work": work.to_dict()})
    state, rounds = machine(options.threads), options.times(7)
    model = model_folder()
    found: dict[str, list[Found]] = {}
    for number in range(-1, rounds):
        for contender in CONTENDERS:
            if (number, contender) not in kept.found:
                kept.add(
                    number,
                    contender,
                    found={"seconds": seconds_of(contender, work, options=options, model=model)},
                )
            if number >= 0:
                found.setdefault(contender, []).append(kept.found[(number, contender)])
                print(f"first_step {contender:14} {found[contender][-1]['seconds']:.2f} s", flush=True)
    return {"machine": state, "rounds": rounds, "contenders": found}


def lines(found: Found) -> list[str]:
    """Return the page's section."""
    text = [
        "`headway train` on R8's rows in a file, and a script that does the same with datasets (its cache of "
        "tokenised rows warm, as headway's is), AutoModelForSequenceClassification and Trainer, dynamic "
        "padding. From the start of the process to the end of its first optimizer step: imports, config, "
        f"reading, encoding, weights and the step. Medians of {found['rounds']} runs after one that isn't "
        "counted.",
        "",
        "| contender | seconds | headway's share of it | aim |",
        "|---|---|---|---|",
        f"| headway | {middle(found, 'headway', key='seconds'):.2f} | | |",
    ]
    for name in CONTENDERS[1:]:
        share = ratio(found, ("headway", name), key="seconds")
        seconds = middle(found, name, key="seconds")
        text.append(f"| {name} | {seconds:.2f} | {share:.2f} | {verdict(share, AIM, at_least=False)} |")
    return text
