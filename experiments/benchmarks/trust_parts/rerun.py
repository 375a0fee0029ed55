"""Row: record.json alone gives the same predictions to the bit."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from headway.run import run
from trust_parts.commands import headway
from trust_parts.forks import in_process
from trust_parts.interrupted import Tape
from trust_parts.rows import Case, Row, check, some
from trust_parts.works import compose, words_of

VARIANTS: dict[str, tuple[str, Sequence[str]]] = {
    "single": ("single", ()),
    "pair": ("pair", ()),
    "words, two loader workers": ("words", ("data.num_workers=2",)),
    "windows, as many as are cut": ("windows", ()),
    "windows, one of each document": ("windows", ("data.train_windows=1",)),
    "accumulated": ("single", ("trainer.accumulate_grad_batches=3", "batching.batch_size=3")),
    "batches by tokens": ("single", ("batching=tokens", "batching.max_tokens=120")),
    "grouped batches": ("single", ("batching=grouped",)),
    "bfloat16": ("single", ("trainer.precision=bf16-mixed",)),
    "a frozen backbone": ("single", ("backbone.trainable=none",)),
    "a validation split that is cut": ("single", ("data.validation=null", "data.validation_ratio=0.3")),
    "aggregations compared": ("windows", ("compare_aggregations=all",)),
}
"""Kind, overrides."""


def _cases(work: Path, share: float) -> Iterator[Case]:
    names = list(VARIANTS)
    for name in names[: some(len(names), share)]:
        kind, more = VARIANTS[name]
        yield name, _case(work, kind, more, interrupted=False)
    yield "killed and resumed", _case(work, "single", (), interrupted=True)


def _case(work: Path, kind: str, more: Sequence[str], *, interrupted: bool) -> Callable[[], None]:
    def case() -> None:
        """Train, keep the record alone, and run it again."""
        for name in ("first", "again", "outputs"):
            shutil.rmtree(work / name, ignore_errors=True)
        _train(work, kind, more, interrupted=interrupted)
        alone = work / "again"
        alone.mkdir()
        shutil.move(work / "first" / "record.json", alone / "record.json")
        shutil.rmtree(work / "first")
        told = json.loads((alone / "record.json").read_text())["results"]["predictions"]
        check(bool(told), "the record tells of no predictions")
        said = headway(["train", "--from", str(alone / "record.json"), f"output_dir={work}/outputs"], work)
        check(said.status == 0, f"it ended with {said.status}: {said.text[-300:]}")
        check("the same to the bit" in said.text, f"it says {said.text.splitlines()[-1]}")
        (record,) = (work / "outputs").rglob("record.json")
        check(json.loads(record.read_text())["results"]["predictions"] == told, "predictions differ")

    return case


def _train(work: Path, kind: str, more: Sequence[str], *, interrupted: bool) -> None:
    options = [word for word in more if word.startswith("batching=")]
    named = {word.partition("=")[0] for word in more}
    words = [word for word in words_of(kind, work, *options) if word.partition("=")[0] not in named]
    cfg = compose(*words, *more)
    log = work / "rerun.log"
    if interrupted:
        tape = Tape(work / "rerun.tape", stop_after=8, kill=True)
        status = in_process(lambda: run(cfg, work / "first", callbacks=[tape]) and None, log)
        check(status == -signal.SIGKILL, f"it wasn't killed, but ended with {status}")
    status = in_process(lambda: run(cfg, work / "first") and None, log)
    check(status == 0, f"the first run ended with {status}: {log.read_text()[-300:]}")


ROW = Row("rerun", "Rerun: record.json alone gives the same predictions to the bit", _cases)
