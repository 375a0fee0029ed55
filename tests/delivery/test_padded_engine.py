"""Padded rows give the same logits of windows and words as the packed layout that the model trained in."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import headway
from headway.delivery.loading import read_artifact
from headway.delivery.padded_engine import PaddedEngine
from headway.delivery.padded_model import PaddedModel, probe
from headway.types import HeadwayError

FAMILIES = ("bert", "distilbert", "roberta", "modernbert", "deberta-v2")
POOLINGS = ("token", "cls", "mean", "max")


def padded_engine(folder):
    artifact = read_artifact(folder, layout="padded")
    model = PaddedModel(artifact.encoder, artifact.head)

    def run(inputs):
        with torch.inference_mode():
            return model(*(torch.from_numpy(inputs[name]) for name in model.inputs)).numpy()

    return PaddedEngine(
        run,
        inputs=model.inputs,
        pad_token_id=artifact.encoder.model.config.pad_token_id,
        max_positions=artifact.encoder.max_positions,
        token_level=artifact.head.token_level,
    )


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_row_is_the_packed_layouts(family, pooling, batch_size, random_artifact, documents):
    folder = random_artifact(family, pooling)
    predictor = headway.load(folder, device="cpu")
    texts = {"tokens": documents} if pooling == "token" else {"text": [" ".join(d) for d in documents]}
    encoded = predictor.encode(texts)
    assert encoded.num_windows > encoded.num_documents
    wanted = predictor.engine.window_logits(encoded, batch_size=batch_size)
    found = padded_engine(folder).window_logits(encoded, batch_size=batch_size)
    for name in ("documents", "windows", "words", "edge_distances"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), err_msg=name)
    np.testing.assert_allclose(found.logits, wanted.logits, atol=1e-5, rtol=0)


def test_the_wrapper_is_in_eval_mode_from_the_start(random_artifact):
    """Tracing a module in training mode turns dropout on in all that it wraps."""
    artifact = read_artifact(random_artifact("bert", "cls"), layout="padded")
    artifact.encoder.train()
    model = PaddedModel(artifact.encoder, artifact.head)
    assert not any(module.training for module in model.modules())
    inputs = tuple(probe(model).values())
    assert torch.equal(model(*inputs), model(*inputs))


def test_a_head_that_knows_no_padding_is_told(random_artifact):
    artifact = read_artifact(random_artifact("bert", "cls"), layout="padded")
    with pytest.raises(HeadwayError, match=r"`task\.head` must have a method padded.*got Linear without one"):
        PaddedModel(artifact.encoder, torch.nn.Linear(32, 3))


def test_a_probe_has_padding_and_no_token_that_looks_like_it(random_artifact):
    artifact = read_artifact(random_artifact("roberta", "cls"), layout="padded")
    found = probe(PaddedModel(artifact.encoder, artifact.head))
    pad_id = artifact.encoder.model.config.pad_token_id
    assert torch.equal(found["input_ids"] == pad_id, found["attention_mask"] == 0)
    assert 0 < found["attention_mask"].sum() < found["attention_mask"].numel()
