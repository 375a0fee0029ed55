"""Answers for texts, from an artifact alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from headway.delivery.inputs import Input, examples_from, texts_of, with_replacements
from headway.types import ConfigError, DataError, DocumentLogits, Prediction, WindowLogits

if TYPE_CHECKING:
    from headway.data.encoding import Examples
    from headway.data.pieces import Tokenization
    from headway.data.store import Encoded
    from headway.delivery.artifact_spec import ArtifactSpec
    from headway.evaluation.aggregation import Aggregation
    from headway.evaluation.decoding import Decoding


class Engine(Protocol):
    """What computes: torch, or a graph."""

    @property
    def max_positions(self) -> int:
        """Tokens that the model can read at once."""

    def window_logits(self, encoded: Encoded, *, batch_size: int) -> WindowLogits:
        """Return the logits of windows, or of the first piece of each word in them.

        Args:
            encoded: At least one window.
            batch_size: Windows a batch.
        """


class Predictor:
    """A fine-tuned model that answers; made by `headway.load`.

    Args:
        spec: How to encode and decode.
        engine: Windows -> logits.
        aggregation: Windows -> document.
        decoding: Logits -> answers, as fitted on validation.
        tokenization: Of the backbone's tokenizer.

    Attributes:
        label_names: The labels in the order of probabilities; empty for scores.
        engine: See above.
        decoding: See above.
        tokenization: See above.
        max_positions: Tokens that the model can read at once.
    """

    def __init__(
        self,
        spec: ArtifactSpec,
        *,
        engine: Engine,
        aggregation: Aggregation,
        decoding: Decoding,
        tokenization: Tokenization,
    ) -> None:
        from headway.data.encoding import EncodingSpec, validate

        self.spec = spec
        self.label_names = tuple(spec.label_names)
        self.engine = engine
        self.decoding = decoding
        self.tokenization = tokenization
        self.max_positions = engine.max_positions
        self._aggregation = aggregation
        self._encoding = EncodingSpec(**spec.encoding)
        validate(
            self._encoding,
            tokenization.template,
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
            `tokens` a number a word, of its tag; none for scores). Where tags name spans, `spans` too: their
            label, text, characters and words, as `headway.delivery.span_answers` says.

        Raises:
            ConfigError: batch_size is less than 1.
            DataError: An input is not of the kind that the model was trained on, or is blank.
        """
        if isinstance(inputs, str | Mapping):
            raise DataError(
                f"predict takes a list of inputs, got one {type(inputs).__name__}; write predict([...])"
            )
        names = list(self.spec.columns)
        examples = examples_from(list(inputs), names)
        return self.answer(examples, batch_size=batch_size, texts=texts_of(inputs, names))

    def answer(
        self,
        examples: Examples,
        *,
        batch_size: int | None = None,
        where: Callable[[int], str] | None = None,
        texts: Sequence[str | None] | None = None,
        probabilities: bool = True,
    ) -> list[dict[str, Any]]:
        """Return an answer for each row of checked columns; see `predict`.

        Args:
            examples: Columns, a row a document.
            batch_size: Windows a batch; None: as in the test that was scored.
            where: Names a row for messages, by its number; by default "input 7".
            texts: That the words of each row were split from, in which spans have their characters; None, or
                None for a row, where words were given.
            probabilities: Whether answers hold them.
        """
        if not examples[next(iter(self.spec.columns))]:  # type: ignore[literal-required]
            return []
        place = where or "input {}".format
        encoded = self.encode(with_replacements(examples, self.spec.replace, where=place), where=place)
        prediction = self.decoding(self.document_logits(encoded, batch_size=batch_size))
        if prediction.word_offsets is None:
            return list(self._of_documents(prediction, probabilities=probabilities))
        return list(self._of_words(prediction, examples["tokens"], texts, probabilities=probabilities))

    def encode(self, examples: Examples, *, where: Callable[[int], str] | None = None) -> Encoded:
        """Return the windows of documents, cut as in training.

        Args:
            examples: Columns, a row a document.
            where: Names a row for messages, by its number.
        """
        from headway.data.encoding import encode

        return encode(self.tokenization, examples, self._encoding, where=where)

    def document_logits(self, encoded: Encoded, *, batch_size: int | None = None) -> DocumentLogits:
        """Return the logits of documents, their windows put together.

        Args:
            encoded: At least one document.
            batch_size: Windows a batch; None: as in the test that was scored.

        Raises:
            ConfigError: batch_size is less than 1.
        """
        size = self.spec.eval_batch_size if batch_size is None else batch_size
        if size < 1:
            raise ConfigError(f"batch_size must be >= 1 windows, got {size}; raise it or leave it out")
        return self._aggregation(
            self.engine.window_logits(encoded, batch_size=size),
            num_documents=encoded.num_documents,
            word_offsets=encoded.word_offsets,
        )

    def _of_documents(self, prediction: Prediction, *, probabilities: bool) -> Iterator[dict[str, Any]]:
        from headway.evaluation.readable import readable

        chances = prediction.probabilities if probabilities else None
        for number, answer in enumerate(readable(prediction.values, None, self.label_names)):
            row: dict[str, Any] = {"prediction": answer}
            if chances is not None:
                row["probabilities"] = dict(zip(self.label_names, chances[number].tolist(), strict=True))
            yield row

    def _of_words(
        self,
        prediction: Prediction,
        words: Sequence[Sequence[str]],
        texts: Sequence[str | None] | None,
        *,
        probabilities: bool,
    ) -> Iterator[dict[str, Any]]:
        from headway.delivery.span_answers import spans_of_documents
        from headway.evaluation.readable import chosen_probabilities, readable

        offsets = prediction.word_offsets
        if offsets is None:
            raise ValueError("answers of words need their offsets")
        chances = chosen_probabilities(prediction) if probabilities else None
        spans = spans_of_documents(
            prediction.values,
            word_offsets=offsets,
            label_names=self.label_names,
            words=words,
            texts=texts or [None] * len(words),
            chances=chances,
        )
        for number, answer in enumerate(readable(prediction.values, offsets, self.label_names)):
            row: dict[str, Any] = {"prediction": answer}
            if spans is not None:
                row["spans"] = spans[number]
            row["tokens"] = list(words[number])
            if chances is not None:
                row["probabilities"] = chances[offsets[number] : offsets[number + 1]].tolist()
            yield row


