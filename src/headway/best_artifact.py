"""Keeps model/ what the best checkpoint is, so that a run that is killed leaves one that loads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.delivery.artifact import rewrite_spec, write_artifact
from headway.delivery.describe import describe_artifact

if TYPE_CHECKING:
    from headway.data.text_data import TextData
    from headway.delivery.artifact_spec import ArtifactSpec
    from headway.evaluation.aggregation import Aggregation
    from headway.evaluation.evaluator import Evaluation
    from headway.models.module import FineTuner

SHARE = 0.1
"""Of the run's time so far that writing may have taken, beyond the first: a head alone trains in seconds, and
its encoder's weights would be written with every one of its epochs."""


class BestArtifact:
    """Writes the artifact after each new best checkpoint; `BestCheckpoint.on_better` calls it.

    Args:
        cfg: The resolved config.
        folder: The run's folder.
        data: Read and encoded.
        tokenizer: The backbone's.
        clock: Gives seconds.
    """

    def __init__(
        self,
        cfg: Mapping[str, Any],
        folder: Path,
        *,
        data: TextData,
        tokenizer: Any,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cfg = cfg
        self._target = folder / "model"
        self._data = data
        self._tokenizer = tokenizer
        self._clock = clock
        self._start = clock()
        self._spent = 0.0
        self._written: Evaluation | None = None

    def __call__(self, module: FineTuner, evaluation: Evaluation) -> None:
        """Write what the module is now, unless writing has taken too much of the run's time.

        Args:
            module: With the best weights so far.
            evaluation: What they scored on validation.
        """
        if self._written is not None and self._spent > SHARE * (self._clock() - self._start):
            return
        before = self._clock()
        spec = self._spec(
            module,
            aggregation=module.evaluators["val"].aggregation,
            validation=evaluation,
            results={"validation": evaluation.metrics},
        )
        self._write(module, spec)
        self._written = evaluation
        self._spent += self._clock() - before

    def finish(
        self,
        module: FineTuner,
        best: Evaluation,
        *,
        aggregation: Aggregation,
        validation: Evaluation,
        results: Mapping[str, Mapping[str, float]],
    ) -> None:
        """Write what was chosen at the end, and the weights if those of the best checkpoint aren't there.

        Args:
            module: With the best weights.
            best: What the best checkpoint scored when it was written.
            aggregation: What puts windows together from now on.
            validation: Scored with it; its decoding is kept.
            results: Split -> metric -> value.
        """
        spec = self._spec(module, aggregation=aggregation, validation=validation, results=results)
        if self._written is best:
            rewrite_spec(self._target, spec)
        else:
            self._write(module, spec)
            self._written = best

    def _spec(
        self,
        module: FineTuner,
        *,
        aggregation: Aggregation,
        validation: Evaluation,
        results: Mapping[str, Mapping[str, float]],
    ) -> ArtifactSpec:
        return describe_artifact(
            self._cfg,
            self._data,
            aggregation=aggregation.to_spec(),
            decoding=validation.decoding.to_spec(),
            precision=str(module.trainer.precision),
            results=results,
        )

    def _write(self, module: FineTuner, spec: ArtifactSpec) -> None:
        write_artifact(
            self._target,
            spec=spec,
            encoder=module.encoder,
            head=module.head,
            tokenizer=self._tokenizer,
            overwrite=True,
            link=Path(self._cfg["cache_dir"]).expanduser() / "encoders",
        )
