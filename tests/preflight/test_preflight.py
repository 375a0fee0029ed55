"""The whole preflight against real runs of the same configs."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch
import yaml

from headway.preflight.preflight import preflight

pytestmark = pytest.mark.slow
KINDS = ("class", "bf16", "pair", "labels", "score", "entities", "words")


def _config(run):
    return yaml.safe_load((run.folder / "config.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_the_run_did(finished_run, kind, tmp_path):
    run = finished_run(kind)
    record = json.loads((run.folder / "record.json").read_text(encoding="utf-8"))
    found = preflight(_config(run), tmp_path / "new", measure=True)
    assert list(tmp_path.iterdir()) == []
    assert found.training.total_steps == record["total_steps"]
    assert (found.training.precision, found.training.layout) == (record["precision"], record["layout"])
    assert found.sound
    for split, lengths in record["lengths"].items():
        assert found.lengths.splits[split]["tokens"] == lengths["tokens"]
    assert found.cost is not None
    assert found.cost.time.run > found.cost.time.epoch > 0
    assert found.cost.first_loss > 0
    json.dumps(asdict(found))


def test_room_is_what_the_run_took(finished_run, tmp_path):
    run = finished_run("class")
    found = preflight(_config(run), tmp_path, measure=True)
    checkpoint = torch.load(run.folder / "checkpoints" / "best.ckpt", weights_only=True)
    tensors = list(checkpoint["state_dict"].values())
    weights = sum(tensor.nbytes for tensor in tensors)
    for state in checkpoint["optimizer_states"][0]["state"].values():
        tensors += [value for value in state.values() if torch.is_tensor(value)]
    assert found.disk.artifact == pytest.approx(weights, rel=0.01)
    assert found.disk.checkpoints / 3 == pytest.approx(sum(tensor.nbytes for tensor in tensors), rel=0.01)
    memory = found.cost.memory
    assert memory.weights == pytest.approx(weights, rel=0.01)
    assert memory.gradients == pytest.approx(weights, rel=0.05)  # all train
    assert memory.optimizer == pytest.approx(2 * weights, rel=0.05)


def test_without_steps_nothing_is_measured(finished_run, tmp_path):
    found = preflight(_config(finished_run("class")), tmp_path, measure=False)
    assert found.cost is None
    assert found.training.trained == found.training.parameters


def test_a_frozen_encoder_and_its_batches(finished_run, tmp_path):
    cfg = _config(finished_run("class"))
    cfg["backbone"].update(trainable="none", layout="padded")
    cfg["trainer"].update(max_steps=-1, max_epochs=2, accumulate_grad_batches=2)
    said = []
    found = preflight(cfg, tmp_path, measure=True, say=said.append).training
    assert found.trained < found.parameters
    assert [group.name for group in found.groups][-1] == "frozen"
    assert found.points[0].encoder_lr is None
    assert found.epochs == 2
    assert found.steps == -(-found.micro_batches // 2)
    assert 0 < found.padding < 1
    assert said[0] == "reading data"
    assert said[-1] == "measuring a few steps"


def test_a_batch_that_memory_does_not_hold(finished_run, tmp_path, monkeypatch):
    # A user's own loss that asks for more than any machine has.
    (tmp_path / "greedy.py").write_text(
        "import torch\nclass Greedy(torch.nn.Module):\n    def forward(self, logits, targets):\n"
        "        return torch.empty(1 << 60, dtype=torch.float32) + logits.sum()\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("HEADWAY_ALLOW_MODULES", "greedy")
    cfg = _config(finished_run("class"))
    cfg["task"]["loss"] = {"_target_": "greedy.Greedy"}
    found = preflight(cfg, tmp_path / "new", measure=True)
    assert not found.sound
    assert found.cost is None
    assert found.findings[0].level == "error"
    assert "`batching` must make batches that memory holds" in found.findings[0].message


def test_the_config_is_left_as_it_was(finished_run, tmp_path):
    cfg = _config(finished_run("class"))
    before = json.dumps(cfg)
    preflight(cfg, tmp_path, measure=False)
    assert json.dumps(cfg) == before
