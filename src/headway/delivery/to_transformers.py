"""A folder that transformers loads without headway, by its own class or by code that the folder carries."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.delivery import remote_code
from headway.delivery.artifact_spec import CARD_FILE, ArtifactSpec
from headway.delivery.card import model_card
from headway.delivery.export import Bounds, Options
from headway.delivery.native_form import TOLERANCE, labelled, native_model
from headway.delivery.padded_engine import PaddedEngine
from headway.delivery.padded_model import PaddedModel
from headway.delivery.predictor import Predictor
from headway.models.pretrained import quiet
from headway.tracking.record import write_text
from headway.types import ConfigError, HeadwayError

if TYPE_CHECKING:
    import numpy as np

    from headway.delivery.loading import Artifact

CODE = ("configuration_headway.py", "modeling_headway.py")
LOUD = (
    "REMOTE CODE: transformers has no class for this head on {family}, so the folder carries "
    "modeling_headway.py; whoever loads it must pass trust_remote_code=True, and should read that file first"
)


class Export:
    """Writes what `AutoModelFor…Classification` and `pipeline` load.

    Args:
        options: Of the command line; none has a meaning here.

    Raises:
        ConfigError: One is given.
    """

    suffix = "transformers"
    bounds = Bounds(absolute=TOLERANCE, relative=None)

    def __init__(self, options: Options) -> None:
        for name, default in vars(Options()).items():
            if getattr(options, name) != default:
                raise ConfigError(
                    f"--{name} must be left out with --to transformers, got {getattr(options, name)!r}; "
                    "use --to onnx"
                )
        self._artifact: Artifact | None = None
        self._remote = False

    def write(self, folder: Path, artifact: Artifact) -> list[str]:
        """Write config, weights, tokenizer and, if need be, code; see headway.delivery.export.Export."""
        self._artifact = artifact
        padded = PaddedModel(artifact.encoder, artifact.head)
        model = native_model(artifact)
        self._remote = model is None
        tokenizer = artifact.tokenizer
        # Else a pipeline reads a document past the model's last position.
        tokenizer.model_max_length = artifact.spec.encoding["max_length"]
        tokenizer.model_input_names = list(padded.inputs)
        tokenizer.save_pretrained(folder)
        if model is not None:
            with quiet():
                model.save_pretrained(folder)
            return [f"native: {type(model).__name__} of transformers has this head's form"]
        _write_remote(folder, artifact)
        return [LOUD.format(family=artifact.encoder.model.config.model_type)]

    def load(self, folder: Path) -> Predictor:
        """Load the folder with transformers' Auto class; see headway.delivery.export.Export."""
        from headway.data.pieces import prepare

        artifact = self._written()
        with quiet():
            model = _auto(artifact).from_pretrained(
                folder, trust_remote_code=self._remote, local_files_only=True
            )
        engine = PaddedEngine(
            _runner(model),
            inputs=PaddedModel(artifact.encoder, artifact.head).inputs,
            pad_token_id=artifact.encoder.model.config.pad_token_id or 0,
            max_positions=artifact.encoder.max_positions,
            token_level=bool(artifact.head.token_level),
        )
        return Predictor(
            artifact.spec,
            engine=engine,
            aggregation=artifact.aggregation,
            decoding=artifact.decoding,
            tokenization=prepare(artifact.tokenizer),
        )

    def finish(self, folder: Path) -> None:
        """Write the model card; see headway.delivery.export.Export."""
        artifact = self._written()
        card = model_card(
            artifact.spec, loading=_loading(artifact, remote=self._remote), library="transformers"
        )
        write_text(folder / CARD_FILE, card)

    def _written(self) -> Artifact:
        if self._artifact is None:
            raise ValueError("write comes first")
        return self._artifact


def _auto(artifact: Artifact) -> Any:
    from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification

    return (
        AutoModelForTokenClassification if artifact.head.token_level else AutoModelForSequenceClassification
    )


def _runner(model: Any) -> Any:
    import torch

    def run(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the model's logits."""
        tensors = {name: torch.from_numpy(value) for name, value in inputs.items()}
        with torch.inference_mode():
            logits: np.ndarray = model.eval()(**tensors).logits.float().numpy()
        return logits

    return run


def _write_remote(folder: Path, artifact: Artifact) -> None:
    """Write a config of the carried classes, the weights under their names, and the code.

    Raises:
        HeadwayError: The head is none that the code knows.
    """
    from safetensors.torch import save_file

    from headway.delivery.remote_code.configuration_headway import HeadwayConfig
    from headway.models.heads.cls import ClsHead
    from headway.models.heads.token import TokenHead

    encoder, head = artifact.encoder.model, artifact.head
    if type(head) not in (ClsHead, TokenHead):
        raise HeadwayError(
            f"`task.head` must be ClsHead or TokenHead for --to transformers, or one whose form transformers "
            f"has, got {type(head).__name__}; use --to onnx, or headway.load"
        )
    token_level = isinstance(head, TokenHead)
    labels = labelled(encoder.config, artifact.spec)
    name = "HeadwayForTokenClassification" if token_level else "HeadwayForSequenceClassification"
    config = HeadwayConfig(
        # Where it was loaded from is a folder of this machine.
        backbone={key: value for key, value in encoder.config.to_dict().items() if key != "_name_or_path"},
        pooling=head.pooling if isinstance(head, ClsHead) else None,
        id2label=labels.id2label,
        label2id=labels.label2id,
        problem_type=labels.problem_type,
        pad_token_id=encoder.config.pad_token_id,
        hidden_size=artifact.encoder.hidden_size,
        architectures=[name],
        dtype="float32",
        auto_map={
            "AutoConfig": "configuration_headway.HeadwayConfig",
            _auto(artifact).__name__: f"modeling_headway.{name}",
        },
    )
    config.save_pretrained(folder)
    state = {f"encoder.{key}": value for key, value in encoder.state_dict().items()} | head.state_dict()
    save_file(
        {key: value.detach().cpu().contiguous() for key, value in state.items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    for file in CODE:
        shutil.copyfile(Path(remote_code.__path__[0]) / file, folder / file)


def _loading(artifact: Artifact, *, remote: bool) -> str:
    """Return the card's section on how the folder is loaded."""
    kind = "token-classification" if artifact.head.token_level else "text-classification"
    trust = ", trust_remote_code=True" if remote else ""
    lines = ["```python", "from transformers import pipeline", ""]
    lines += [f'classify = pipeline("{kind}", model="this folder"{trust})']
    lines += [
        'classify("a text"' + ("" if artifact.head.token_level else ", truncation=True") + ")",
        "```",
        "",
    ]
    if remote:
        family = artifact.encoder.model.config.model_type
        lines += [f"**{LOUD.format(family=family)}.**", ""]
    lines += _differences(artifact.spec)
    return "\n".join(lines)


def _differences(spec: ArtifactSpec) -> list[str]:
    """Return where a pipeline's answers are not headway's, though the logits are."""
    lines = []
    temperature = spec.decoding.get("temperature")
    if isinstance(temperature, float) and temperature != 1.0:
        lines.append(
            f"Logits are headway's; its probabilities are those of logits / {temperature:.4g}, the "
            "temperature fitted on validation, and a pipeline's are those of the logits."
        )
    if spec.decoding.get("values"):
        lines.append(
            f"The thresholds fitted on validation, by label: "
            f"{', '.join(f'{value:.4g}' for value in spec.decoding['values'])}."
        )
    if spec.encoding.get("truncation") == "windows":
        lines.append("headway reads long documents in windows; a pipeline cuts them off.")
    return lines
