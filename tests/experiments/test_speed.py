"""The benchmarks' own arithmetic, what they keep, and the page made of it; figures here are made up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import speed
from speed_parts import (
    cli,
    data_path,
    encode,
    finetune,
    finetune_real,
    first_step,
    heads,
    paired_f1,
    profile,
    real_scores,
    rounds,
    works,
)
from speed_parts.clocks import counted_seconds
from speed_parts.equivalence import compare
from speed_parts.options import Options, verdict

BENCHMARKS = Path(__file__).parents[2] / "experiments" / "benchmarks"
DIFFERENCES = ("states", "gradients", "first_states", "first_gradients", "spread")
MACHINE = {
    "date": "2026-01-01",
    "cpu": "Some CPU",
    "flags": ["avx512_bf16"],
    "cores": 2,
    "threads": 2,
    "load_before": 0.1,
    "versions": {"torch": "2.13.0", "transformers": None},
}


def figures(rates, **others):
    """Two rounds of each contender; the second is twice as fast on both sides, which leaves ratios alone."""
    found = {
        name: [{**others, "samples_per_second": rate}, {**others, "samples_per_second": 2 * rate}]
        for name, rate in rates.items()
    }
    return {"machine": MACHINE, "rounds": 2, "contenders": found}


def seconds(values):
    found = {name: [{"seconds": value}] for name, value in values.items()}
    return {"machine": MACHINE, "rounds": 1, "contenders": found}


def finetune_figures():
    rates = dict.fromkeys(finetune.HEADWAY, 100.0) | dict.fromkeys(finetune.TRAINER, 50.0)
    rates |= {"trainer max fp32 default": 10.0, "trainer grouped bf16 best": 80.0}
    return {**figures(rates, peak_mib=900.0), "rows": 1600}


def real_figures():
    names = ["headway", *finetune_real.TRAINER]
    rates = {f"{data} {name}": 70.0 for data in finetune_real.SETS for name in names}
    rates["r8 trainer max fp32"] = 10.0
    return figures(rates)


def score_figures():
    runs = {"accuracy": 0.97, "f1_macro": 0.93, "entity_f1": 0.86}
    worse = {name: value - 0.01 for name, value in runs.items()}
    sides = {
        "headway": [{"seed": 1, "test": runs}],
        "trainer": [{"seed": 1, "test": worse}],
    }
    return {"machine": MACHINE, "scores": dict.fromkeys(real_scores.WHOLE, sides)}


def encode_figures():
    peers = [*encode.HEADWAY, *encode.PEERS]
    rates = dict.fromkeys(peers, 100.0) | {"headway": 300.0, "sentence-transformers bf16 batch 32": 120.0}
    found = {name: [{"texts_per_second": rate, "sample": [[rate / 1000]]}] for name, rate in rates.items()}
    return {"machine": MACHINE, "rounds": 1, "contenders": found, "texts": 10, "max_length": 256}


def heads_figures():
    found = seconds({heads.HEADWAY: 10.0, heads.CACHING: 40.0, **dict.fromkeys(heads.AGAIN, 3000.0)})
    for name, rows in found["contenders"].items():
        rows[0] |= {"best_accuracy": 0.95, "epoch_seconds": 15.0, "extrapolated": name in heads.AGAIN}
        rows[0] |= {"warm_seconds": {heads.HEADWAY: 4.0, heads.CACHING: 22.0}.get(name)}
    return {**found, "trials": 20, "epochs": 10}


def growth_figures():
    sizes = [2000, 20000, 200000]
    found = {}
    for size in sizes:
        stage = {"seconds": size / 1000, "peak_mib": 500.0 + size / 1000}
        stages = dict.fromkeys(("read", "encode", "build", "train"), stage)
        found[f"{size} rows"] = [{"stages": stages, "peak_mib": stage["peak_mib"], "seconds": 1.0}]
    return {"machine": MACHINE, "rounds": 1, "contenders": found, "sizes": sizes, "steps": 20}


def paired_figures():
    scores = [(0.91, 0.90), (0.93, 0.91), (0.95, 0.92)]
    runs = [
        {"seed": seed, "layout": layout, "f1_macro": score, "accuracy": 0.9, "seconds": cost}
        for seed, pair in enumerate(scores)
        for layout, score, cost in zip(paired_f1.LAYOUTS, pair, (10, 25), strict=True)
    ]
    tests = {name: paired_f1.compare(runs, name) for name in paired_f1.METRICS}
    return {"machine": MACHINE, "runs": runs, "tests": tests}


KEPT = {
    "finetune": finetune_figures(),
    "parity": {
        "machine": MACHINE,
        "steps": 50,
        "trainer": [2.0, 1.0],
        "largest_loss_difference": 1e-6,
        "first_loss_difference": 1e-7,
        "largest_weight_difference": 2e-6,
        "largest_weight": "classifier.weight",
        "share_of_movement": 3e-4,
    },
    "finetune_real": real_figures(),
    "real_scores": score_figures(),
    "encode": encode_figures(),
    "heads": heads_figures(),
    "data_path": {
        **figures({data_path.HEADWAY: 700000.0, **dict.fromkeys(data_path.PEERS, 7000.0)}),
        "rows": 20000,
    },
    "cli": seconds(
        {f"{call}, {side}": cost for call in cli.CALLS for side, cost in (("headway", 0.2), ("eager", 5.0))}
    ),
    "first_step": seconds(dict(zip(first_step.CONTENDERS, (9.0, 10.0, 8.0), strict=True))),
    "growth": growth_figures(),
    "equivalence": {
        "machine": MACHINE,
        "batches": 5,
        "families": {
            "bert": dict(zip(DIFFERENCES, (1e-6, 2e-6, 3e-6, 4e-6, 1.0), strict=True)),
            "electra": dict(zip(DIFFERENCES, (1e-6, 2e-6, 1e-6, 2e-5, 1.0), strict=True)),
        },
    },
    "paired_f1": paired_figures(),
    "profile": {
        "machine": MACHINE,
        "ways": {
            "bf16": {
                "steps": 2,
                "wall": 1.0,
                "kinds": {"matrix products": 0.6, "attention": 0.4},
                "names": {},
            },
            "fp32": {"steps": 2, "wall": 2.0, "kinds": {"matrix products": 1.5}, "names": {}},
        },
    },
}
SAYS = {
    "finetune": [
        "| trainer max fp32 default | 15.0 | 10.0, 20.0 | 900 | 10.00 | >= 7: met | 10.00 |",
        "| trainer max fp32 best | 75.0 | 50.0, 100.0 | 900 | 2.00 | >= 7: missed | 2.00 |",
        "| 1.25 | >= 1.15: met; stretch >= 1.35: missed |  |",
        "The fastest of Trainer's is `trainer grouped bf16 best`; headway is 1.25 times",
    ],
    "parity": ["| loss, first step and last | 2.0000 and 1.0000 |", "| 3.0e-04 |"],
    "finetune_real": [
        "| | trainer max fp32 | 15.0 | 7.00 | >= 7: met |",
    ],
    "real_scores": [
        "| r8 | accuracy | 97.00 | 96.00 | +1.00 | 1 |",
    ],
    "encode": [
        "headway against the fastest, `sentence-transformers bf16 batch 32`: 2.50 times (aim >= 2: met)",
        "; vectors differ by at most 1.8e-01",
        "headway fp32 against the fastest in fp32, `sentence-transformers fp32 batch 32`: 1.00 times "
        "(aim >= 2: missed)",
    ],
    "heads": [
        "| script that caches | 40.0 | 4.0 | >= 5: missed |",
        "| 300.0 | >= 200: met |",
        "headway 4.0, script that caches 22.0 seconds (the script's without its encoding), 5.5 times",
    ],
    "data_path": ["| 100.0 | >= 50: met |"],
    "cli": ["| --help | 0.200 | 5.000 | 25.0 | >= 10: met |"],
    "first_step": [
        "| trainer fp32 | 10.00 | 0.90 | <= 1: met |",
        "| trainer bf16 | 8.00 | 1.12 | <= 1: missed |",
    ],
    # (500 + 200) / (500 + 2) MiB; seconds are the rows' thousandths in each of two stages.
    "growth": ["smallest: 1.39 (aim <= 1.1: missed)", "before it: 1.00 (linear: aim <= 1.1: met)"],
    "equivalence": [
        "| bert | 1.0e-06 | 2.0e-06 | 3.0e-06 | 4.0e-06 | 1.00 | <= 1e-05: met |",
        "| <= 1e-05: missed |",
    ],
    "paired_f1": [
        "f1_macro: packed less padded +2.00 points",
        "p = 0.07: no difference found",
        "2.50 times as long",
    ],
    "profile": [
        "| matrix products | 300.0 | 60.0 % | 750.0 | 75.0 % |",
        "| all | 500.0 | 100 % | 1000.0 | 100 % |",
    ],
}


def test_every_part_has_figures_here():
    assert list(KEPT) == list(SAYS) == list(speed.PARTS)


@pytest.mark.parametrize("name", list(KEPT))
def test_page_says_what_was_met_and_what_was_missed(name):
    text = speed.page({name: KEPT[name]})
    assert f"## {speed.PARTS[name]}" in text
    assert "Some CPU (avx512_bf16), 2 cores, 2 threads each, load 0.1 before; torch 2.13.0." in text
    for expected in SAYS[name]:
        assert expected in text
    absent = [other for other in speed.PARTS if other != name]
    assert f"Not measured yet: {', '.join(absent)}." in text


def test_command_makes_the_page_of_what_is_kept(tmp_path):
    (tmp_path / "speed.json").write_text(json.dumps(KEPT))
    command = [sys.executable, str(BENCHMARKS / "speed.py"), "--results", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    page = (tmp_path / "speed.md").read_text()
    assert page == speed.page(KEPT)
    assert done.stdout.strip() == page.strip()


def test_an_unknown_part_is_refused(tmp_path):
    command = [sys.executable, str(BENCHMARKS / "speed.py"), "--results", str(tmp_path), "nonsense"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "PART must be of finetune, " in done.stderr
    assert "got nonsense" in done.stderr


def test_verdict():
    assert verdict(7, 7.0) == ">= 7: met"
    assert verdict(6.9, 7.0) == ">= 7: missed"
    assert verdict(1.0, 1.0, at_least=False) == "<= 1: met"


def test_rounds_are_kept_and_found_again(tmp_path):
    options = Options(outputs=tmp_path, threads=1)
    rounds.Kept("cli", options, settings={"rows": 1}).add(0, "one", found={"seconds": 2.0})
    assert rounds.Kept("cli", options, settings={"rows": 1}).found == {(0, "one"): {"seconds": 2.0}}
    assert rounds.Kept("cli", options, settings={"rows": 2}).found == {}
    assert rounds.Kept("cli", Options(outputs=tmp_path, threads=2), settings={"rows": 1}).found == {}
    assert (
        rounds.Kept("cli", Options(outputs=tmp_path, threads=1, again=True), settings={"rows": 1}).found == {}
    )


def test_ratio_is_of_the_same_round():
    found = {
        "contenders": {"a": [{"x": 4.0}, {"x": 9.0}, {"x": 1.0}], "b": [{"x": 2.0}, {"x": 3.0}, {"x": 1.0}]}
    }
    assert rounds.ratio(found, ("a", "b"), key="x") == 2.0  # of 2, 3 and 1
    assert rounds.middle(found, "a", key="x") == 4.0
    assert rounds.best_of(found, ["a", "b"], key="x", most=False) == "b"


def test_only_the_last_epoch_is_counted():
    marks = {"epochs": [0.0, 10.0], "steps": [1.0, 2.0, 11.0, 12.5]}
    assert counted_seconds(marks, epochs=2) == 2.5
    with pytest.raises(ValueError, match="3 epochs, got 2"):
        counted_seconds(marks, epochs=3)


def test_drawn_lengths_are_sentence_like():
    lengths = works.drawn_lengths(20000, seed=0)
    assert abs(np.median(lengths) - 20) <= 1
    assert abs(np.percentile(lengths, 95) - 60) <= 3
    assert lengths.max() == 128
    assert lengths.min() >= 4


def test_rows_come_back_as_they_were_written(tmp_path):
    rows = [{"text": "één\nline", "label": "a"}, {"text": "b", "label": "c"}]
    assert works.read_rows(works.write_rows(tmp_path / "new" / "rows.jsonl", rows)) == rows


@pytest.mark.parametrize("kind", ["text", "pair", "words"])
def test_a_work_composes_as_headway_reads_it(kind, compose_config):
    work = works.Work("some", kind, "train.jsonl", "few.jsonl", max_length=77, epochs=2, lr=3e-4, seed=5)
    cfg = compose_config(*work.overrides())
    assert (cfg["data"]["train"], cfg["data"]["max_length"]) == ("train.jsonl", 77)
    assert (cfg["trainer"]["max_epochs"], cfg["optimizer"]["lr"], cfg["seed"]) == (2, 3e-4, 5)
    assert cfg["data"]["text_pair"] == ("text_pair" if kind == "pair" else None)
    assert cfg["data"]["tags"] == ("tags" if kind == "words" else None)


def test_the_sweep_is_the_grid(compose_config):
    trials = heads.grid(tiny=False)
    assert len(trials) == 20
    work = works.Work("r8", "text", "train.jsonl", "few.jsonl")
    words = heads.sweep_words(work, trials)
    swept = {word.split("=")[0]: word.split("=")[1].split(",") for word in words if word.count(",")}
    assert np.prod([len(values) for values in swept.values()]) == 20
    assert sum(word.startswith("optimizer.lr=") for word in words) == 1


def test_paired_test_by_hand():
    runs = paired_figures()["runs"]
    found = paired_f1.compare(runs, "f1_macro")
    # Differences 0.01, 0.02, 0.03: t = 0.02 / (0.01 / sqrt(3)) = 3.4641 with 2 degrees of freedom, where
    # p = 1 - t / sqrt(2 + t^2) exactly; the 97.5 % point of that distribution is 4.3027.
    assert found["difference"] == pytest.approx(0.02)
    assert found["p"] == pytest.approx(1 - 12**0.5 / 14**0.5)
    assert found["high"] == pytest.approx(0.02 + 4.3027 * 0.01 / 3**0.5, abs=1e-6)
    equal = paired_f1.compare(runs, "accuracy")
    assert (equal["difference"], equal["p"]) == (0.0, 1.0)


def test_profile_gives_kernels_to_what_called_them():
    # Lightning's closure: forward and backward are called by it, too.
    step = SimpleNamespace(name="Optimizer.step#AdamW.step", cpu_parent=None, self_cpu_time_total=1e6)
    attention = SimpleNamespace(name="DroppedAttention", cpu_parent=None, self_cpu_time_total=0)
    events = [
        step,
        attention,
        SimpleNamespace(name="aten::_fused_adamw_", cpu_parent=step, self_cpu_time_total=2e6),
        SimpleNamespace(name="aten::bmm", cpu_parent=attention, self_cpu_time_total=3e6),
        SimpleNamespace(name="aten::mm", cpu_parent=step, self_cpu_time_total=4e6),
        SimpleNamespace(name="aten::strange", cpu_parent=None, self_cpu_time_total=5e6),
    ]
    found = profile.shares(events, wall=20.0)
    assert found["kinds"] == {
        "other kernels": 5.0,
        "Python and waiting": 6.0,
        "matrix products": 4.0,
        "attention": 3.0,
        "optimizer": 2.0,
    }
    assert found["names"] == {"aten::strange": 5.0}


def test_equivalence_of_a_family():
    found = compare("bert", batches=1)
    assert all(0 < found[name] < 1e-5 for name in DIFFERENCES[:4]), found
    assert found["spread"] > 0.1
