"""Measure what exports are worth, and write experiments/results/delivery.md.

    python experiments/benchmarks/delivery.py latency --run R8RUN [--models run distilbert bert_base]
    python experiments/benchmarks/delivery.py accuracy --runs R8RUN CONLLRUN
    python experiments/benchmarks/delivery.py cold_start --run R8RUN
    python experiments/benchmarks/delivery.py serving --run R8RUN [--clients 1 8 32 --seconds 20]
    python experiments/benchmarks/delivery.py million --run R8RUN [--rows 10000 1000000 --workers 1 2]
    python experiments/benchmarks/delivery.py            # the page alone, from what was kept

Every part keeps what it found in experiments/results/delivery.json; the page is made of that. Latency is
worth something on a quiet machine only. R8RUN: a finished run on R8, CONLLRUN: on CoNLL-2003, both of MiniLM.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from delivery_page import page

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "experiments" / "results"
BENCHMARKS = ROOT / "experiments" / "benchmarks"
PIPELINE = (
    "import json, sys; from transformers import pipeline; "
    "row = json.loads(open(sys.argv[2]).readline()); "
    "print(pipeline(sys.argv[3], model=sys.argv[1], trust_remote_code=True)(row['text'])[0], flush=True)"
)
TO_FILE = (
    "import sys; from headway.cli.main import main; run, file, out, workers = sys.argv[1:]; "
    "status = main(['predict', run, file, '--text', 'text', '--output', out, '--overwrite', "
    "'--workers', workers]); print(sum(1 for _ in open(out, 'rb')), flush=True); sys.exit(status)"
)
HEADWAY = (
    "import sys; from headway.cli.main import main; "
    "status = main(['predict', sys.argv[1], sys.argv[2], '--text', 'text']); "
    "print('torch' in sys.modules, flush=True); sys.exit(status)"
)


def latency(arguments: argparse.Namespace) -> dict[str, Any]:
    """Time each model with each number of threads, in a process of its own."""
    found: dict[str, Any] = {}
    for model in arguments.models:
        for threads in arguments.threads:
            words = [model, str(arguments.run), str(arguments.work), "--threads", str(threads)]
            words += ["--lengths", *map(str, arguments.lengths), "--repeats", str(arguments.repeats)]
            done = subprocess.run(
                [sys.executable, str(BENCHMARKS / "delivery_latency.py"), *words],
                check=True, stdout=subprocess.PIPE, text=True,
                env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            )  # fmt: skip
            found.setdefault(model, {})[str(threads)] = json.loads(done.stdout.splitlines()[-1])
    return found


def accuracy(arguments: argparse.Namespace) -> dict[str, Any]:
    """Score the whole test split of each run with torch and with each ONNX variant."""
    from delivery_models import onnx_exports, run_split

    import headway
    from headway.config.build import build
    from headway.delivery.artifact import artifact_folder
    from headway.evaluation.evaluator import evaluate

    found = {}
    for run in arguments.runs:
        cfg, data = run_split(run, "test")
        folder = artifact_folder(run)
        exports = onnx_exports(folder, arguments.work / "accuracy" / run.resolve().name)
        predictors = {"torch": headway.load(folder, device="cpu")}
        predictors |= {name: headway.load(export) for name, export in exports.items()}
        own = predictors["torch"]
        types = bool(own.spec.encoding["token_type_ids"])
        data.encode(own.tokenization, token_type_ids=types, model_limit=own.max_positions)
        metrics, scores = build(cfg["task"]["metrics"], key="task.metrics"), {}
        for name, predictor in predictors.items():
            evaluation = evaluate(
                predictor.document_logits(data.encoded["test"]),
                data.gold["test"],
                decoding=predictor.decoding,
                metrics=metrics,
                label_names=predictor.label_names,
            )
            scores[name] = evaluation.metrics[str(cfg["task"]["monitor"]).removeprefix("val/")]
        found[data.name] = {
            "metric": cfg["task"]["monitor"],
            "documents": len(data.tables["test"]),
            "precision": own.spec.precision,
            "scores": scores,
        }
    return found


def cold_start(arguments: argparse.Namespace) -> dict[str, Any]:
    """Time new processes until their first answer, in turn, and their peak memory."""
    from delivery_models import exported, onnx_exports

    from headway.delivery.artifact import artifact_folder
    from headway.delivery.export import Options

    folder = artifact_folder(arguments.run)
    work = arguments.work / "cold_start"
    onnx = onnx_exports(folder, work)
    plain = exported(folder, "transformers", Options(), work / "transformers")
    file = work / "one.jsonl"
    file.write_text(json.dumps({"text": "oil prices rise as opec cuts output"}) + "\n", encoding="utf-8")
    commands = {name: ["-c", HEADWAY, str(each), str(file)] for name, each in onnx.items()} | {
        "transformers with torch": ["-c", PIPELINE, str(plain), str(file), "text-classification"]
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    peak: dict[str, int] = {}
    torch_imported = {}
    for _ in range(arguments.starts + 1):  # the first fills the disk's cache
        for name, words in commands.items():
            first, mib, last = _started(words)
            seconds[name].append(first)
            peak[name] = max(peak.get(name, 0), mib)
            torch_imported[name] = last == "True"
    return {
        name: {
            "seconds": round(median(values[1:]), 3),
            "peak_mib": peak[name],
            "torch_imported": torch_imported[name] or "torch" in name,
            "starts": arguments.starts,
        }
        for name, values in seconds.items()
    }


def serving(arguments: argparse.Namespace) -> dict[str, Any]:
    """Ask a server, a plain one and a loop for the same texts, from some numbers of clients."""
    from delivery_load import measure
    from delivery_models import onnx_exports, short_texts

    from headway.delivery.artifact import artifact_folder

    exports = onnx_exports(artifact_folder(arguments.run), arguments.work / "serving")
    return measure(
        {"int8": exports["onnx int8 optimized"], "fp32": exports["onnx fp32"]},
        short_texts(arguments.run),
        clients=arguments.clients,
        seconds=arguments.seconds,
    )


def million(arguments: argparse.Namespace) -> dict[str, Any]:
    """Predict files of short texts; what is measured already in the work folder isn't again."""
    from delivery_models import short_texts

    work = arguments.work / "million"
    folder, texts = _int8(arguments.run, work), short_texts(arguments.run)
    found = {}
    for rows in sorted(arguments.rows):
        file = work / f"{rows}.jsonl"
        if not file.is_file():
            partial = file.with_suffix(".partial")
            with partial.open("w", encoding="utf-8") as stream:
                stream.writelines(json.dumps({"text": texts[i % len(texts)]}) + "\n" for i in range(rows))
            partial.rename(file)
        for workers in arguments.workers:
            kept = work / f"{rows}-{workers}.json"
            if not kept.is_file():
                words = ["-c", TO_FILE, str(folder), str(file), str(work / "out.jsonl"), str(workers)]
                seconds, mib, last = _started(words)
                if last != str(rows):
                    raise SystemExit(f"{rows} rows must give as many answers, got {last}")
                cell = {"seconds": seconds, "per_second": rows / seconds, "peak_mib": mib}
                kept.write_text(json.dumps(cell), encoding="utf-8")
            found[f"{rows}/{workers}"] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def _int8(run: Path, work: Path) -> Path:
    from delivery_models import onnx_exports

    from headway.delivery.artifact import artifact_folder

    return onnx_exports(artifact_folder(run), work)["onnx int8 optimized"]


