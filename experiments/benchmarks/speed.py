"""Measure what headway's speed is worth against its peers, and write experiments/results/speed.md.

    python experiments/benchmarks/speed.py finetune encode heads data_path cli first_step growth equivalence
    python experiments/benchmarks/speed.py real_scores --seeds 1 2 3 --data r8 conll2003_ner
    python experiments/benchmarks/speed.py paired_f1 --seeds 1 2 3 4 5
    python experiments/benchmarks/speed.py               # the page alone, from what was kept
    python experiments/benchmarks/speed.py --quick cli   # tiny sizes: tries the code, measures nothing

Every part keeps what it found in experiments/results/speed.json; the page is made of that. Contenders run
interleaved, each in a process of its own; their rounds are kept in outputs/speed/rounds as they come, so that
a command that was stopped goes on where it was, and whole trainings are never repeated. Rounds of other code,
settings or threads aren't reused; `--again` leaves those of the same code aside, too. A quick run writes to
outputs/speed-quick.

Needs `pip install 'headway[bench]'`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

from speed_parts.options import ROOT, Options, all_cores

RESULTS = ROOT / "experiments" / "results"
PARTS = {
    "finetune": "Fine-tuning on a CPU",
    "parity": "The same training",
    "finetune_real": "Fine-tuning on real texts",
    "real_scores": "Whole trainings on real texts",
    "encode": "Encoding with a frozen backbone",
    "heads": "Twenty heads on frozen features",
    "data_path": "From store to batch",
    "cli": "The command line",
    "first_step": "The first optimizer step",
    "growth": "Growth",
    "equivalence": "Padded and packed: hidden states and gradients",
    "paired_f1": "Padded and packed: scores",
    "profile": "Where the time of a step goes",
}
"""Module of speed_parts -> its heading; each has `measure`, `lines` and, for its processes, `contend`."""


def part(name: str) -> Any:
    """Return a part's module."""
    return importlib.import_module(f"speed_parts.{name}")


def work(name: str, contender: str, *, settings: str, out: str) -> None:
    """Run one contender once, as one of a part's processes."""
    found = part(name).contend(contender, json.loads(settings))
    Path(out).write_text(json.dumps(found), encoding="utf-8")


def machine_line(state: dict[str, Any]) -> str:
    """Return where a part was measured, as one sentence."""
    versions = ", ".join(
        f"{name} {state['versions'][name]}"
        for name in ("torch", "transformers", "pytorch-lightning", "sentence-transformers")
        if state["versions"].get(name)
    )
    return (
        f"Measured on {state['date']}: {state['cpu']} ({', '.join(state['flags']) or 'no bf16'}), "
        f"{state['cores']} cores, {state['threads']} threads each, load {state['load_before']} before; "
        f"{versions}."
    )


def page(kept: dict[str, Any]) -> str:
    """Return speed.md."""
    text = ["# Speed", "", "Written by `python experiments/benchmarks/speed.py`.", ""]
    for name, heading in PARTS.items():
        if name in kept:
            text += [f"## {heading}", "", *part(name).lines(kept[name]), ""]
            text += [machine_line(kept[name]["machine"]), ""]
    absent = [name for name in PARTS if name not in kept]
    return "\n".join([*text, *([f"Not measured yet: {', '.join(absent)}.", ""] if absent else [])])


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    made.add_argument(
        "--threads", type=int, default=all_cores(), help="of every contender (default: all cores)"
    )
    made.add_argument("--rounds", type=int, help="of each contender (default: the part's own number)")
    made.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5], help="of whole trainings")
    made.add_argument("--data", nargs="+", help="data sets of real_scores (default: all)")
    made.add_argument("--quick", action="store_true", help="tiny sizes, one round: tries the code")
    made.add_argument("--again", action="store_true", help="measure anew what was measured with this code")
    made.add_argument("--outputs", type=Path, help="rows, rounds and runs (default: outputs/speed[-quick])")
    made.add_argument("--results", type=Path, help="folder of speed.json and speed.md")
    return made


def main() -> None:
    """Measure the parts asked for, keep what came out, and write the page."""
    if sys.argv[1:2] == ["--worker"]:
        work(*sys.argv[2:4], settings=sys.argv[4], out=sys.argv[5])
        return
    made = parser()
    arguments = made.parse_args()
    unknown = [name for name in arguments.parts if name not in PARTS]
    if unknown:
        made.error(f"PART must be of {', '.join(PARTS)}, got {unknown[0]}")
    outputs = arguments.outputs or ROOT / "outputs" / ("speed-quick" if arguments.quick else "speed")
    results = arguments.results or (outputs if arguments.quick else RESULTS)
    options = Options(
        outputs=outputs.absolute(),
        threads=arguments.threads,
        rounds=arguments.rounds,
        quick=arguments.quick,
        again=arguments.again,
        seeds=tuple(arguments.seeds),
        data=tuple(arguments.data) if arguments.data else None,
    )
    results.mkdir(parents=True, exist_ok=True)
    store = results / "speed.json"
    kept = json.loads(store.read_text(encoding="utf-8")) if store.is_file() else {}
    for name in arguments.parts:
        print(f"== {name}", flush=True)
        kept[name] = part(name).measure(options)
        kept = {each: kept[each] for each in PARTS if each in kept}
        store.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        (results / "speed.md").write_text(page(kept), encoding="utf-8")
    (results / "speed.md").write_text(page(kept), encoding="utf-8")
    print(page(kept))


if __name__ == "__main__":
    main()
