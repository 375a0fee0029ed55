"""transformers alone loads what was exported, and gives headway's logits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import headway
from headway.delivery.export import Options, export_named
from headway.delivery.loading import read_artifact
from headway.models.heads.cls import ClsHead
from headway.types import ConfigError, HeadwayError

pytestmark = pytest.mark.slow
NATIVE = {  # family, head: the class of transformers that computes the same
    ("bert", "token"): "BertForTokenClassification",
    ("bert", "pooler"): "BertForSequenceClassification",
    ("distilbert", "token"): "DistilBertForTokenClassification",
    ("roberta", "token"): "RobertaForTokenClassification",
    ("roberta", "pooler"): "RobertaForSequenceClassification",
    ("electra", "token"): "ElectraForTokenClassification",
    ("deberta-v2", "token"): "DebertaV2ForTokenClassification",
}
REMOTE = [
    ("bert", "cls"), ("bert", "mean"), ("bert", "max"), ("distilbert", "cls"), ("roberta", "cls"),
    ("modernbert", "token"), ("modernbert", "mean"), ("deberta-v2", "cls"), ("electra", "cls"),
]  # fmt: skip
ALONE = """
import json, sys
sys.modules["headway"] = None  # importing it is an error
import torch
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification
from transformers import AutoTokenizer, pipeline
texts = json.loads(sys.argv[1])
for folder, tokens, trust in json.loads(sys.argv[2]):
    auto = AutoModelForTokenClassification if tokens else AutoModelForSequenceClassification
    more = {"trust_remote_code": True} if trust else {}
    model, tokenizer = auto.from_pretrained(folder, **more), AutoTokenizer.from_pretrained(folder, **more)
    inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        logits = model(**inputs).logits
    held = inputs["attention_mask"].bool()
    rows = [row[mask].tolist() if tokens else row.tolist() for row, mask in zip(logits, held)]
    kind = "token-classification" if tokens else "text-classification"
    answers = pipeline(kind, model=folder, **more)(texts)
    mine = [name for name in sys.modules if name.split(".")[0] == "headway" and sys.modules[name]]
    print(json.dumps({"class": type(model).__name__, "logits": rows, "answers": answers,
                      "labels": model.config.id2label, "problem": model.config.problem_type,
                      "headway": mine}, default=float))
"""
TEXTS = ["the fox jumps", "shares in the company fell", "dog"]


def exported(folder, target):
    target.mkdir()
    export = export_named("transformers", Options())
    notes = export.write(target, read_artifact(folder, layout="padded", attention="eager"))
    export.finish(target)
    return export, notes


@pytest.fixture(scope="module")
def alone(random_artifact, tmp_path_factory):
    """(family, head) -> what was exported, its notes, and what one process without headway says of it."""
    place = tmp_path_factory.mktemp("exports")
    cases = [*NATIVE, *REMOTE]
    notes, words = [], []
    for family, pooling in cases:
        target = place / f"{family}-{pooling}"
        notes.append(exported(random_artifact(family, pooling), target)[1])
        words.append([str(target), pooling == "token", (family, pooling) not in NATIVE])
    done = subprocess.run(
        [sys.executable, "-c", ALONE, json.dumps(TEXTS), json.dumps(words)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_MODULES_CACHE": str(place / "modules")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {
        case: (Path(word[0]), note, found)
        for case, word, note, found in zip(cases, words, notes, said, strict=True)
    }


def headways_logits(folder, *, token_level):
    """Of each text, (num_labels,) or (tokens, num_labels)."""
    predictor = headway.load(folder, device="cpu")
    if not token_level:
        return list(predictor.document_logits(predictor.encode({"text": TEXTS})).logits)
    artifact = read_artifact(folder)
    import torch

    from headway.data.collator import WindowBatches
    from headway.data.encoding import encode
    from headway.data.plans import BatchPlan

    encoded = encode(artifact.tokenizer, {"tokens": [text.split() for text in TEXTS]}, predictor._encoding)
    found = []
    for number in range(len(TEXTS)):
        batch = WindowBatches(encoded, None, token_level=True)[BatchPlan(np.array([number]), 0.0)]
        with torch.inference_mode():
            encoder = artifact.encoder.eval()
            found.append(artifact.head.eval()(encoder(batch), batch, encoder).numpy())
    return found


@pytest.mark.parametrize(("family", "pooling"), [*NATIVE, *REMOTE])
def test_transformers_alone_gives_the_same_logits(family, pooling, random_artifact, alone):
    folder, token_level = random_artifact(family, pooling), pooling == "token"
    export, notes, found = alone[family, pooling]
    native = NATIVE.get((family, pooling))
    kind = "Token" if token_level else "Sequence"
    assert found["class"] == (native or f"HeadwayFor{kind}Classification")
    assert found["headway"] == []
    for one, other in zip(found["logits"], headways_logits(folder, token_level=token_level), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5, rtol=0)
    labels = ["O", "B-X", "I-X"] if token_level else ["earn", "grain", "ship"]
    assert list(found["labels"].values()) == labels
    assert found["problem"] == (None if token_level else "single_label_classification")
    answered = [each for text in found["answers"] for each in (text if token_level else [text])]
    assert {each.get("label") or each["entity"] for each in answered} <= set(labels)
    assert answered or token_level
    card = (export / "README.md").read_text()
    assert ("trust_remote_code=True" in card) == ("REMOTE CODE" in notes[0]) == (native is None)
    assert "headway.load" not in card
    assert "logits / 1.5" in card


def test_carried_code_is_not_run_unasked(random_artifact, tmp_path):
    """Nor is a class of the family's own loaded in its place, whose head would be random."""
    from transformers import AutoModelForSequenceClassification

    exported(random_artifact("bert", "cls"), tmp_path / "x")
    with pytest.raises((ValueError, OSError), match="trust_remote_code"):
        AutoModelForSequenceClassification.from_pretrained(tmp_path / "x", trust_remote_code=False)


@pytest.mark.parametrize(
    ("target", "problem", "names"),
    [
        ("MultiTarget", "multi_label_classification", ["a", "b", "c"]),
        ("ScoreTarget", "regression", []),
    ],
)
def test_the_kind_of_problem_is_said(target, problem, names, random_artifact, tmp_path):

    from headway.delivery.artifact_spec import read_spec
    from headway.delivery.native_form import labelled

    folder = random_artifact("bert", "cls")
    spec = replace(
        read_spec(folder), target={"_target_": f"headway.data.targets.{target}"}, label_names=names
    )
    config = labelled(read_artifact(folder).encoder.model.config, spec)
    assert config.problem_type == problem
    assert list(config.id2label.values()) == (names or ["score"])


def test_a_head_that_the_carried_code_doesnt_know_is_told(random_artifact, tmp_path):
    artifact = read_artifact(random_artifact("bert", "mean"), layout="padded", attention="eager")

    class Mine(ClsHead):
        pass

    head = Mine("mean", 0.1, hidden_size=32, num_labels=3)
    with pytest.raises(HeadwayError, match="`task.head` must be ClsHead or TokenHead for --to transformers"):
        export_named("transformers", Options()).write(tmp_path, replace(artifact, head=head))


def test_options_of_another_export_are_refused():
    for options, name in ((Options(quantize="int8"), "quantize"), (Options(optimize=True), "optimize")):
        with pytest.raises(ConfigError, match=f"--{name} must be left out with --to transformers"):
            export_named("transformers", options)
