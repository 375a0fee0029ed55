"""Whether transformers has a class that computes what an artifact does: found by trying, not by names."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch

from headway.delivery.padded_model import PaddedModel, probe

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedConfig, PreTrainedModel

    from headway.delivery.artifact_spec import ArtifactSpec
    from headway.delivery.loading import Artifact

TOLERANCE = 1e-5
PROBLEMS = {
    "ClassTarget": "single_label_classification",
    "MultiTarget": "multi_label_classification",
    "ScoreTarget": "regression",
}
"""Name of the target's class -> transformers' word for it."""


def labelled(config: PreTrainedConfig, spec: ArtifactSpec) -> PreTrainedConfig:
    """Return a copy of a config that knows the labels and the kind of task.

    Args:
        config: Of the encoder.
        spec: Has the labels.
    """
    made = copy.deepcopy(config)
    names = spec.label_names or ["score"]
    made.num_labels = len(names)
    made.id2label = dict(enumerate(names))
    made.label2id = {name: number for number, name in enumerate(names)}
    problem: Any = PROBLEMS.get(str(spec.target["_target_"]).rpartition(".")[2])
    made.problem_type = problem
    return made


def native_model(artifact: Artifact) -> PreTrainedModel | None:
    """Return transformers' own model with an artifact's weights, None where none computes the same.

    Args:
        artifact: In the padded layout.
    """
    from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification

    kind: Any = (
        AutoModelForTokenClassification if artifact.head.token_level else AutoModelForSequenceClassification
    )
    config = labelled(artifact.encoder.model.config, artifact.spec)
    if type(config) not in kind._model_mapping:
        return None
    model: PreTrainedModel = kind.from_config(
        config, attn_implementation=artifact.spec.attention, dtype=torch.float32
    )
    reference = PaddedModel(artifact.encoder, artifact.head)
    inputs = probe(reference)
    with torch.inference_mode():
        wanted = reference(*inputs.values())
    for state in _states(artifact, model.base_model_prefix):
        if not _fits(state, model.state_dict()):
            continue
        model.load_state_dict(dict(state))
        model.train(False)
        with torch.inference_mode():
            found = model(**inputs).logits
        held = inputs["attention_mask"].bool() if artifact.head.token_level else slice(None)
        if torch.allclose(found[held], wanted[held], atol=TOLERANCE, rtol=0):
            return model
    return None


def _states(artifact: Artifact, prefix: str) -> Iterator[Mapping[str, Tensor]]:
    """Yield the artifact's weights under the names of each form that heads in transformers have."""
    encoder, head = artifact.encoder.model.state_dict(), artifact.head.state_dict()
    yield {
        **{f"{prefix}.{name}": value for name, value in encoder.items()},
        **head,
    }
    # RoBERTa's head is a pooler and a linear layer under other names.
    moved = {
        f"classifier.{name.removeprefix('pooler.')}": encoder[name] for name in encoder if "pooler" in name
    }
    yield {
        **{f"{prefix}.{name}": value for name, value in encoder.items() if "pooler" not in name},
        **moved,
        **{name.replace("classifier.", "classifier.out_proj."): value for name, value in head.items()},
    }


def _fits(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> bool:
    if state.keys() != wanted.keys():
        return False
    return all(state[name].shape == value.shape for name, value in wanted.items())
