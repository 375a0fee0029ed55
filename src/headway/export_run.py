"""`headway export`: written in a folder beside the target, measured, and only then given its name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from rich.console import Console

from headway.assembly import build_data
from headway.config.build import build
from headway.config.check import monitored
from headway.delivery.artifact import artifact_folder
from headway.delivery.artifact_spec import ArtifactSpec, read_spec
from headway.delivery.export import Export, Options, export_named
from headway.delivery.gate import GateResult, Scores, run_gate
from headway.delivery.gate_table import gate_tables
from headway.delivery.limits import Limits
from headway.delivery.loading import read_artifact
from headway.delivery.threads import free_threads
from headway.delivery.torch_predictor import torch_predictor
from headway.evaluate_run import check_inputs, run_config
from headway.evaluation.evaluator import evaluate
from headway.other_data import with_overrides
from headway.tracking.record import write_json
from headway.types import ConfigError, ExportError

if TYPE_CHECKING:
    from headway.data.text_data import TextData
    from headway.delivery.predictor import Predictor

SPLIT = "validation"
GATE_FILE = "gate.json"


def export_run(
    run: str | Path,
    overrides: Sequence[str] = (),
    *,
    to: str,
    out: str | Path | None = None,
    overwrite: bool = False,
    options: Options | None = None,
    limits: Limits | None = None,
) -> Path:
    """Export a run; nothing is left at the target unless the export passes the gate.

    Args:
        run: The run's folder.
        overrides: `data=<name>` and `data.<key>=<value>`, where validation is elsewhere by now.
        to: Of headway.delivery.export.EXPORTS.
        out: The target; None: exports/<to> in the run's folder.
        overwrite: Whether an export that is there may be replaced.
        options: Of the export.
        limits: Of the gate.

    Returns:
        The target.

    Raises:
        HeadwayError: The folder, an option or the data is wrong, or there is something at the target.
        ExportError: It doesn't pass the gate.
    """
    export, limits = export_named(to, options or Options()), limits or Limits()
    folder = artifact_folder(run)
    spec = read_spec(folder)
    if spec.onnx:
        raise ConfigError(f"RUN must be a run's folder, got the ONNX export {folder}; name the run itself")
    limits.within(int(spec.encoding["max_length"]))
    target = Path(out) if out else folder.parent / "exports" / export.suffix
    _check_target(target, overwrite=overwrite)
    cfg = run_config(folder.parent)
    data = _validation(cfg, overrides, spec)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    threads = free_threads()
    try:
        partial.mkdir(parents=True)
        with _torch_threads(threads):
            notes = export.write(partial, read_artifact(folder, layout="padded", attention="eager"))
            result = _measure(cfg, folder, partial, data=data, export=export, limits=limits, threads=threads)
        write_json(partial / GATE_FILE, result.table)
        for table in gate_tables(result.table):
            Console().print(table)
        if result.failures:
            raise ExportError(
                f"the export is refused, and {target} is as it was: " + "; ".join(result.failures)
            )
        export.finish(partial)
        _put(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    for note in notes:
        print(note)
    print(f"export: {target}")
    return target


def _check_target(target: Path, *, overwrite: bool) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise ConfigError(f"--out must be a folder, got the file {target}; name another")
    if not target.exists() or not any(target.iterdir()):
        return
    if not overwrite:
        raise ConfigError(f"--out must not be there yet, got {target}; name another folder, or --overwrite")
    if not (target / GATE_FILE).is_file():
        raise ConfigError(
            f"--out must be an export to be replaced by one, got {target} without {GATE_FILE}; name another"
        )


def _validation(cfg: dict[str, Any], overrides: Sequence[str], spec: ArtifactSpec) -> TextData:
    """Return validation, read and not yet encoded."""
    cfg["data"] = with_overrides(cfg, overrides, split=SPLIT)
    data = build_data(cfg)
    check_inputs(data, spec)
    data.read_one(SPLIT, spec.label_names)
    return data


def _measure(
    cfg: dict[str, Any],
    folder: Path,
    partial: Path,
    *,
    data: TextData,
    export: Export,
    limits: Limits,
    threads: int,
) -> GateResult:
    """Compare what was written with the run's own model."""
    artifact = read_artifact(folder)
    as_scored = torch_predictor(artifact, device="cpu")
    full = torch_predictor(artifact, device="cpu", precision="32-true")
    candidate = export.load(partial)
    data.encode(
        full.tokenization,
        token_type_ids=bool(artifact.spec.encoding["token_type_ids"]),
        model_limit=full.max_positions,
    )

    def score() -> Scores:
        """Score validation with both."""
        name, mode = monitored(cfg)
        found = [_metrics(cfg, data, each) for each in (as_scored, candidate)]
        return Scores(name.removeprefix("val/"), mode, torch=found[0], export=found[1])

    table = data.tables[SPLIT]
    return run_gate(
        partial,
        torch=full,
        export=candidate,
        encoded=data.encoded[SPLIT],
        texts={name: list(table.column(name)) for name in artifact.spec.columns},
        bounds=export.bounds,
        limits=limits,
        score=score,
        threads=threads,
    )


def _metrics(cfg: dict[str, Any], data: TextData, predictor: Predictor) -> dict[str, float]:
    evaluation = evaluate(
        predictor.document_logits(data.encoded[SPLIT]),
        data.gold[SPLIT],
        decoding=predictor.decoding,
        metrics=build(cfg["task"]["metrics"], key="task.metrics"),
        label_names=predictor.label_names,
    )
    return {**evaluation.metrics, "loss": evaluation.loss}


def _put(partial: Path, target: Path) -> None:
    """Give the export its name."""
    aside = target.with_name(f".{target.name}.before.{os.getpid()}")
    if target.exists():
        target.rename(aside)
    partial.rename(target)
    shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _torch_threads(count: int) -> Iterator[None]:
    """Let torch compute with as many threads as an ONNX graph will, so that both are timed alike."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