def _started(words: list[str]) -> tuple[float, int, str]:
    """Return the seconds to the first line, the peak memory in MiB, and the last line."""
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "first_answer.py"), sys.executable, *words],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    return found["seconds"], found["peak_mib"], found["last"]


PARTS = {
    "latency": latency,
    "accuracy": accuracy,
    "cold_start": cold_start,
    "serving": serving,
    "million": million,
}


def main() -> None:
    """Measure the parts asked for, keep what came out, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--run", type=Path, help="for all but accuracy: reads single texts")
    parser.add_argument("--runs", type=Path, nargs="+", help="for accuracy")
    parser.add_argument("--models", nargs="+", default=["run", "distilbert", "bert_base"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--lengths", type=int, nargs="+", default=[16, 64, 128, 256, 512])
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each load of serving")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 1_000_000], help="for million")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="for million")
    parser.add_argument(
        "--work", type=Path, default=ROOT / "outputs" / "delivery", help="exports are kept here"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="where json and page go")
    arguments = parser.parse_args()
    unknown = [part for part in arguments.parts if part not in PARTS]
    if unknown:
        parser.error(f"PART must be of {', '.join(PARTS)}, got {unknown[0]}")
    needing = set(PARTS) - {"accuracy"}
    if needing & set(arguments.parts) and arguments.run is None:
        parser.error(f"{', '.join(sorted(needing))} need --run")
    if "accuracy" in arguments.parts and not arguments.runs:
        parser.error("accuracy needs --runs")
    store = arguments.results / "delivery.json"
    kept = json.loads(store.read_text(encoding="utf-8")) if store.is_file() else {}
    for part in arguments.parts:
        kept[part] = PARTS[part](arguments)
        store.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    (arguments.results / "delivery.md").write_text(page(kept), encoding="utf-8")
    print(page(kept))


if __name__ == "__main__":
    main()
