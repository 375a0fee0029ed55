"""What headway.json says of an ONNX graph, so that it runs with numpy, tokenizers and ONNX Runtime alone."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from headway.delivery.artifact_spec import AGAIN, SPEC_FILE, ArtifactSpec
from headway.delivery.padded_engine import INPUTS
from headway.types import HeadwayError

GRAPH_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"


@dataclass(frozen=True)
class OnnxFacts:
    """How a graph is called, and what of the tokenizer isn't in tokenizer.json.

    Attributes:
        inputs: The graph's inputs, in order; each (batch, length) int64.
        token_level: Whether logits are (batch, length, num_labels), else (batch, num_labels).
        max_positions: Tokens that a window may hold.
        pad_token_id: What stands where there is no token.
        unknown_id: The piece of a word without pieces; None where there is none.
        truncation_side: The end that truncation cuts: "right" or "left".
        encode_special_tokens: Whether the name of a special token in a text is a text like any other.
        quantize: "int8", or None for float32.
        optimize: Whether operators are fused, so that only ONNX Runtime knows them.
    """

    inputs: list[str]
    token_level: bool
    max_positions: int
    pad_token_id: int
    unknown_id: int | None
    truncation_side: str
    encode_special_tokens: bool
    quantize: str | None
    optimize: bool

    @classmethod
    def of(cls, folder: Path, spec: ArtifactSpec) -> OnnxFacts:
        """Return what an artifact says of its graph.

        Args:
            folder: For messages.
            spec: Its `onnx` holds the fields.

        Raises:
            HeadwayError: A field is missing, is one more, or has another type.
        """
        place, given = folder / SPEC_FILE, spec.onnx
        names = [field.name for field in fields(cls)]
        differing = sorted(given.keys() ^ set(names))
        if differing:
            raise HeadwayError(f"{place}: `onnx` must have the fields {names}, got {list(given)}; {AGAIN}")
        hints: dict[str, Any] = get_type_hints(cls) | {"inputs": list}
        for name in names:
            value = given[name]
            wanted = hints[name]
            if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
                raise HeadwayError(f"{place}: `onnx.{name}` must be a {wanted}, got {value!r:.60}; {AGAIN}")
        facts = cls(**given)
        if not facts.inputs or not set(facts.inputs) <= set(INPUTS):
            raise HeadwayError(
                f"{place}: `onnx.inputs` must be of {list(INPUTS)}, got {facts.inputs!r:.60}; {AGAIN}"
            )
        return facts
