"""Measure what windows are worth, and write experiments/results/long_documents.md.

    python experiments/benchmarks/long_documents.py reviews --seeds 1 2 3
    python experiments/benchmarks/long_documents.py newsgroups conll
    python experiments/benchmarks/long_documents.py throughput memory processes --run RUN
    python experiments/benchmarks/long_documents.py            # the page alone, from what was kept

Every part keeps what it found in experiments/results/long_documents.json; the page is made of that. Runs that
are there already aren't trained again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "experiments" / "results"
BENCHMARKS = ROOT / "experiments" / "benchmarks"
REVIEWS = ("reviews_first128", "reviews_first512", "reviews_windows")
LINEAR_REVIEWS, PUBLISHED_NEWSGROUPS = 0.86, 0.853


def trained(experiment: str, outputs: Path, name: str, *overrides: str) -> Path:
    """Return the newest finished run of a name, training first if there is none."""

    def finished() -> list[Path]:
        return sorted(path.parent for path in (outputs / name).glob("*/record.json"))

    if not finished():
        words = ["train", f"experiment={experiment}", f"name={name}", f"output_dir={outputs}", *overrides]
        subprocess.run([sys.executable, "-m", "headway.cli.main", *words], cwd=ROOT, check=True)
    return finished()[-1]


def scores(folder: Path) -> dict[str, Any]:
    """Return what the page needs of a run."""
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    table = folder / "aggregations.json"
    compared = json.loads(table.read_text(encoding="utf-8")) if table.is_file() else None
    report = record["lengths"]["test"]
    kept = ("documents", "windows", "truncated_documents", "tokens", "tokens_lost")
    return {
        "test": record["metrics"]["test"],
        "validation": record["metrics"]["validation"],
        "lengths": {name: report[name] for name in kept},
        "chosen": compared and compared["chosen"],
        "aggregations": compared
        and {name: each["metrics"][compared["monitor"]] for name, each in compared["candidates"].items()},
        "minutes": round(sum(record["seconds"].values()) / 60),
    }


def reviews(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train each way to read film reviews with every seed."""
    found: dict[str, Any] = {}
    for name in REVIEWS:
        for seed in arguments.seeds if name != "reviews_first128" else arguments.seeds[:1]:
            run = trained(f"long_documents/{name}", arguments.outputs, f"{name}_seed{seed}", f"seed={seed}")
            found.setdefault(name, {})[str(seed)] = scores(run)
    return found


