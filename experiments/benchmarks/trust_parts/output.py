"""Row: what headway writes can't inject: formulas into CSV, escapes and lines into terminals and logs."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from headway.run import run
from trust_parts.commands import headway
from trust_parts.rows import Case, Row, check
from trust_parts.works import compose, words_of

FORMULAS = ("=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(1)", "\t=1", "\r=1", '=HYPERLINK("http://x")', " =1")
TERMINAL = (
    "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x1b[2J", "a\nerror: made up", "a\r\nb", "\x9b31m",
    "[red]x[/red]",
    "\x07",
)  # fmt: skip
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _cases(work: Path, _: float) -> Iterator[Case]:
    folder = _trained_on(work, "formulas", FORMULAS)
    for number, text in enumerate(FORMULAS):
        yield f"csv: {text!r} as text and label", _csv(folder, text, number)
    said = _said(work, "terminal", TERMINAL)
    for text in TERMINAL:
        yield f"terminal and log: {text!r} as a label", _inert(said, text)
    for number, text in enumerate(TERMINAL[:4]):
        yield f"an error that quotes {text!r}", _error(work, text, number)


def _rows(work: Path, name: str, labels: tuple[str, ...]) -> Path:
    path = work / f"{name}.jsonl"
    rows = [{"body": f"{label} text {i}", "topic": label} for i in range(4) for label in labels]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def _words(work: Path, name: str, labels: tuple[str, ...]) -> list[str]:
    path = _rows(work, name, labels)
    own = (f"data.train={path}", f"data.validation={path}", "trainer.max_epochs=1")
    return [*words_of("single", work), *own]


def _trained_on(work: Path, name: str, labels: tuple[str, ...]) -> Path:
    run(compose(*_words(work, name, labels)), work / f"{name}-run")
    return work / f"{name}-run"


def _csv(folder: Path, text: str, number: int) -> Callable[[], None]:
    def case() -> None:
        """Predict into a CSV; no cell begins as a formula does, and jsonl keeps the text as it is."""
        rows = folder / f"rows-{number}.jsonl"
        rows.write_text(json.dumps({"body": text, "key": text}))
        for suffix in ("csv", "jsonl"):
            output = folder / f"out-{number}.{suffix}"
            said = headway(["predict", str(folder), str(rows), "--output", str(output)], folder)
            check(said.status == 0, f"predict ended with {said.status}: {said.text[-200:]}")
        with (folder / f"out-{number}.csv").open(newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        bad = [
            cell
            for cell in cells
            if (cell[:1] in "=+@\t\r" and cell) or re.match(r"-(?![\d.]+(e-?\d+)?$)", cell)
        ]
        check(not bad, f"cells begin as formulas do: {bad}")
        answer = json.loads((folder / f"out-{number}.jsonl").read_text().splitlines()[0])
        check(
            set(answer["probabilities"]) == set(FORMULAS) if "probabilities" in answer else True,
            "labels differ",
        )

    return case


def _said(work: Path, name: str, labels: tuple[str, ...]) -> str:
    said = headway(["train", *_words(work, name, labels), f"hydra.run.dir={work / name}"], work)
    return said.text + (work / name / "run.log").read_text(errors="replace")


def _inert(said: str, text: str) -> Callable[[], None]:
    def case() -> None:
        """Look for what a terminal would act on, and for lines that headway didn't write."""
        found = CONTROL.search(said)
        check(found is None or found.group() not in text, f"{found and found.group()!r} reached the output")
        check("\nerror: made up" not in said, "a label began a line")
        if text.startswith("[red]"):
            check("[red]x[/red]" in said, "the label was taken for markup")

    return case


def _error(work: Path, text: str, number: int) -> Callable[[], None]:
    def case() -> None:
        """Let an error quote a value of the user's data."""
        path = _rows(work, f"quoted-{number}", ("a", "b"))
        other = _rows(work, f"other-{number}", ("a", text))
        words = [*words_of("single", work), f"data.train={path}", f"data.validation={other}"]
        said = headway(["train", *words], work)
        check(said.status == 2, f"it ended with {said.status}")
        lines = [line for line in said.text.splitlines() if line.startswith("error: ")]
        check(len(lines) == 1, f"{len(lines)} lines look like errors")
        check(CONTROL.search(said.text) is None, f"control characters in: {said.text!r:.200}")

    return case


ROW = Row(
    "output",
    "Output can't inject: formulas in CSV; escapes, lines and markup in tables, logs and errors",
    _cases,
)
