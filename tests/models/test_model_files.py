"""Of a model's folder the files count that decide what it computes."""

from __future__ import annotations

import pytest

from headway.models.model_files import model_files


@pytest.mark.parametrize(
    ("weights", "kept"),
    [
        (["model.safetensors", "pytorch_model.bin"], ["model.safetensors"]),
        (["pytorch_model.bin"], ["pytorch_model.bin"]),
    ],
)
def test_configs_tokenizer_and_the_weights_that_are_read(tmp_path, weights, kept):
    for name in ["config.json", "vocab.txt", "README.md", *weights]:
        (tmp_path / name).write_text("x")
    (tmp_path / "onnx").mkdir()
    assert [path.name for path in model_files(str(tmp_path))] == ["config.json", *kept, "vocab.txt"]


def test_a_model_that_the_cache_lacks_has_none(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert model_files("nobody/no-such-model") == []
