"""A backbone refuses what can't work before weights are read, and says which key to change."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.testing import assert_close
from transformers import AutoConfig, AutoModelForMaskedLM, T5Config

from headway.models.architecture import forward_inputs
from headway.models.backbone import Backbone
from headway.models.encoder import Encoder
from headway.types import ConfigError

SETTINGS = {
    "name": "some/model",
    "revision": None,
    "package": None,
    "member": None,
    "trainable": "all",
    "last_n": None,
    "attention": "sdpa",
    "layout": "auto",
    "gradient_checkpointing": False,
    "compile": False,
    "fast_dropout": False,
}
PIN = {"name": "a", "version": "1", "filename": "a-1-py3-none-any.whl", "sha256": "0" * 64}


def backbone(**changes):
    return Backbone(**{**SETTINGS, **changes})


@pytest.fixture
def folder(tmp_path, tiny_model, wordpiece_tokenizer):
    tiny_model("bert").save_pretrained(tmp_path)
    wordpiece_tokenizer.save_pretrained(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": None}, "`backbone.name` or `backbone.package` must be set, and not both"),
        ({"package": PIN, "member": "m"}, "`backbone.name` or `backbone.package` must be set, and not both"),
        ({"member": "m"}, "`backbone.member` must be"),
        ({"name": None, "package": PIN}, "`backbone.member` must be"),
        ({"name": None, "package": PIN, "member": "m", "revision": "main"}, "`backbone.revision` must"),
        ({"name": None, "package": {"name": "a"}, "member": "m"}, "`backbone.package` must have the keys"),
        ({"trainable": "some"}, "`backbone.trainable` must be one of"),
        ({"trainable": "last_n"}, "`backbone.last_n` must be a whole number"),
        ({"trainable": "last_n", "last_n": 0}, "`backbone.last_n` must be a whole number"),
        ({"trainable": "last_n", "last_n": 1.5}, "`backbone.last_n` must be a whole number"),
        ({"last_n": 2}, "`backbone.last_n` must be null"),
        ({"attention": "flash"}, "`backbone.attention` must be one of"),
        ({"layout": "ragged"}, "`backbone.layout` must be one of"),
        ({"layout": "packed", "compile": True}, "`backbone.layout` can be packed only with"),
        ({"gradient_checkpointing": "yes"}, "`backbone.gradient_checkpointing` must be one of"),
        ({"compile": 1}, "`backbone.compile` must be one of"),
    ],
)
def test_bad_values_are_refused_when_built(changes, message):
    with pytest.raises(ConfigError, match=message):
        backbone(**changes)


def test_nothing_is_read_when_built():
    backbone(name="/no/such/folder")


@pytest.mark.parametrize("name", ["/no/such/folder", "./nowhere", "~/no/such/folder"])
def test_a_missing_folder_is_named(name):
    for load in ("load_config", "load_tokenizer", "load_encoder", "architecture"):
        with pytest.raises(ConfigError, match="`backbone.name` must be a folder or a model on the hub"):
            getattr(backbone(name=name), load)()


def test_an_unreachable_hub_says_what_to_do(monkeypatch):
    def refuse(*args, **kwargs):
        assert kwargs["trust_remote_code"] is False
        assert kwargs["revision"] == "v1"
        raise OSError("We couldn't connect to 'https://huggingface.co'\nmore")

    monkeypatch.setattr(AutoConfig, "from_pretrained", refuse)
    with pytest.raises(ConfigError, match=r"`backbone.name` must name .*couldn't connect.*backbone=minilm"):
        backbone(revision="v1").load_config()


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="`backbone.name` must name .* with a model"):
        backbone(name=str(tmp_path)).load_config()
    with pytest.raises(ConfigError, match="with a tokenizer"):
        backbone(name=str(tmp_path)).load_tokenizer()


def test_an_encoder_decoder_is_refused(tmp_path):
    T5Config().save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match="`backbone` must be an encoder, got t5"):
        backbone(name=str(tmp_path)).load_config()


def test_loads_config_tokenizer_and_encoder(folder, tiny_model, make_batch):
    loaded = backbone(name=str(folder))
    assert loaded.load_config().model_type == "bert"
    assert loaded.load_tokenizer().is_fast
    encoder = loaded.load_encoder()
    assert encoder.layout == "packed"
    assert encoder.training
    assert encoder.has_pooler
    batch = make_batch((3, 5))
    assert_close(encoder.eval()(batch), Encoder(tiny_model("bert")).eval()(batch))


def test_architecture_is_known_without_weights(folder, tiny_model):
    (folder / "model.safetensors").unlink()
    known = backbone(name=str(folder)).architecture()
    assert (known.model_type, known.hidden_size, known.num_layers, known.max_positions) == ("bert", 32, 2, 40)
    assert known.initializer_range == 0.2
    assert {"input_ids", "token_type_ids"} <= known.inputs
    assert known == Encoder(tiny_model("bert")).architecture


@pytest.mark.parametrize(
    ("family", "changes", "message"),
    [
        ("bert", {"trainable": "last_n", "last_n": 3}, r"`backbone.last_n` must be in \[1, 2\]"),
        ("albert", {"trainable": "last_n", "last_n": 1}, "`backbone.trainable` must be all or none"),
        ("mobilebert", {"layout": "packed"}, "`backbone.layout` can't be packed: mobilebert has no adapter"),
        ("deberta-v2", {}, "`backbone.attention` must be eager for deberta-v2"),
    ],
)
def test_what_a_family_can_not_do_is_refused_without_weights(family, changes, message, tmp_path, tiny_model):
    tiny_model(family).config.save_pretrained(tmp_path)
    for load in ("architecture", "load_encoder"):
        with pytest.raises(ConfigError, match=message):
            getattr(backbone(name=str(tmp_path), **changes), load)()


def test_half_precision_files_train_in_float32(folder):
    weights = load_file(folder / "model.safetensors")
    save_file({n: w.half() for n, w in weights.items()}, folder / "model.safetensors", {"format": "pt"})
    config = json.loads((folder / "config.json").read_text()) | {"dtype": "float16"}
    (folder / "config.json").write_text(json.dumps(config))
    assert {p.dtype for p in backbone(name=str(folder)).load_encoder().parameters()} == {torch.float32}


def test_a_pooler_that_the_weights_lack_is_not_made_up(tmp_path, tiny_model):
    """A masked language model's weights hold no pooler; transformers would fill one at random."""
    AutoModelForMaskedLM.from_config(tiny_model("bert").config).save_pretrained(tmp_path)
    encoder = backbone(name=str(tmp_path)).load_encoder()
    assert not encoder.has_pooler
    with pytest.raises(ConfigError, match="`task.head.pooling` must be cls, mean or max"):
        encoder.keep_pooler(wanted=True)


