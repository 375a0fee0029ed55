"""`headway predict RUN FILE`: answers for a file or stdin, streamed, in order."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.types import ConfigError, DataError, HeadwayError, nearest

if TYPE_CHECKING:
    from headway.data.sources.options import FileOptions
    from headway.delivery.artifact_spec import ArtifactSpec
    from headway.delivery.progress import Origin
    from headway.delivery.stream import RecordReader

STDIN = "-"
FORMATS = ("csv", "tsv", "jsonl", "json", "parquet", "conll", "lines")
CLOSED_PIPE = 141
"""The status of a program whose reader has gone, as the shell gives it: 128 + SIGPIPE."""
_OPTION = "data.source."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headway predict",
        allow_abbrev=False,
        description="Write an answer for each row of a file, in order. The columns are those of training; "
        "--text and the like rename them.",
    )
    parser.add_argument("run", metavar="RUN", help="the folder that headway train printed, or its model/")
    parser.add_argument(
        "file", metavar="FILE", help="csv, tsv, jsonl, json, parquet, conll, each also .gz; - for stdin"
    )
    parser.add_argument(
        "options",
        nargs="*",
        metavar="data.source.KEY=VALUE",
        help="how FILE is read (delimiter, header, columns, encoding, ...); by default as the training file, "
        "if that was of the same format",
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="of FILE; by default by its suffix, and jsonl for stdin. `lines` is one text a line",
    )
    parser.add_argument(
        "--output", help="jsonl, csv or parquet by its suffix; by default jsonl on stdout. csv marks formulas"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace --output if it is there")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with an --output that was interrupted, or begin it; all else must be as it was",
    )
    _add_answers(parser)
    return parser


def _add_answers(parser: argparse.ArgumentParser) -> None:
    """Add what says which columns are read, and how the answers are computed and written."""
    parser.add_argument("--probabilities", action="store_true", help="write them beside each answer")
    parser.add_argument("--text", help="column of text")
    parser.add_argument("--text-pair", help="column of the second text")
    parser.add_argument("--tokens", help="column of words")
    parser.add_argument("--id", help="column that is copied to the output; by default the row's line")
    parser.add_argument("--batch-size", type=int, help="windows a batch; by default as in the test")
    parser.add_argument(
        "--workers",
        type=int,
        default=1,
        help="threads that answer side by side, each with its share of the free cores (%(default)s)",
    )


def main(words: Sequence[str]) -> int:
    """Predict a file.

    Args:
        words: RUN, FILE and options.

    Returns:
        0, or CLOSED_PIPE if whoever reads stdout has left.

    Raises:
        HeadwayError: The folder, the file or a row is wrong. What was written before stays valid.
    """
    arguments = _parser().parse_intermixed_args(list(words))
    try:
        _predict(arguments)
    except BrokenPipeError:
        # Nobody reads: the interpreter's own flush at its end must not fail a second time.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except OSError as error:
        if error.errno is None:
            raise
        raise HeadwayError(
            f"{arguments.file} must stay readable and {arguments.output or 'stdout'} writable, got {error}"
        ) from error
    return 0


def _predict(arguments: argparse.Namespace) -> None:
    for name, unit in (("batch_size", "windows"), ("workers", "threads")):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise ConfigError(f"--{name.replace('_', '-')} must be >= 1 {unit}, got {value}; raise it")
    _check_file(arguments.file)
    from headway.delivery.artifact import artifact_folder
    from headway.delivery.file_options import reading_options
    from headway.delivery.outputs import Output, check_output
    from headway.delivery.predict_file import predict_file
    from headway.delivery.predictor import load
    from headway.delivery.stream import Answering
    from headway.delivery.threads import free_threads

    path = None if arguments.output is None else Path(arguments.output)
    output = Output(path, overwrite=arguments.overwrite, resume=arguments.resume)
    check_output(output, source=arguments.file)
    given = _overrides(arguments.options)
    # With several workers each has its share of the cores; one takes what torch or ONNX Runtime does.
    share = None if arguments.workers == 1 else max(1, free_threads() // arguments.workers)
    predictor = load(arguments.run, threads=share)
    options = reading_options(
        arguments.file, form=arguments.format, trained=predictor.spec.file_options, given=given
    )
    reader = _reader(arguments, predictor.spec, options)
    origin = None
    if path is not None and Path(arguments.file).is_file():
        origin = _origin(arguments, artifact_folder(arguments.run), reader, options)
    how = Answering(arguments.batch_size, arguments.probabilities, arguments.workers)
    predict_file(predictor, arguments.file, output, reader=reader, options=options, how=how, origin=origin)


def _origin(
    arguments: argparse.Namespace, folder: Path, reader: RecordReader, options: FileOptions
) -> Origin:
    from headway.delivery.progress import origin_of

    decisive = {
        "columns": dict(reader.columns),
        "--id": reader.id,
        "--probabilities": arguments.probabilities,
        "--format": options.format_of(arguments.file),
        **{f"{_OPTION}{name}": value for name, value in vars(options).items() if name != "format"},
    }
    return origin_of(Path(arguments.file), folder, decisive)


def _check_file(source: str) -> None:
    path = Path(source)
    if source == STDIN or (path.exists() and not path.is_dir()):
        return
    names = [str(entry) for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    came = "a folder" if path.is_dir() else f"none{nearest(source, names)}"
    raise DataError(f"FILE must be a file or - for stdin, got {source!r}, {came}; check the path")


def _overrides(words: Sequence[str]) -> dict[str, Any]:
    from dataclasses import fields

    import yaml

    from headway.data.sources.options import FileOptions

    known = [f"{_OPTION}{option.name}" for option in fields(FileOptions) if option.name != "format"]
    found = {}
    for word in words:
        key, sign, text = word.partition("=")
        if not sign or key not in known:
            raise ConfigError(
                f"options of FILE must be KEY=VALUE with a KEY of {known}, got {word!r}"
                f"{nearest(key, known)}; see headway predict --help"
            )
        try:
            found[key.removeprefix(_OPTION)] = yaml.safe_load(text)
        except yaml.YAMLError:  # a bare delimiter such as | or %
            found[key.removeprefix(_OPTION)] = text
    return found


def _reader(arguments: argparse.Namespace, spec: ArtifactSpec, options: FileOptions) -> RecordReader:
    from headway.data.sources.formats import FORMATS as READERS
    from headway.delivery.stream import RecordReader

    columns = {name: getattr(arguments, name) or column for name, column in spec.columns.items()}
    for name in ("text", "text_pair", "tokens"):
        if getattr(arguments, name) is not None and name not in columns:
            raise ConfigError(
                f"--{name.replace('_', '-')} must be left out for this model, which reads {list(columns)}"
            )
    form = options.format_of(arguments.file)
    if form == "lines":
        if len(columns) > 1:
            raise ConfigError(
                f"--format lines is for models that read one column, got one that reads {columns}"
            )
        columns = dict.fromkeys(columns, "text")  # a file of lines has no names
    origin = "stdin" if arguments.file == STDIN else arguments.file
    return RecordReader(columns, arguments.id, origin, READERS[form].unit)
