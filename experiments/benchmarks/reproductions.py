"""Run the experiments of `experiments/experiment/reproductions` and write their scores beside others'.

    python experiments/benchmarks/reproductions.py                 # runs what has not been run
    python experiments/benchmarks/reproductions.py --only r8 boolq
    python experiments/benchmarks/reproductions.py --only          # the table alone, from what was kept

What a run came to is kept in experiments/results/core.json, and core.md is made of it, so that a run on one
machine changes only its own rows.

Linear baselines are TF-IDF with a linear model on the same splits; published values are of the papers named.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from headway.evaluation.metrics.multilabel import Multilabel
from headway.evaluation.thresholds import best_thresholds
from headway.types import Gold, Prediction

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "experiments" / "results"
TEST_COLUMNS = ("documents", "windows", "truncated_documents", "tokens_lost", "tokens", "max_length_95")


@dataclass(frozen=True)
class Row:
    """One line of the table: a metric of an experiment, and what others scored."""

    experiment: str
    metric: str
    aim: float
    linear: str
    published: str
    objective: str | None = None
    """Of thresholds, fitted on the run's stored validation probabilities; None takes the run's own scores."""


ROWS = (
    Row("r8", "accuracy", 0.978, "0.98", "BERT-base 97.8, RoBERTa-base 97.8 (Lin et al. 2021, table 2)"),
    Row("r8", "f1_macro", 0.0, "", ""),
    Row("r52", "accuracy", 0.95, "0.94", "BERT-base 96.4, RoBERTa-base 96.2 (Lin et al. 2021, table 2)"),
    Row("r52", "f1_macro", 0.0, "0.66", ""),
    Row(
        "newsgroups", "accuracy", 0.83, "0.85", "BERT-base 85.3, RoBERTa-base 83.8 (Lin et al. 2021, table 2)"
    ),
    Row("newsgroups", "f1_macro", 0.0, "", ""),
    Row("boolq", "accuracy", 0.70, "0.70", "majority 62.17, fine-tuned GPT 72.87 (Clark et al. 2019)"),
    Row("disaster", "f1_micro", 0.76, "0.72", "", objective="f1_micro"),
    Row("disaster", "f1_macro", 0.0, "0.45", "", objective="f1_macro"),
    Row("movie_valence", "pearson", 0.80, "0.71", ""),
    Row("conll2003_ner", "entity_f1", 0.88, "", "BERT-base 92.4 (Devlin et al. 2019, table 7)"),
    Row("conll2003_ner", "entity_f1_strict", 0.0, "", ""),
    Row("conll2003_pos", "accuracy", 0.95, "", ""),
)


def newest(folder: Path) -> Path | None:
    """Return the latest finished run in an experiment's folder; run ids sort by time."""
    finished = sorted(path.parent for path in folder.glob("*/record.json"))
    return finished[-1] if finished else None


def run(experiment: str, outputs: Path) -> Path:
    """Return the experiment's run, training first if there is none."""
    found = newest(outputs / experiment)
    if found is None:
        command = ["train", f"experiment=reproductions/{experiment}", f"output_dir={outputs}"]
        subprocess.run([sys.executable, "-m", "headway.cli.main", *command], cwd=ROOT, check=True)
        found = newest(outputs / experiment)
    if found is None:
        raise SystemExit(f"{experiment} left no finished run in {outputs / experiment}")
    return found


def with_thresholds(folder: Path, objective: str) -> dict[str, dict[str, float]]:
    """Return the scores of a multi-label run with thresholds fitted for an objective on validation.

    Args:
        folder: The run's folder; its stored probabilities are used, the encoder isn't run again.
        objective: "f1_micro" or "f1_macro".
    """
    arrays = {}
    for split in ("validation", "test"):
        stored = pq.read_table(folder / "predictions" / f"{split}.parquet")
        names = json.loads(stored.schema.metadata[b"label_names"])
        gold = np.array(
            [[name in labels for name in names] for labels in stored["gold"].to_pylist()], dtype=int
        )
        arrays[split] = np.array(stored["probabilities"].to_pylist()), gold
    probabilities, gold = arrays["validation"]
    seen = np.ones(len(gold), dtype=bool)
    thresholds = best_thresholds(probabilities, gold, seen=seen, objective=objective)
    scores = {}
    for split, (probabilities, gold) in arrays.items():
        predicted = (probabilities > np.array(thresholds)).astype(int)
        scores[split] = dict(Multilabel()(Prediction(predicted, probabilities), Gold(gold), names))
    return scores