def load(path: str | Path, *, device: str | None = None, threads: int | None = None) -> Predictor:
    """Load what a run learned, or an ONNX export of it, for which torch isn't imported.

    Args:
        path: A run's folder, the model/ in it, or a folder that `headway export --to onnx` wrote.
        device: Where to compute, as torch names it; None: "cuda" if there is one, else "cpu". An ONNX export
            computes on the CPU.
        threads: CPU threads. None: as many as are free for an ONNX export, torch's own choice else; torch
            has one number for the whole process, which this sets.

    Returns:
        The model, ready to predict.

    Raises:
        HeadwayError: There is no artifact at `path`, or it is damaged.
        ConfigError: threads is less than 1, or the device isn't one for an ONNX export.
    """
    from headway.delivery.artifact import artifact_folder
    from headway.delivery.artifact_spec import parse_spec
    from headway.delivery.threads import checked_threads

    folder = artifact_folder(path)
    spec = parse_spec(folder)
    if spec.onnx:
        from headway.delivery.onnx_loading import read_onnx

        if device not in (None, "cpu"):
            raise ConfigError(f"device must be cpu for an ONNX export, got {device!r}; leave it out")
        return read_onnx(folder, spec, threads=threads)
    import torch  # a folder that holds none is told at once

    from headway.delivery.loading import read_artifact
    from headway.delivery.torch_predictor import torch_predictor

    if threads is not None:
        torch.set_num_threads(checked_threads(threads))
    return torch_predictor(read_artifact(folder), device=device)
