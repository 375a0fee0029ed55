"""Row: whatever a command line or a file holds is taken or refused by a message; no traceback, no hang."""

from __future__ import annotations

import copy
import io
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from headway.assembly import build_data
from headway.cli.train import early_config, refusals, run_hydra
from headway.types import HeadwayError
from trust_parts.forks import in_process
from trust_parts.fuzz_inputs import SUFFIXES, damaged, good_file, leaves, overrides, rows_of_text, written
from trust_parts.rows import Case, Row, check, some
from trust_parts.works import compose, words_of

SLOWEST = timedelta(seconds=20)
"""Of one example, beyond which it counts as a hang."""
CHUNKS, OF_CONFIG, OF_FILES = 10, 50, 500
"""Cases of each property; examples in a case."""


def compose_or_refuse(words: Sequence[str]) -> None:
    """Do what `headway train WORDS` does before it imports torch; any other error than a refusal passes.

    Args:
        words: Of the command line.
    """

    def job(cfg: Any) -> None:
        """Check it."""
        with refusals(list(words)):
            early_config(cfg)

    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            run_hydra(job, words, program="headway train")
    except HeadwayError as error:
        check(bool(str(error).strip()), "it is refused without a message")
    finally:
        for handler in [each for each in root.handlers if each not in handlers]:
            handler.close()
        root.handlers[:] = handlers
        root.setLevel(level)


def reader(work: Path, suffix: str) -> tuple[Path, Callable[[bytes], Any]]:
    """Return a file's path, and what writes bytes to it and reads them as data; a refusal gives None.

    Args:
        work: Where to.
        suffix: One of SUFFIXES.
    """
    path = work / f"fuzzed{suffix}"
    kind = "words" if suffix == ".conll" else "single"
    columns = ("data.tokens=0", "data.tags=1") if kind == "words" else ()
    named = {word.partition("=")[0] for word in columns}
    words = [word for word in words_of(kind, work) if word.partition("=")[0] not in named]
    cfg = compose(*words, *columns, f"data.train={path}", f"data.validation={path}")

    def read(content: bytes) -> Any:
        """Write and read."""
        path.write_bytes(content)
        data = build_data(copy.deepcopy(cfg))
        try:
            data.read()
        except HeadwayError as error:
            check(bool(str(error).strip()), "it is refused without a message")
            return None
        return data

    return path, read


def check_round_trip(read: Callable[[bytes], Any], content: bytes, rows: Sequence[dict[str, str]]) -> None:
    """Raise NotHeldError where rows that were written don't come back as they are.

    Args:
        read: As `reader` returned it.
        content: The file.
        rows: What it holds.
    """
    data = read(content)
    check(data is not None, "it is refused")
    texts = [str(value) for value in data.tables["train"].column("text")]
    labels = [data.label_names[number] for number in data.gold["train"].values.tolist()]
    check(texts == [row["body"] for row in rows], f"texts came back as {texts}")
    check(labels == [row["topic"] for row in rows], f"labels came back as {labels}")


WRITERS: dict[str, Callable[[Sequence[dict[str, str]]], bytes]] = {
    ".csv": written,
    ".tsv": lambda rows: written(rows, "\t"),
    ".json": lambda rows: json.dumps(rows).encode(),
    ".jsonl": lambda rows: b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows),
}
"""Suffix -> how rows are written by another's hand."""


def hunt(act: Callable[[Any], None], strategy: st.SearchStrategy[Any], *, number: int, examples: int) -> None:
    """Try examples, and raise what the smallest one that fails raises.

    Args:
        act: Takes an example.
        strategy: Draws them.
        number: Decides which.
        examples: How many.
    """

    @seed(number)
    @settings(max_examples=examples, deadline=SLOWEST, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def search(example: Any) -> None:
        """Try one."""
        act(example)

    search()


def _forked(work: Path, act: Callable[[], None]) -> Callable[[], None]:
    def case() -> None:
        """Hunt in a process of its own and a folder of its own; an end for whatever takes it down."""
        log, folder = work / "fuzz.log", work / "fuzz"
        folder.mkdir(exist_ok=True)
        log.unlink(missing_ok=True)

        def inside() -> None:
            """Hunt."""
            os.chdir(folder)
            act()

        status = in_process(inside, log)
        check(status == 0, f"it ended with {status}: {log.read_text()[-250:]}")

    return case


def _cases(work: Path, share: float) -> Iterator[Case]:
    keys = list(leaves(compose(*words_of("single", work))))
    base, chunks = words_of("single", work), some(CHUNKS, share)
    for number in range(chunks):
        words = overrides(keys)

        def override(words: Any = words, number: int = number) -> None:
            """Compose overrides."""
            hunt(
                lambda more: compose_or_refuse([*base, *more]),
                words,
                number=number,
                examples=OF_CONFIG,
            )

        yield f"overrides {number}", _forked(work, override)
    for suffix in SUFFIXES:
        _, read = reader(work, suffix)
        for number in range(chunks):
            files = damaged(good_file(suffix))

            def damage(read: Any = read, files: Any = files, number: int = number) -> None:
                """Read damaged files."""
                hunt(lambda content: read(content) and None, files, number=number, examples=OF_FILES)

            yield f"a damaged {suffix} {number}", _forked(work, damage)
    for suffix, write in WRITERS.items():
        _, read = reader(work, suffix)
        for number in range(chunks):

            def there_and_back(read: Any = read, write: Any = write, number: int = number) -> None:
                """Write rows and read them."""
                hunt(
                    lambda rows: check_round_trip(read, write(rows), rows),
                    rows_of_text(),
                    number=number,
                    examples=OF_FILES,
                )

            yield f"texts in {suffix} {number}", _forked(work, there_and_back)


ROW = Row(
    "fuzz",
    "Fuzz of overrides and files: taken, or refused by a message; no traceback, no hang, no value changed",
    _cases,
)
