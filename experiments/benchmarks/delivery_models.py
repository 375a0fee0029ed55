"""The artifacts and exports that the delivery benchmark compares; made once, kept in a work folder."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, BertConfig, BertModel, DistilBertConfig, DistilBertModel

from headway.assembly import build_data
from headway.data.text_data import TextData
from headway.delivery.artifact import artifact_folder, write_artifact
from headway.delivery.artifact_spec import ArtifactSpec
from headway.delivery.export import Options, export_named
from headway.delivery.loading import read_artifact
from headway.evaluate_run import run_config
from headway.models.encoder import Encoder
from headway.models.heads.cls import ClsHead

SHORT = 12
"""Words of a short text."""

RANDOM = {"distilbert": (DistilBertConfig, DistilBertModel), "bert_base": (BertConfig, BertModel)}
"""Architectures at their published sizes, with random weights: none of theirs come in a package."""
VARIANTS = {
    "onnx fp32": Options(),
    "onnx int8": Options(quantize="int8"),
    "onnx int8 optimized": Options(quantize="int8", optimize=True),
}


def run_split(run: Path, split: str) -> tuple[dict[str, Any], TextData]:
    """Return a run's config and one of its splits, read and not encoded."""
    folder = artifact_folder(run)
    cfg = run_config(folder.parent)
    data = build_data(cfg)
    data.read_one(split, read_artifact(folder).spec.label_names)
    return cfg, data


def long_artifact(name: str, run: Path, work: Path) -> Path:
    """Return an artifact that sees 512 tokens: the run's own model, or another architecture's random one."""
    target = work / name / "model"
    if target.is_dir():
        return target
    source = read_artifact(artifact_folder(run))
    if "text" not in source.spec.columns or len(source.spec.columns) > 1:
        raise SystemExit(f"latency needs a run that reads single texts, got {run}")
    encoding = {**source.spec.encoding, "max_length": 512, "truncation": "longest_first", "overlap": 0}
    if name == "run":
        encoder, head, spec = source.encoder, source.head, source.spec
    else:
        encoder, head, spec = _random(name, source.spec, vocabulary=len(source.tokenizer))
        encoding["token_type_ids"] = "token_type_ids" in encoder.inputs
    spec = replace(spec, encoding=encoding, precision="32-true")
    tokenizer = AutoTokenizer.from_pretrained(artifact_folder(run))
    target.parent.mkdir(parents=True, exist_ok=True)
    write_artifact(target, spec=spec, encoder=encoder, head=head, tokenizer=tokenizer)
    return target


def _random(name: str, spec: ArtifactSpec, *, vocabulary: int) -> tuple[Encoder, ClsHead, ArtifactSpec]:
    config, model = RANDOM[name]
    torch.manual_seed(0)
    encoder = Encoder(model(config(vocab_size=vocabulary)))
    head = ClsHead("cls", 0.1, hidden_size=encoder.hidden_size, num_labels=max(1, len(spec.label_names)))
    encoder.keep_pooler(wanted=False)
    node = {"_target_": "headway.models.heads.cls.ClsHead", "pooling": "cls", "dropout": 0.1}
    return encoder, head, replace(spec, head=node)


def exported(artifact: Path, to: str, options: Options, target: Path) -> Path:
    """Return an export of an artifact, without the gate: this benchmark measures what the gate would."""
    if not target.is_dir():
        partial = target.with_name(f".{target.name}")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        export = export_named(to, options)
        export.write(partial, read_artifact(artifact, layout="padded", attention="eager"))
        export.finish(partial)
        partial.rename(target)
    return target


def onnx_exports(artifact: Path, work: Path) -> dict[str, Path]:
    """Return the folder of each ONNX variant of an artifact."""
    return {
        name: exported(artifact, "onnx", options, work / name.replace(" ", "-"))
        for name, options in VARIANTS.items()
    }


def short_texts(run: Path) -> list[str]:
    """Return the first words of the run's test texts, repeated in turn by whoever needs more."""
    _, data = run_split(run, "test")
    return [" ".join(str(text).split()[:SHORT]) for text in data.tables["test"].column("text")]
