"""The whole model that scores what FSDP trained is that of the best checkpoint; FSDP itself needs GPUs."""

from __future__ import annotations

import json

import pytest
import torch
import yaml

from headway.assembly import build_backbone, build_data, build_evaluator, encode_data
from headway.built_run import build_run
from headway.process import prepare_process
from headway.sharded import is_sharded, whole_again


@pytest.mark.slow
def test_a_whole_model_scores_what_was_trained(finished_run, tmp_path):
    folder = finished_run("class").folder
    cfg = yaml.safe_load((folder / "config.yaml").read_text())
    prepare_process(cfg)
    data, backbone = build_data(cfg), build_backbone(cfg)
    data.read()
    encode_data(data, backbone, backbone.load_tokenizer())
    built = build_run(cfg, tmp_path, data, backbone)
    built.module.loss_chain.extend([1.0, 2.0])
    whole = whole_again(cfg, tmp_path, built, data=data, backbone=backbone)
    assert whole.module is not built.module
    assert whole.best is built.best
    assert whole.module.loss_chain.state_dict() == built.module.loss_chain.state_dict()
    checkpoint = torch.load(folder / "checkpoints" / "best.ckpt", weights_only=True)
    whole.module.load_state_dict(checkpoint["state_dict"])
    whole.module.evaluators["test"] = build_evaluator(cfg, data, "test")
    try:
        whole.trainer.test(whole.module, dataloaders=whole.loaders.eval_dataloader("test"), verbose=False)
    finally:
        torch.distributed.destroy_process_group()
    found = whole.module.evaluations["test"].metrics["accuracy"]
    assert found == json.loads((folder / "metrics.json").read_text())["test"]["accuracy"]


@pytest.mark.parametrize(
    ("words", "sharded"), [([], False), (["trainer=ddp"], False), (["trainer=fsdp"], True)]
)
def test_which_runs_are_sharded(words, sharded, compose_config):
    assert is_sharded(compose_config("data=r8", *words)) is sharded
