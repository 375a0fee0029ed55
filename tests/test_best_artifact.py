"""model/ holds the best checkpoint's weights: soon after each, and in any case at the end."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

from headway.best_artifact import BestArtifact
from headway.data.encoding import EncodingSpec
from headway.delivery.artifact_spec import read_spec
from headway.delivery.loading import read_artifact
from headway.evaluate_run import run_config
from headway.evaluation.aggregation import MaxLogits, MeanLogits
from headway.evaluation.decoding import Argmax

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["class", "words", "score"])
def test_the_artifact_of_a_run_is_its_best_checkpoint(kind, finished_run):
    folder = finished_run(kind).folder
    checkpoint = torch.load(folder / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    found = load_file(folder / "model" / "model.safetensors")
    for name, value in found.items():
        own = name.replace("encoder.", "encoder.model.", 1) if name.startswith("encoder.") else name
        assert torch.equal(value, checkpoint[own]), name


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1.0  # every look at it takes a second, so a write does too
        return self.now


@pytest.fixture
def started(finished_run, tmp_path):
    """A writer with a clock of its own, a module, and scores that differ."""
    run = finished_run("class").folder
    artifact = read_artifact(run / "model")
    cfg = run_config(run)
    data = SimpleNamespace(
        name="files", label_names=artifact.spec.label_names, eval_batch_size=8, reports={}, spec=encoding(),
        roles=Roles(), rules=SimpleNamespace(replace={}, train="x.csv"), source=None,
    )  # fmt: skip
    module = SimpleNamespace(
        encoder=artifact.encoder,
        head=artifact.head,
        trainer=SimpleNamespace(precision="32-true"),
        evaluators={"val": SimpleNamespace(aggregation=MeanLogits())},
    )
    clock = Clock()
    tokenizer = AutoTokenizer.from_pretrained(run / "model")
    return BestArtifact(cfg, tmp_path, data=data, tokenizer=tokenizer, clock=clock), module, clock


def encoding():
    return EncodingSpec(20, "windows", 4, "first", True)


class Roles:
    text, text_pair, tokens = "body", None, None

    def columns_of(self, name):
        return ["body"]


def scores(value, temperature=1.0):
    return SimpleNamespace(metrics={"f1": value}, decoding=Argmax(temperature=temperature))


def bias(folder):
    return load_file(folder / "model" / "model.safetensors")["head.classifier.bias"][0].item()


def test_writing_takes_a_share_of_the_time_and_the_end_is_right(started, tmp_path):
    write, module, clock = started
    for epoch, (now, written) in enumerate([(0, 0), (1, 0), (14, 2), (15, 2)]):
        clock.now = max(clock.now, float(now))
        torch.nn.init.constant_(module.head.classifier.bias, float(epoch))
        best = scores(epoch / 10)
        write(module, best)
        assert bias(tmp_path) == written
        assert read_spec(tmp_path / "model").about["results"] == {"validation": {"f1": written / 10}}
    chosen = scores(0.9, temperature=3.0)
    results = {"validation": {"f1": 0.9}, "test": {"f1": 0.8}}
    write.finish(module, best, aggregation=MaxLogits(), validation=chosen, results=results)
    assert bias(tmp_path) == 3
    spec = read_spec(tmp_path / "model")
    assert spec.about["results"] == results
    assert spec.aggregation == MaxLogits().to_spec()
    assert spec.decoding["temperature"] == 3.0


def test_weights_that_are_there_arent_written_again(started, tmp_path):
    write, module, _ = started
    best = scores(0.5)
    write(module, best)
    before = (tmp_path / "model" / "model.safetensors").stat().st_ino
    write.finish(module, best, aggregation=MeanLogits(), validation=best, results={})
    assert (tmp_path / "model" / "model.safetensors").stat().st_ino == before
