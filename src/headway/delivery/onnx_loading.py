"""From an ONNX export to what answers, without torch and transformers."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.delivery.artifact_spec import AGAIN, ArtifactSpec, check_signature
from headway.delivery.file_sums import check_files
from headway.delivery.loading import document_parts
from headway.delivery.onnx_facts import GRAPH_FILE, TOKENIZER_FILE, OnnxFacts
from headway.delivery.padded_engine import PaddedEngine
from headway.delivery.predictor import Predictor
from headway.delivery.threads import checked_threads
from headway.types import HeadwayError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from headway.data.pieces import Tokenization

POINTER = b"location"
"""The key under which an ONNX file names another file that holds its weights. It is looked for as it is,
since a reader of the format alone could be led around it; no name in a graph of ours has these letters."""


def read_onnx(folder: Path, spec: ArtifactSpec, *, threads: int | None) -> Predictor:
    """Return what an ONNX export describes, ready to predict.

    Args:
        folder: With headway.json in it.
        spec: As parsed.
        threads: That compute; None: as many as are free.

    Raises:
        HeadwayError: A file is missing or damaged, or two of them don't fit.
        ConfigError: threads is less than 1.
    """
    facts = OnnxFacts.of(folder, spec)
    check_files(folder, {GRAPH_FILE: "none", TOKENIZER_FILE: "none"} | spec.files)
    aggregation, decoding = document_parts(folder, spec)
    tokenization = _tokenization(folder, facts)
    session = open_session(folder, threads=checked_threads(threads))
    _check_session(folder, spec, facts, session)
    check_signature(folder, spec)

    def run(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the graph's logits."""
        logits: np.ndarray = session.run(None, dict(inputs))[0]
        return logits

    engine = PaddedEngine(
        run,
        inputs=facts.inputs,
        pad_token_id=facts.pad_token_id,
        max_positions=facts.max_positions,
        token_level=facts.token_level,
    )
    return Predictor(
        spec, engine=engine, aggregation=aggregation, decoding=decoding, tokenization=tokenization
    )


def open_session(folder: Path, *, threads: int) -> Any:
    """Return ONNX Runtime's session of an export's graph.

    Args:
        folder: The export's.
        threads: That compute within an operator.

    Raises:
        HeadwayError: onnxruntime isn't installed, or the graph can't be read or names another file.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise HeadwayError(
            f"{folder} must be loaded where onnxruntime is installed, got none; run "
            "pip install 'headway[onnx]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Else its threads wait busily after an answer, and take the cores from other sessions and from torch.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 3
    path = folder / GRAPH_FILE
    if names_another_file(path):
        raise HeadwayError(f"{path} must hold its weights itself, got one that names another file; {AGAIN}")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its classes are many, and none has a public parent
        reason = str(error).strip().split("\n")[0]
        raise HeadwayError(f"{path} must be an ONNX graph, got {reason}; {AGAIN}") from error


def names_another_file(path: Path) -> bool:
    """Return whether an ONNX file may name another one that holds its weights.

    Args:
        path: The graph.
    """
    with path.open("rb") as stream:
        if not os.fstat(stream.fileno()).st_size:
            return False
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(POINTER) >= 0


def _tokenization(folder: Path, facts: OnnxFacts) -> Tokenization:
    from tokenizers import Tokenizer

    from headway.data.pieces import tokenization_of

    path = folder / TOKENIZER_FILE
    try:
        backend = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises plain Exception
        raise HeadwayError(f"{path} must be a tokenizer's file, got {error}; {AGAIN}") from error
    return tokenization_of(
        backend,
        unknown_id=facts.unknown_id,
        truncation_side=facts.truncation_side,
        encode_special_tokens=facts.encode_special_tokens,
    )


def _check_session(folder: Path, spec: ArtifactSpec, facts: OnnxFacts, session: Any) -> None:
    place = folder / GRAPH_FILE
    names = [each.name for each in session.get_inputs()]
    if names != facts.inputs:
        raise HeadwayError(f"{place} must take {facts.inputs}, got {names}; {AGAIN}")
    shape = session.get_outputs()[0].shape
    num_labels = max(1, len(spec.label_names))
    if len(shape) != 2 + facts.token_level or shape[-1] != num_labels:
        raise HeadwayError(
            f"{place} must give {num_labels} logits a {'token' if facts.token_level else 'window'}, as "
            f"the label_names of headway.json ask, got the shape {shape}; {AGAIN}"
        )
