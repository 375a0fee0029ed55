"""An ONNX graph, and beside it all that turns a text into an answer without torch."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.delivery.artifact import seal
from headway.delivery.artifact_spec import ArtifactSpec
from headway.delivery.export import Bounds, Options
from headway.delivery.onnx_facts import GRAPH_FILE, TOKENIZER_FILE, OnnxFacts
from headway.delivery.padded_model import PaddedModel, probe
from headway.types import ConfigError, HeadwayError

if TYPE_CHECKING:
    import onnx

    from headway.delivery.loading import Artifact
    from headway.delivery.predictor import Predictor

OPSET = 17
"""The least that has LayerNormalization, and so the runtimes that can read it are many."""
MOST_BYTES = 2**31 - 1
"""A protobuf message's; above it weights lie in files of their own, which no export of ours may have."""
QUANTIZED = ("MatMul", "Gemm", "Attention")
"""Operators whose weights become int8. Embeddings stay as they are: a row is looked up in no time."""
FUSED_DOMAIN = "com.microsoft"
FLOAT32 = Bounds(absolute=1e-4, relative=None)
INT8 = Bounds(absolute=None, relative=0.2)


class Export:
    """Writes a graph with named inputs and free batch and length, traced in eval mode.

    Args:
        options: quantize=int8 turns weights into int8 per channel; optimize fuses operators into ones that
            only ONNX Runtime knows.

    Attributes:
        suffix: Of the folder's name by default.
        bounds: How far its logits may be from torch's.

    Raises:
        ConfigError: quantize is neither None nor int8.
        HeadwayError: onnx or onnxruntime isn't installed.
    """

    def __init__(self, options: Options) -> None:
        if options.quantize not in (None, "int8"):
            raise ConfigError(f"--quantize must be int8, got {options.quantize!r}; name it or leave it out")
        try:
            import onnx  # noqa: F401
            import onnxruntime  # noqa: F401
        except ImportError as error:
            raise HeadwayError(
                f"--to onnx must find onnx and onnxruntime installed, got none of {error.name}; run "
                "pip install 'headway[onnx]'"
            ) from error
        self._options = options
        self._spec: ArtifactSpec | None = None
        self.suffix = "-".join(
            ["onnx", *([options.quantize] if options.quantize else []), *(["optimized"] * options.optimize)]
        )
        self.bounds = FLOAT32 if options.quantize is None else INT8

    def write(self, folder: Path, artifact: Artifact) -> list[str]:
        """Write graph, tokenizer and headway.json; see headway.delivery.export.Export."""
        from headway.data.pieces import prepare

        model = PaddedModel(artifact.encoder, artifact.head)
        graph = _traced(model, token_level=bool(artifact.head.token_level))
        if self._options.optimize:
            graph = _fused(graph, folder, artifact)
        if self._options.quantize:
            graph = _quantized(graph, folder)
        _save(graph, folder / GRAPH_FILE)
        tokenization = prepare(artifact.tokenizer)
        tokenization.backend.save(str(folder / TOKENIZER_FILE))
        facts = OnnxFacts(
            inputs=[each.name for each in graph.graph.input],
            token_level=bool(artifact.head.token_level),
            max_positions=artifact.encoder.max_positions,
            pad_token_id=artifact.encoder.model.config.pad_token_id or 0,
            unknown_id=tokenization.unknown_id,
            truncation_side=tokenization.truncation_side,
            encode_special_tokens=bool(artifact.tokenizer.split_special_tokens),
            quantize=self._options.quantize,
            optimize=self._options.optimize,
        )
        self._spec = seal(folder, replace(artifact.spec, precision="32-true", onnx=asdict(facts)))
        return [f"inputs {', '.join(facts.inputs)}; batch and length are free"]

    def load(self, folder: Path) -> Predictor:
        """Load the folder as `headway.load` does; see headway.delivery.export.Export."""
        from headway.delivery.predictor import load

        return load(folder)

    def finish(self, folder: Path) -> None:
        """Sign gate.json too; see headway.delivery.export.Export."""
        if self._spec is None:
            raise ValueError("write comes first")
        seal(folder, self._spec)


def _traced(model: PaddedModel, *, token_level: bool) -> onnx.ModelProto:
    """Return the graph of a model, its inputs named as its forward's."""
    import onnx
    import torch

    inputs = probe(model)
    free: dict[str, dict[int, str]] = {name: {0: "batch", 1: "length"} for name in inputs}
    free["logits"] = {0: "batch", 1: "length"} if token_level else {0: "batch"}
    stream = io.BytesIO()
    with warnings.catch_warnings(), torch.inference_mode():
        # Lengths that become constants would show in the gate's grid.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            tuple(inputs.values()),
            stream,  # type: ignore[arg-type]
            input_names=list(inputs),
            output_names=["logits"],
            dynamic_axes=free,
            opset_version=OPSET,
            dynamo=False,  # the other exporter's graphs have no attention that can be fused
        )
    return onnx.load_model_from_string(stream.getvalue())


def _fused(graph: onnx.ModelProto, folder: Path, artifact: Artifact) -> onnx.ModelProto:
    """Return the graph with attention, normalisation and GELU as one operator each."""
    from onnx import helper
    from onnxruntime.transformers.optimizer import optimize_model

    with _scratch(folder, graph) as path, _silent():
        config = artifact.encoder.model.config
        optimized = optimize_model(
            str(path),
            model_type="bert",
            num_heads=int(config.num_attention_heads),
            hidden_size=int(config.hidden_size),
            opt_level=0,
            use_gpu=False,
        )
    fused: onnx.ModelProto = optimized.model
    if FUSED_DOMAIN not in {each.domain for each in fused.opset_import}:  # the tool leaves it out
        fused.opset_import.append(helper.make_opsetid(FUSED_DOMAIN, 1))
    return fused


def _quantized(graph: onnx.ModelProto, folder: Path) -> onnx.ModelProto:
    """Return the graph with int8 weights, a scale a channel, and activations quantised as they come."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    target = folder / ".quantized.onnx"
    with _scratch(folder, graph) as path, _silent():
        quantize_dynamic(
            str(path),
            str(target),
            per_channel=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=list(QUANTIZED),
            # Shapes can't be inferred through fused operators; every tensor between them is float32.
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT, "MatMulConstBOnly": True},
        )
    made = onnx.load(target, load_external_data=False)
    target.unlink()
    return made


def _save(graph: onnx.ModelProto, path: Path) -> None:
    size = graph.ByteSize()
    if size > MOST_BYTES:
        raise HeadwayError(
            f"--to onnx must make a graph of at most 2 GB, got {size / 1e9:.1f} GB; use --quantize int8 or "
            "--to transformers"
        )
    path.write_bytes(graph.SerializeToString())


@contextmanager
def _scratch(folder: Path, graph: onnx.ModelProto) -> Iterator[Path]:
    """Give a graph a file for as long as a tool reads it."""
    path = folder / ".scratch.onnx"
    _save(graph, path)
    try:
        yield path
    finally:
        path.unlink()


@contextmanager
def _silent() -> Iterator[Any]:
    """Keep the tools' advice out of the output: what it warns of, the gate measures."""
    root = logging.getLogger()
    handlers, level, disabled = root.handlers[:], root.level, root.disabled
    root.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.disabled = disabled
        root.setLevel(level)
        root.handlers[:] = handlers  # a tool adds one of its own, and every line would come twice
