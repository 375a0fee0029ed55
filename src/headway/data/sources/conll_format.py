"""Read CoNLL columns: a token a line, a blank line after each sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from headway.data.sources.source import Record
from headway.types import DataError

DOCUMENT_START = "-DOCSTART-"


def read_conll(
    lines: Iterable[str],
    *,
    origin: str,
    delimiter: str | None = None,
    columns: Sequence[str] | None = None,
    by_document: bool = False,
) -> Iterator[Record]:
    """Yield sentences, or documents; each column is a list of text, and a -DOCSTART- line never is a token.

    Args:
        lines: Of the file.
        origin: What error messages name.
        delimiter: Between columns; None for any run of spaces and tabs.
        columns: The columns' names; None for "0", "1", …
        by_document: Whether a record is all sentences up to the next -DOCSTART- line, end to end.

    Raises:
        DataError: A line's number of columns differs from that of the first, or `by_document` meets no
            -DOCSTART- line before the first token.
    """
    names = list(columns) if columns else None
    tokens: list[list[str]] = []
    start, documents = 0, 0
    for line, text in enumerate(lines, start=1):
        fields = _fields(text, delimiter)
        starts_document = bool(fields) and fields[0] == DOCUMENT_START
        documents += starts_document
        if starts_document or not (fields or by_document):
            if tokens and names:
                yield _record(start, tokens, names)
            tokens = []
        elif fields:
            names = names or [str(number) for number in range(len(fields))]
            _check(fields, names, f"{origin}, line {line}", orphan=by_document and not documents)
            start = start if tokens else line
            tokens.append(fields)
    if tokens and names:
        yield _record(start, tokens, names)


def _fields(text: str, delimiter: str | None) -> list[str]:
    # Not str.split(): it also splits at no-break and other Unicode spaces, which are tokens in real corpora.
    stripped = text.strip(" \t\r\n")
    if not stripped:
        return []
    return re.split("[ \t]+", stripped) if delimiter is None else text.rstrip("\r\n").split(delimiter)


def _check(fields: list[str], names: list[str], place: str, *, orphan: bool) -> None:
    if len(fields) != len(names):
        raise DataError(
            f"{place} must have {len(names)} columns as the lines before it, got {len(fields)}: {fields}; "
            "correct the line, data.source.delimiter or data.source.columns"
        )
    if orphan:
        raise DataError(
            f"{place}: a {DOCUMENT_START} line must stand before the first token of a document, got the "
            f"token {fields[0]!r}; set data.source.by_document=false to read sentences"
        )


def _record(start: int, tokens: list[list[str]], names: list[str]) -> Record:
    columns = zip(*tokens, strict=True)
    return Record(start, {name: list(values) for name, values in zip(names, columns, strict=True)})