def single(experiment: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Score one of the reproductions."""
    return scores(trained(f"reproductions/{experiment}", arguments.outputs, experiment))


def script(name: str, *words: str) -> dict[str, Any]:
    """Run another benchmark, which prints JSON in its last line."""
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / name), *words], check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


PARTS = {
    "reviews": reviews,
    "newsgroups": lambda arguments: single("newsgroups", arguments),
    "conll": lambda arguments: single("conll2003_ner", arguments),
    "throughput": lambda arguments: script("window_throughput.py", str(arguments.run)),
    "memory": lambda _: script("long_memory.py"),
    "processes": lambda arguments: script("two_processes.py", str(arguments.run)),
}


def review_lines(found: dict[str, Any]) -> list[str]:
    """Return the film reviews' table."""
    lines = [
        "## Film reviews",
        "",
        "Pang and Lee 2004, 1500 whole reviews, 84 % of them over 512 pieces; the split is "
        "that of `data=movie_reviews`: a fifth for test, a tenth of the rest for validation, stratified, "
        "split_seed 0. "
        f"MiniLM, its last two layers tuned. A linear model on all words: {LINEAR_REVIEWS:.2f}.",
        "",
        "| what the model reads | seeds | test accuracy | each | chosen aggregation |",
        "|---|---|---|---|---|",
    ]
    for name, runs in found.items():
        values = [100 * each["test"]["accuracy"] for each in runs.values()]
        spread = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
        each = ", ".join(f"{value:.2f}" for value in values)
        chosen = ", ".join(run["chosen"] for run in runs.values() if run["chosen"])
        lines.append(f"| {name} | {len(values)} | {mean(values):.2f}{spread} | {each} | {chosen} |")
    windows = found.get("reviews_windows", {})
    if windows and "reviews_first512" in found:
        whole, first = (
            mean(100 * each["test"]["accuracy"] for each in found[name].values())
            for name in ("reviews_windows", "reviews_first512")
        )
        met = {True: "met", False: "missed"}
        lines += [
            "",
            f"All windows against the first 512 tokens: {whole - first:+.2f} points (aim +3: "
            f"{met[whole - first >= 3]}); above 88: {met[whole > 88]}.",
        ]
    if windows:
        names = list(next(iter(windows.values()))["aggregations"])
        lines += ["", "Validation accuracy of each aggregation, a column a seed:", ""]
        lines += ["| aggregation | " + " | ".join(windows) + " |", "|---" * (len(windows) + 1) + "|"]
        for name in names:
            cells = (f"{100 * run['aggregations'][name]:.2f}" for run in windows.values())
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def newsgroups_lines(found: dict[str, Any]) -> list[str]:
    """Return the newsgroups' line."""
    lengths = found["lengths"]
    return [
        "## 20 Newsgroups",
        "",
        f"Windows of 256 tokens, one of each message drawn anew an epoch: test accuracy "
        f"{100 * found['test']['accuracy']:.2f} on {lengths['documents']} messages in {lengths['windows']} "
        f"windows, {lengths['truncated_documents']} truncated. BERT-base: {100 * PUBLISHED_NEWSGROUPS:.1f} "
        "(Lin et al. 2021).",
        "",
    ]


def conll_lines(found: dict[str, Any]) -> list[str]:
    """Return CoNLL's lines."""
    test = found["test"]
    return [
        "## CoNLL-2003 by document",
        "",
        f"Windows of 512 tokens, 64 shared: entity F1 {100 * test['entity_f1']:.2f} as conlleval, "
        f"{100 * test['entity_f1_strict']:.2f} strict; coverage {100 * test['coverage']:.1f} %.",
        "",
    ]


def throughput_lines(found: dict[str, Any]) -> list[str]:
    """Return the lines on prediction's speed."""
    rates = found["windows_per_second"]
    return [
        "## Throughput",
        "",
        f"Prediction {rates['headway']} windows a second, the plain padded loop {rates['plain']}: ratio "
        f"{found['ratio']} ({found['windows']} windows of {found['documents']} documents, "
        f"{found['precision']}, {found['threads']} threads).",
        "",
    ]


def memory_lines(found: dict[str, Any]) -> list[str]:
    """Return the lines on memory."""
    without, with_it, ratio = found["mib_without"], found["mib_with"], found["ratio"]
    return [
        "## Memory",
        "",
        f"Peak with a document of {found['pieces']} pieces among 200 ordinary ones, and without it: training "
        f"{with_it['train']} and {without['train']} MiB ({ratio['train']} times), prediction "
        f"{with_it['predict']} and {without['predict']} MiB ({ratio['predict']} times).",
        "",
    ]


def process_lines(found: dict[str, Any]) -> list[str]:
    """Return the lines on two processes."""
    differences = ", ".join(f"{name} {value:.1e}" for name, value in found["differences"].items())
    return ["## One process and two", "", f"Largest differences after training: {differences}.", ""]


SECTIONS = {
    "reviews": review_lines,
    "newsgroups": newsgroups_lines,
    "conll": conll_lines,
    "throughput": throughput_lines,
    "memory": memory_lines,
    "processes": process_lines,
}


def page(kept: dict[str, Any]) -> str:
    """Return long_documents.md."""
    absent = [name for name in SECTIONS if name not in kept]
    lines = ["# Long documents", "", "Written by `python experiments/benchmarks/long_documents.py`.", ""]
    for name, section in SECTIONS.items():
        lines += section(kept[name]) if name in kept else []
    lines += [f"Not measured yet: {', '.join(absent)}.", ""] if absent else []
    return "\n".join(lines)


def main() -> None:
    """Measure the parts asked for, keep what came out, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--run", type=Path, help="a finished run with windows, for throughput and processes")
    parser.add_argument("--outputs", type=Path, default=ROOT / "outputs", help="where the runs are")
    arguments = parser.parse_args()
    unknown = [part for part in arguments.parts if part not in PARTS]
    if unknown:
        parser.error(f"PART must be of {', '.join(PARTS)}, got {unknown[0]}")
    if {"throughput", "processes"} & set(arguments.parts) and arguments.run is None:
        parser.error("throughput and processes need --run")
    store = RESULTS / "long_documents.json"
    kept = json.loads(store.read_text(encoding="utf-8")) if store.is_file() else {}
    for part in arguments.parts:
        kept[part] = PARTS[part](arguments)
        store.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "long_documents.md").write_text(page(kept), encoding="utf-8")
    print(page(kept))


if __name__ == "__main__":
    main()
