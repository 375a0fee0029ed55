"""`headway predict RUN FILE`: answers for a file or stdin, streamed, in order."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.config.build import nearest
from headway.types import ConfigError, DataError

if TYPE_CHECKING:
    from headway.data.sources.source import Record
    from headway.delivery.predictor import Predictor

ROWS_AT_ONCE = 1024
"""Rows read, answered and written together: enough to sort by length, few enough to keep memory flat."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headway predict",
        description="Write an answer for each row of a file, in order. The columns are those of training; "
        "--text and the like rename them.",
    )
    parser.add_argument("run", metavar="RUN", help="the folder that headway train printed, or its model/")
    parser.add_argument("file", metavar="FILE", help="csv, tsv, jsonl, json, parquet, conll, each also .gz; - for stdin")
    parser.add_argument(
        "--format", help="of FILE; by default by its suffix, and jsonl for stdin. `lines` is one text a line"
    )
    parser.add_argument("--output", help="jsonl, csv or parquet by its suffix; by default jsonl on stdout")
    parser.add_argument("--text", help="column of text")
    parser.add_argument("--text-pair", help="column of the second text")
    parser.add_argument("--tokens", help="column of words")
    parser.add_argument("--id", help="column that is copied to the output; by default the row's line")
    parser.add_argument("--batch-size", type=int, help="windows a batch; by default as in the test")
    return parser


def main(words: Sequence[str]) -> int:
    """Predict a file.

    Args:
        words: RUN, FILE and options.

    Returns:
        0.

    Raises:
        HeadwayError: The folder, the file or a row is wrong. What was written before stays valid.
    """
    arguments = _parser().parse_args(list(words))
    if arguments.batch_size is not None and arguments.batch_size < 1:
        raise ConfigError(f"--batch-size must be >= 1 windows, got {arguments.batch_size}")
    from headway.delivery.predictor import load
    from headway.delivery.writers import open_writer

    source = arguments.file
    if source != "-" and not Path(source).is_file():
        folder = Path(source).parent
        names = [str(path) for path in folder.iterdir()] if folder.is_dir() else []
        raise DataError(f"FILE must be a file or - for stdin, got {source!r}{nearest(source, names)}; check the path")
    output = arguments.output
    if output is not None and source != "-" and Path(output).resolve() == Path(source).resolve():
        raise ConfigError(f"--output must not be FILE itself, got {output!r}; name another file")
    predictor = load(arguments.run)
    columns = {
        role: getattr(arguments, role) or column for role, column in predictor.spec.columns.items()
    }
    with ExitStack() as stack:
        writer = stack.enter_context(open_writer(output))
        records = _records(stack, source, arguments.format)
        while chunk := list(islice(records, ROWS_AT_ONCE)):
            writer.write(_answers(predictor, chunk, columns, arguments, source))
    return 0


def _records(stack: ExitStack, source: str, file_format: str | None) -> Iterator[Record]:
    from headway.data.sources.options import FileOptions

    if source == "-":
        options = FileOptions(format=file_format or "jsonl")
        return options.records(sys.stdin.buffer, name="stdin")
    stream = stack.enter_context(Path(source).open("rb"))
    return FileOptions(format=file_format).records(stream, name=source)


def _answers(
    predictor: Predictor,
    records: Sequence[Record],
    columns: dict[str, str],
    arguments: argparse.Namespace,
    source: str,
) -> list[dict[str, Any]]:
    """Return a row an answer: id, the prediction and its probabilities."""
    name = "stdin" if source == "-" else source
    inputs = []
    for record in records:
        row = {}
        for role, column in columns.items():
            # A file of lines has one column, whatever the model's was called.
            found = column if column in record.values or len(record.values) > 1 else next(iter(record.values), column)
            if found not in record.values:
                raise DataError(
                    f"{name}, line {record.line}: there is no column {column!r}{nearest(column, list(record.values))}, "
                    f"only {list(record.values)}; rename it with --{role.replace('_', '-')}"
                )
            value = record.values[found]
            row[role] = value.split() if role == "tokens" and isinstance(value, str) else value
        inputs.append(row)
    try:
        answers = predictor.predict(inputs, batch_size=arguments.batch_size)
    except DataError as error:
        raise DataError(f"{name}, in the rows from line {records[0].line} on: {error}") from None
    return [
        {"id": str(record.values.get(arguments.id, record.line)) if arguments.id else str(record.line), **answer}
        for record, answer in zip(records, answers, strict=True)
    ]
