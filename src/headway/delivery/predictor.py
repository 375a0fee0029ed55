"""Answers for texts, from an artifact alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.delivery.inputs import Input, examples_from, with_replacements
from headway.types import ConfigError, DataError, DocumentLogits, Prediction

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from headway.data.encoding import Examples
    from headway.data.store import Encoded
    from headway.delivery.artifact import ArtifactSpec
    from headway.evaluation.aggregation import Aggregation
    from headway.evaluation.decoding import Decoding
    from headway.models.encoder import Encoder

AUTOCAST = {"bf16-mixed": "bfloat16", "16-mixed": "float16"}
"""Lightning's name of a precision -> the type that it computes in."""


class Predictor:
    """A fine-tuned model that answers; made by `headway.load`.

    Args:
        spec: How to encode and decode.
        encoder: With its weights.
        head: With its weights.
        aggregation: Windows -> document.
        decoding: Logits -> answers, as fitted on validation.
        tokenizer: The backbone's, a fast one.
        device: Where to compute.

    Attributes:
        label_names: The labels in the order of probabilities; empty for scores.
        decoding: See above.
        tokenizer: See above.
        max_positions: Tokens that the model can read at once.
    """

    def __init__(
        self,
        spec: ArtifactSpec,
        *,
        encoder: Encoder,
        head: nn.Module,
        aggregation: Aggregation,
        decoding: Decoding,
        tokenizer: PreTrainedTokenizerBase,
        device: str = "cpu",
    ) -> None:
        from headway.data.encoding import EncodingSpec, validate
        from headway.data.pieces import prepare

        self.spec = spec
        self.label_names = tuple(spec.label_names)
        self.decoding = decoding
        self.tokenizer = tokenizer
        self.max_positions = encoder.max_positions
        self._encoder = encoder.eval().to(device)
        self._head = head.eval().to(device)
        self._device = device
        self._aggregation = aggregation
        self._tokenization = prepare(tokenizer)
        self._encoding = EncodingSpec(**spec.encoding)
        validate(
            self._encoding,
            self._tokenization.template,
            pair="text_pair" in spec.columns,
            model_limit=self.max_positions,
        )

    def predict(self, inputs: Sequence[Input], *, batch_size: int | None = None) -> list[dict[str, Any]]:
        """Return an answer for each input, in order.

        Args:
            inputs: Texts; (text, text_pair) for pairs; lists of words for tagging (a text is split at
                blanks); or mappings with the columns text, text_pair or tokens.
            batch_size: Windows a batch; None: as in the test that was scored.

        Returns:
            A dictionary an input: `prediction` (a label, a list of labels, a number, or a tag a word, None
            for a word that was cut off), and `probabilities` (label -> probability; for tagging beside
            `tokens` a number a word, of its tag; none for scores).

        Raises:
            ConfigError: batch_size is less than 1.
            DataError: An input is not of the kind that the model was trained on, or is blank.
        """
        if isinstance(inputs, str | Mapping):
            raise DataError(
                f"predict takes a list of inputs, got one {type(inputs).__name__}; write predict([...])"
            )
        examples = examples_from(list(inputs), list(self.spec.columns))
        return self.answer(examples, batch_size=batch_size)

    def answer(
        self,
        examples: Examples,
        *,
        batch_size: int | None = None,
        where: Callable[[int], str] | None = None,
    ) -> list[dict[str, Any]]:
        """Return an answer for each row of checked columns; see `predict`.

        Args:
            examples: Columns, a row a document.
            batch_size: Windows a batch; None: as in the test that was scored.
            where: Names a row for messages, by its number; by default "input 7".
        """
        if not examples[next(iter(self.spec.columns))]:  # type: ignore[literal-required]
            return []
        place = where or "input {}".format
        examples = with_replacements(examples, self.spec.replace, where=place)
        encoded = self.encode(examples, where=place)
        prediction = self.decoding(self.document_logits(encoded, batch_size=batch_size))
        return list(self._readable(prediction, examples))

    def encode(self, examples: Examples, *, where: Callable[[int], str] | None = None) -> Encoded:
        """Return the windows of documents, cut as in training.

        Args:
            examples: Columns, a row a document.
            where: Names a row for messages, by its number.
        """
        from headway.data.encoding import encode

        return encode(self._tokenization, examples, self._encoding, where=where)

    def document_logits(self, encoded: Encoded, *, batch_size: int | None = None) -> DocumentLogits:
        """Return the logits of documents, their windows put together.

        Args:
            encoded: At least one document.
            batch_size: Windows a batch; None: as in the test that was scored.

        Raises:
            ConfigError: batch_size is less than 1.
        """
        import torch

        from headway.data.collator import WindowBatches
        from headway.data.plans import plan_evaluation
        from headway.models.rows import concatenate, window_logits

        size = self.spec.eval_batch_size if batch_size is None else batch_size
        if size < 1:
            raise ConfigError(f"batch_size must be >= 1 windows, got {size}; raise it or leave it out")
        token_level = bool(self._head.token_level)
        dataset = WindowBatches(encoded, None, token_level=token_level)
        kind = torch.device(self._device).type
        name = AUTOCAST.get(self.spec.precision)
        # float16 is trained on a GPU; without one, float32 is nearer to it than anything a CPU has.
        half = None if name is None or (name == "float16" and kind == "cpu") else getattr(torch, name)
        rows = []
        with torch.inference_mode(), torch.autocast(kind, half, enabled=half is not None):
            for plan in plan_evaluation(encoded.window_lengths, batch_size=size):
                batch = dataset[plan].to(self._device)
                logits = self._head(self._encoder(batch), batch, self._encoder)
                rows.append(window_logits(logits, batch, token_level=token_level))
        return self._aggregation(
            concatenate(rows), num_documents=encoded.num_documents, word_offsets=encoded.word_offsets
        )

    def _readable(self, prediction: Prediction, examples: Examples) -> Iterator[dict[str, Any]]:
        from headway.tracking.predictions import chosen_probabilities, readable

        offsets = prediction.word_offsets
        answers = readable(prediction.values, offsets, self.label_names)
        of_words = offsets is not None and prediction.probabilities is not None
        chosen = chosen_probabilities(prediction) if of_words else None
        for number, answer in enumerate(answers):
            row: dict[str, Any] = {"prediction": answer}
            if prediction.probabilities is not None and offsets is None:
                chances = prediction.probabilities[number].tolist()
                row["probabilities"] = dict(zip(self.label_names, chances, strict=True))
            elif chosen is not None and offsets is not None:
                row["tokens"] = list(examples["tokens"][number])
                row["probabilities"] = chosen[offsets[number] : offsets[number + 1]].tolist()
            yield row


def load(path: str | Path, *, device: str | None = None) -> Predictor:
    """Load what a run learned.

    Args:
        path: A run's folder, or the model/ in it.
        device: Where to compute, as torch names it; None: "cuda" if there is one, else "cpu".

    Returns:
        The model, ready to predict.

    Raises:
        HeadwayError: There is no artifact at `path`, or it is damaged.
    """
    from headway.delivery.artifact import artifact_folder
    from headway.delivery.loading import read_artifact

    artifact = read_artifact(artifact_folder(path))
    import torch  # a folder that holds none is told at once

    return Predictor(
        artifact.spec,
        encoder=artifact.encoder,
        head=artifact.head,
        aggregation=artifact.aggregation,
        decoding=artifact.decoding,
        tokenizer=artifact.tokenizer,
        device=device or ("cuda" if torch.cuda.is_available() else "cpu"),
    )
