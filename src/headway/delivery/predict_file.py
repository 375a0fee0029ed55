"""Answers for a file or stdin: read, answered and written a chunk at a time, from where it broke off."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from headway.config.build import resolve
from headway.delivery.outputs import Output, open_output
from headway.delivery.progress_bar import progress_bar
from headway.delivery.span_answers import tags_of_spans
from headway.delivery.stream import Answering, RecordReader, answers
from headway.delivery.writers import answer_schema
from headway.types import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from headway.data.sources.options import FileOptions
    from headway.delivery.predictor import Predictor
    from headway.delivery.progress import Origin

STDIN = "-"


def predict_file(
    predictor: Predictor,
    source: str,
    output: Output,
    *,
    reader: RecordReader,
    options: FileOptions,
    how: Answering,
    origin: Origin | None,
) -> None:
    """Write an answer for each row of a file, in order.

    Args:
        predictor: The model.
        source: The file, or "-".
        output: Where to, checked.
        reader: Takes what the model reads out of rows.
        options: How the file is read.
        how: Rows are answered.
        origin: What decides the output, noted beside it until it is finished; None: nothing is noted.

    Raises:
        ConfigError: The output can't be opened, or can't go on.
        DataError: The file or a row is wrong. What was written before stays valid.
    """
    begun = output.begun(origin)
    rows_before = 0 if begun is None else begun.rows
    with ExitStack() as stack:
        stream = _open(stack, source)
        records = islice(options.records(stream, name=reader.origin), rows_before, None)
        chunks = answers(predictor, records, reader, how)
        stack.callback(chunks.close)  # before the file: threads may be at work on its rows
        size = None if source == STDIN else Path(source).stat().st_size
        on_screen = output.path is None and sys.stdout.isatty()
        tell = stack.enter_context(
            progress_bar(size=size or None, position=stream.tell, rows=rows_before, hidden=on_screen)
        )
        # Nothing is opened, and so nothing replaced, before there is something to write.
        first = next(chunks, None)
        schema = partial(_schema, predictor, probabilities=how.probabilities)
        writer = stack.enter_context(open_output(output, schema, origin=origin, begun=begun))
        for rows in () if first is None else chain([first], chunks):
            writer.write(rows)
            tell(len(rows))


def _schema(predictor: Predictor, *, probabilities: bool) -> pa.Schema:
    role: Any = resolve(predictor.spec.target["_target_"], key="target")
    names = predictor.label_names
    spans = role.role == "tags" and tags_of_spans(names) is not None
    return answer_schema(role.role, names, spans=spans, probabilities=probabilities)


def _open(stack: ExitStack, source: str) -> BinaryIO:
    if source == STDIN:
        return sys.stdin.buffer
    try:
        return stack.enter_context(Path(source).open("rb"))
    except OSError as error:
        raise DataError(f"FILE must be a file that can be read, got {source!r} ({error.strerror})") from error
