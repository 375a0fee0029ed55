"""Windows a second in prediction, against the same encoder in a plain loop over the same windows.

    python experiments/benchmarks/window_throughput.py RUN [--documents 60] [--repeats 5] [--threads 2]

The plain loop pads batches of windows, sorted by length, to the longest and calls transformers' own model
without any head: less work than prediction, which also puts documents together and decodes them. Neither
encodes text. Both run interleaved, in the run's precision; medians.
Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from statistics import median

import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModel

from headway.assembly import build_data
from headway.data.store import Encoded
from headway.delivery.artifact import artifact_folder
from headway.delivery.predictor import Predictor, load
from headway.evaluate_run import run_config


def encoded_split(run: Path, predictor: Predictor, *, split: str, documents: int) -> Encoded:
    """Return the windows of a split's first documents."""
    data = build_data(run_config(artifact_folder(run).parent))
    data.read_one(split, predictor.spec.label_names)
    table = data.tables[split]
    columns = {name: list(table.column(name))[:documents] for name in predictor.spec.columns}
    return predictor.encode(columns)  # type: ignore[arg-type]


def plain_model(folder: Path) -> torch.nn.Module:
    """Return transformers' own model with the artifact's weights."""
    model = AutoModel.from_config(AutoConfig.from_pretrained(folder))
    state = load_file(folder / "model.safetensors")
    own = {name.removeprefix("encoder."): value for name, value in state.items()}
    model.load_state_dict({name: own.get(name, value) for name, value in model.state_dict().items()})
    model.pooler = None
    return model.eval()


def plain_loop(
    model: torch.nn.Module, encoded: Encoded, *, batch_size: int, dtype: torch.dtype | None
) -> None:
    """Run the encoder over all windows, as a script would."""
    order = encoded.window_lengths.argsort(kind="stable")[::-1]
    with torch.inference_mode(), torch.autocast("cpu", dtype, enabled=dtype is not None):
        for start in range(0, len(order), batch_size):
            windows = [
                torch.from_numpy(
                    encoded.input_ids[encoded.offsets[w] : encoded.offsets[w + 1]].astype("int64")
                )
                for w in order[start : start + batch_size].tolist()
            ]
            ids = torch.nn.utils.rnn.pad_sequence(windows, batch_first=True)
            lengths = torch.tensor([len(window) for window in windows])
            mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
            model(input_ids=ids, attention_mask=mask)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--documents", type=int, default=60)
    parser.add_argument("--batch-size", type=int, default=32, help="windows")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    predictor = load(arguments.run, device="cpu")
    encoded = encoded_split(arguments.run, predictor, split=arguments.split, documents=arguments.documents)
    model = plain_model(artifact_folder(arguments.run))
    dtype = torch.bfloat16 if predictor.spec.precision.startswith("bf16") else None
    seconds: dict[str, list[float]] = {"plain": [], "headway": []}
    for repeat in range(arguments.repeats + 1):
        start = time.perf_counter()
        plain_loop(model, encoded, batch_size=arguments.batch_size, dtype=dtype)
        middle = time.perf_counter()
        documents = predictor.document_logits(encoded, batch_size=arguments.batch_size)
        predictor.decoding(documents)
        end = time.perf_counter()
        if repeat:  # the first pass compiles kernels
            seconds["plain"].append(middle - start)
            seconds["headway"].append(end - middle)
    rates = {name: encoded.num_windows / median(values) for name, values in seconds.items()}
    ratios = [one / other for one, other in zip(seconds["plain"], seconds["headway"], strict=True)]
    print(
        json.dumps(
            {
                "windows": encoded.num_windows,
                "documents": encoded.num_documents,
                "precision": predictor.spec.precision,
                "threads": arguments.threads,
                "windows_per_second": {name: round(rate, 1) for name, rate in rates.items()},
                "ratio": round(median(ratios), 3),
            }
        )
    )


if __name__ == "__main__":
    main()
