"""Answers for texts, from an artifact alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.config.build import build
from headway.delivery.artifact import WEIGHTS_FILE, ArtifactSpec, artifact_folder, read_spec
from headway.types import ConfigError, DataError, DocumentLogits, HeadwayError, Prediction

if TYPE_CHECKING:
    from torch import nn

    from headway.data.encoding import Examples
    from headway.data.pieces import Tokenization
    from headway.models.encoder import Encoder

Input = str | tuple[str, str] | Sequence[str] | Mapping[str, Any]


class Predictor:
    """A fine-tuned model that answers; made by `headway.load`.

    Args:
        spec: How to encode and decode.
        encoder: With its weights.
        head: With its weights.
        tokenization: The tokenizer made ready.

    Attributes:
        label_names: The labels in the order of probabilities; empty for scores.
        decoding: Logits -> answers, as fitted on validation.
    """

    def __init__(
        self, spec: ArtifactSpec, *, encoder: Encoder, head: nn.Module, tokenization: Tokenization
    ) -> None:
        from headway.data.encoding import EncodingSpec
        self.spec = spec
        self.label_names = tuple(spec.label_names)
        self._encoder = encoder.eval()
        self._head = head.eval()
        self._tokenization = tokenization
        self._encoding = EncodingSpec(**spec.encoding)
        self._aggregation = build(spec.aggregation, key="aggregation")
        self.decoding = build(spec.decoding, key="decoding")

    def predict(self, inputs: Sequence[Input], *, batch_size: int | None = None) -> list[dict[str, Any]]:
        """Return an answer for each input, in order.

        Args:
            inputs: Texts; (text, text_pair) for pairs; lists of words for tagging (a text is split at blanks);
                or mappings with these columns.
            batch_size: Windows a batch; None: as in the test that was scored.

        Returns:
            A dictionary an input: `prediction` (a label, a list of labels, a number, or a tag a word), and
            `probabilities` (label -> probability; a probability a word for tagging; none for scores).

        Raises:
            DataError: An input is not of the kind that the model was trained on, or is empty.
        """
        if isinstance(inputs, str):
            raise DataError("predict takes a list of inputs, got one text; write predict([text])")
        if not inputs:
            return []
        examples = self.examples(inputs)
        prediction = self.decoding(self.document_logits(examples, batch_size=batch_size))
        return list(self._readable(prediction, examples))

    def examples(self, inputs: Sequence[Input]) -> Examples:
        """Return the inputs as columns, each checked.

        Args:
            inputs: As `predict` takes them.

        Raises:
            DataError: An input is not of the kind that the model was trained on, or is empty.
        """
        rows = [self._columns(value, number) for number, value in enumerate(inputs)]
        return {name: [row[name] for row in rows] for name in self.spec.columns}  # type: ignore[return-value]

    def _columns(self, value: Input, number: int) -> dict[str, Any]:
        names = list(self.spec.columns)
        if isinstance(value, Mapping):
            row = {name: value.get(name) for name in names}
        elif names == ["tokens"]:
            row = {"tokens": value.split() if isinstance(value, str) else value}
        elif isinstance(value, str):
            row = dict.fromkeys(names)
            row[names[0]] = value
        else:
            row = dict(zip(names, value, strict=False))
        for name in names:
            content = row.get(name)
            kind = list | tuple if name == "tokens" else str
            if (
                not isinstance(content, kind)
                or not content
                or (isinstance(content, str) and content.isspace())
            ):
                wanted = "a list of words" if name == "tokens" else "text that isn't blank"
                raise DataError(
                    f"input {number}: `{name}` must be {wanted}, got {content!r:.60}; this model reads {names}"
                )
        return row

    def document_logits(self, examples: Examples, *, batch_size: int | None = None) -> DocumentLogits:
        """Return the logits of documents, their windows put together.

        Args:
            examples: Columns, a row a document.
            batch_size: Windows a batch; None: as in the test that was scored.
        """
        import torch

        from headway.data.batching import plan_evaluation
        from headway.data.collator import WindowBatches
        from headway.data.encoding import encode
        from headway.models.rows import concatenate, window_logits

        encoded = encode(self._tokenization, examples, self._encoding)
        token_level = bool(self._head.token_level)
        dataset = WindowBatches(encoded, None, token_level=token_level)
        rows = []
        bf16 = self.spec.precision.startswith("bf16")
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            for plan in plan_evaluation(
                encoded.window_lengths, batch_size=batch_size or self.spec.eval_batch_size
            ):
                batch = dataset[plan]
                logits = self._head(self._encoder(batch), batch, self._encoder)
                rows.append(window_logits(logits, batch, token_level=token_level))
        documents: DocumentLogits = self._aggregation(
            concatenate(rows), num_documents=encoded.num_documents, word_offsets=encoded.word_offsets
        )
        return documents

    def _readable(self, prediction: Prediction, examples: Examples) -> Iterator[dict[str, Any]]:
        from headway.tracking.predictions import readable

        offsets = prediction.word_offsets
        answers = readable(prediction.values, offsets, self.label_names)
        for number, answer in enumerate(answers):
            row: dict[str, Any] = {"prediction": answer}
            if prediction.probabilities is not None and offsets is None:
                chances = prediction.probabilities[number].tolist()
                row["probabilities"] = dict(zip(self.label_names, chances, strict=True))
            elif prediction.probabilities is not None and offsets is not None:
                best = prediction.probabilities[offsets[number] : offsets[number + 1]].max(axis=-1)
                row["tokens"] = list(examples["tokens"][number])
                row["probabilities"] = best.tolist()
            yield row


def load(path: str | Path) -> Predictor:
    """Load what a run learned.

    Args:
        path: A run's folder, or the model/ in it.

    Returns:
        The model, ready to predict.

    Raises:
        HeadwayError: There is no artifact at `path`, or it is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    from headway.data.pieces import prepare
    from headway.models.encoder import Encoder

    folder = artifact_folder(path)
    spec = read_spec(folder)
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        model = AutoModel.from_config(config, attn_implementation=spec.attention)
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        state = load_file(folder / WEIGHTS_FILE)
    except (OSError, ValueError, SafetensorError) as error:
        raise HeadwayError(f"{folder} must be an artifact as headway wrote it, got {error}") from error
    encoder = Encoder(model, trainable="none", last_n=None, layout=spec.layout)
    head = build(
        spec.head,
        key="head",
        hidden_size=encoder.hidden_size,
        num_labels=max(1, len(spec.label_names)),
        initializer_range=encoder.initializer_range,
    )
    encoder.keep_pooler(wanted=any(name.startswith("encoder.pooler.") for name in state))
    try:
        encoder.model.load_state_dict(
            {name[8:]: value for name, value in state.items() if name.startswith("encoder.")}
        )
        head.load_state_dict({name[5:]: value for name, value in state.items() if name.startswith("head.")})
    except RuntimeError as error:
        raise ConfigError(f"{folder / WEIGHTS_FILE} must hold this model's weights, got {error}") from error
    return Predictor(spec, encoder=encoder, head=head, tokenization=prepare(tokenizer))
