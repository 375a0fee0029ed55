"""record.json holds all that it takes to run again: of a real run, against the files themselves."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch
import yaml
from safetensors.torch import load_file


@pytest.mark.slow
def test_a_finished_run(finished_run):
    run = finished_run("class")
    record = json.loads((run.folder / "record.json").read_text())
    cfg = yaml.safe_load((run.folder / "config.yaml").read_text())

    def sha(path):
        return hashlib.sha256(path.read_bytes()).hexdigest()

    assert record["schema"] == 1
    assert (record["status"], record["process"]["exit_status"]) == ("finished", 0)
    assert record["config"] == cfg
    assert record["labels"] == {"earn": 0, "grain": 1, "ship": 2}
    assert record["seeds"] == {"seed": 42, "data_seed": 42, "split_seed": 0}
    train = run.file.with_name("train.csv")
    assert record["inputs"]["files"] == {str(path): sha(path) for path in (train, run.file)}
    assert set(record["inputs"]["splits"]) == {"train", "validation", "test"}
    model = record["inputs"]["model"]
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(model["files"])
    numerics = record["numerics"]
    assert (numerics["threads"], numerics["precision"], numerics["attention"]) == (1, "32-true", "sdpa")
    assert (numerics["layout"], numerics["deterministic"]) == ("packed", False)
    assert numerics["first_tokens_alone"] is True
    assert record["schedule"]["total_steps"] == sum(record["schedule"]["steps_an_epoch"]) == 4
    state = load_file(run.folder / "model" / "model.safetensors")
    count = sum(value.numel() for value in state.values())
    assert record["parameters"] == {"trained": count, "all": count}
    assert record["environment"]["freeze"]["torch"] == torch.__version__
    chain = record["results"]["loss_chain"]
    assert [link["step"] for link in chain][-1] == chain[-1]["losses"] == 4
    for name, found in record["results"]["checkpoints"].items():
        assert found == sha(run.folder / "checkpoints" / name)
    assert set(record["results"]["predictions"]) == {"validation", "test"}
    assert record["metrics"] == json.loads((run.folder / "metrics.json").read_text())