def test_missing_weights_are_refused(folder):
    weights = load_file(folder / "model.safetensors")
    kept = {name: weight for name, weight in weights.items() if "layer.1" not in name}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ConfigError, match="`backbone` must have weights .* got none for 16"):
        backbone(name=str(folder)).load_encoder()


def test_loading_says_nothing(folder, capfd):
    backbone(name=str(folder)).load_encoder()
    assert capfd.readouterr() == ("", "")


def test_gradient_checkpointing_is_switched_on(folder, make_batch):
    encoder = backbone(name=str(folder), gradient_checkpointing=True).load_encoder()
    assert all(layer.gradient_checkpointing for layer in encoder.model.encoder.layer)
    encoder(make_batch((3, 5))).sum().backward()


def test_compiled_models_run_padded(folder):
    described = backbone(name=str(folder), compile=True)
    assert described.layout == "padded"


def test_trainable_reaches_the_encoder(folder):
    assert backbone(name=str(folder), trainable="none").load_encoder().frozen
    partly = backbone(name=str(folder), trainable="last_n", last_n=1).load_encoder()
    assert not partly.model.embeddings.training


def test_inputs_are_those_the_forward_declares(tiny_model):
    """DistilBERT's forward swallows token_type_ids through **kwargs; declared they aren't."""
    assert "token_type_ids" in forward_inputs(tiny_model("bert"))
    assert "token_type_ids" not in forward_inputs(tiny_model("distilbert"))
    assert "kwargs" not in forward_inputs(tiny_model("distilbert"))
    assert forward_inputs(type(tiny_model("bert"))) == forward_inputs(tiny_model("bert"))