def summary(folder: Path, rows: list[Row]) -> dict[str, Any]:
    """Return what the table says of a run.

    Args:
        folder: The run's folder.
        rows: The table's rows of this experiment.
    """
    record = json.loads((folder / "record.json").read_text())
    scores = {}
    for row in rows:
        metrics = with_thresholds(folder, row.objective) if row.objective else record["metrics"]
        scores[row.metric] = [metrics.get(split, {}).get(row.metric) for split in ("validation", "test")]
    environment, report = record["environment"], record["lengths"]["test"]
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "scores": scores,
        "minutes": round(sum(record["seconds"].values()) / 60),
        "threads": environment["num_threads"],
        "machine": f"{environment['cpu']['cores']} cores of {environment['cpu']['name']}, torch "
        f"{environment['packages']['torch']}, {record['precision']}",
        "test": {
            name: report[name]
            for name in (
                "documents",
                "windows",
                "truncated_documents",
                "tokens_lost",
                "tokens",
                "max_length_95",
            )
        },
    }


def table(kept: dict[str, Any]) -> list[str]:
    """Return the table's lines."""
    lines = [
        "| experiment | metric | validation | test | aim | linear baseline | published | minutes (threads) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in ROWS:
        found = kept.get(row.experiment)
        if found is None or row.metric not in found["scores"]:
            continue
        scores = found["scores"][row.metric]
        cells = ["" if score is None else f"{100 * score:.2f}" for score in scores]
        aim = f"{100 * row.aim:.1f}{' ✓' if (scores[1] or 0) >= row.aim else ' ✗'}" if row.aim else ""
        lines.append(
            f"| {row.experiment} | {row.metric} | {cells[0]} | {cells[1]} | {aim} | {row.linear} | "
            f"{row.published} | {found['minutes']} ({found['threads']}) |"
        )
    return lines


def coverage(kept: dict[str, Any]) -> list[str]:
    """Return what truncation cut from each test split."""
    lines = [
        "| experiment | documents | windows | truncated | tokens lost | max_length for 95 % |",
        "|---|---|---|---|---|---|",
    ]
    for name, found in kept.items():
        report = found["test"]
        lines.append(
            f"| {name} | {report['documents']} | {report['windows']} | {report['truncated_documents']} | "
            f"{report['tokens_lost']} of {report['tokens']} | {report['max_length_95']} |"
        )
    return lines


def page(kept: dict[str, Any], names: list[str]) -> str:
    """Return core.md."""
    absent = [name for name in names if name not in kept]
    machines = list(dict.fromkeys(found["machine"] for found in kept.values()))
    return "\n".join(
        [
            "# Scores of MiniLM on official splits",
            "",
            "all-MiniLM-L6-v2 (22.7 M parameters), every parameter tuned, one seed (42) each; percent. "
            "Written by `python experiments/benchmarks/reproductions.py`, the last run on "
            f"{max(found['date'] for found in kept.values())}; {'; '.join(machines)}.",
            "",
            *table(kept),
            "",
            "The best epoch on validation is scored once on test. For BoolQ the public dev set is the test. "
            "Thresholds of several labels are fitted on validation for the metric of the row. `minutes` is "
            "the whole run, from reading to writing; other work may have run beside it.",
            *(["", f"Not run yet: {', '.join(absent)}."] if absent else []),
            "",
            "## What truncation cut from test",
            "",
            *coverage(kept),
            "",
        ]
    )


def main() -> None:
    """Run, keep what came out, and write the page."""
    names = list(dict.fromkeys(row.experiment for row in ROWS))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", choices=names, default=names)
    parser.add_argument("--outputs", type=Path, default=ROOT / "outputs", help="where the runs are")
    parser.add_argument("--write", type=Path, default=RESULTS, help="folder of core.json and core.md")
    arguments = parser.parse_args()
    store = arguments.write / "core.json"
    kept = json.loads(store.read_text(encoding="utf-8")) if store.is_file() else {}
    for name in arguments.only:
        rows = [row for row in ROWS if row.experiment == name]
        kept[name] = summary(run(name, arguments.outputs), rows)
        ordered = {each: kept[each] for each in names if each in kept}
        store.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
        (arguments.write / "core.md").write_text(page(ordered, names), encoding="utf-8")
    if not arguments.only:
        (arguments.write / "core.md").write_text(page(kept, names), encoding="utf-8")
    print((arguments.write / "core.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
