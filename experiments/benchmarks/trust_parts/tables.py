"""Row: a bad table is an error that names file, row and column, or is read as stated; no value is changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from headway.assembly import build_data
from headway.types import HeadwayError
from trust_parts.rows import Case, Row, check
from trust_parts.works import compose, words_of

HEAD = b"body,question,topic\n"
GOOD = b"one text,why,a\nanother text,how,b\n"
BIG = b"word " * 2_000_000
Bad = tuple[str, bytes, tuple[str, ...]]
Kept = tuple[str, bytes, list[str]]

REFUSED: dict[str, Bad] = {
    # Name: file, content, what the message must name beside the file.
    "no header": ("bad.csv", GOOD, ("one text",)),
    "header alone": ("bad.csv", HEAD, ("row",)),
    "empty file": ("bad.csv", b"", ()),
    "blank lines alone": ("bad.csv", b"\n\n\n", ()),
    "a row too long": ("bad.csv", HEAD + GOOD + b"x,y,a,more\n", ("4",)),
    "a row too short": ("bad.csv", HEAD + GOOD + b"x\n", ("4",)),
    "semicolons": ("bad.csv", HEAD.replace(b",", b";") + GOOD.replace(b",", b";"), ("delimiter",)),
    "tabs in a csv": ("bad.csv", HEAD.replace(b",", b"\t") + GOOD.replace(b",", b"\t"), ("delimiter",)),
    "commas in a tsv": ("bad.tsv", HEAD + GOOD, ("delimiter",)),
    "NUL": ("bad.csv", HEAD + GOOD + b"x\0y,z,a\n", ("4",)),
    "not UTF-8": ("bad.csv", HEAD + GOOD + b"caf\xe9,z,a\n", ("4",)),
    "UTF-16": ("bad.csv", "body,question,topic\nx,y,a\n".encode("utf-16"), ()),
    "an open quote": ("bad.csv", HEAD + GOOD + b'"x,z,a\n', ()),
    "a name twice": ("bad.csv", b"body,question,topic,topic\nx,y,a,b\n", ("topic",)),
    "an empty label": ("bad.csv", HEAD + GOOD + b"x,y,\n", ("4", "topic")),
    "another name of the column": ("bad.csv", HEAD.replace(b"topic", b"topics") + GOOD, ("topic", "topics")),
    "another case of the column": ("bad.csv", HEAD.replace(b"topic", b"Topic") + GOOD, ("Topic",)),
    "one label alone": ("bad.csv", HEAD + b"x,y,a\nz,y,a\n", ("data.label",)),
    "binary": ("bad.csv", bytes(range(256)) * 8, ()),
    "a parquet that is text": ("bad.parquet", HEAD + GOOD, ()),
    "a json that is no list": ("bad.json", b'{"body": "x"}', ()),
    "a torn json": ("bad.json", b'[{"body": "x", "topic": "a"}, {"bo', ()),
    "a torn line of jsonl": ("bad.jsonl", b'{"body": "x", "question": "y", "topic": "a"}\n{"bo', ("2",)),
    "a list in jsonl": ("bad.jsonl", b'["x", "a"]\n', ("1",)),
    "a missing key": ("bad.jsonl", b'{"body": "x", "question": "y", "topic": "a"}\n{"body": "z"}\n', ("2",)),
    "null as text": (
        "bad.jsonl",
        b'{"body": "x", "question": "y", "topic": "a"}\n{"body": null, "question": "y", "topic": "b"}\n',
        ("2", "body"),
    ),
    "an object as text": (
        "bad.jsonl",
        b'{"body": {"x": 1}, "question": "y", "topic": "a"}\n{"body": "z", "question": "y", "topic": "b"}\n',
        ("1", "body"),
    ),
    "a list as a label": (
        "bad.jsonl",
        b'{"body": "x", "question": "y", "topic": "a"}\n{"body": "z", "question": "y", "topic": ["b"]}\n',
        ("2", "topic"),
    ),
    "a gzip that is none": ("bad.csv.gz", HEAD + GOOD, ()),
    "an unknown suffix": ("bad.xlsx", HEAD + GOOD, ()),
}
KEPT: dict[str, Kept] = {
    # Name: file, content, the texts and labels that come out.
    "BOM": ("ok.csv", b"\xef\xbb\xbf" + HEAD + GOOD, ["one text", "another text", "a", "b"]),
    "CRLF": ("ok.csv", (HEAD + GOOD).replace(b"\n", b"\r\n"), ["one text", "another text", "a", "b"]),
    "missing values by name": ("ok.csv", HEAD + b"NA,y,null\nnan,y,None\n", ["NA", "nan", "null", "None"]),
    "numbers and truths": ("ok.csv", HEAD + b"007,y,01\nTrue,y,1.0\n", ["007", "True", "01", "1.0"]),
    "quotes and line feeds": (
        "ok.csv",
        HEAD + b'"a ""b"", c\nd",y,a\nx,y,b\n',
        ['a "b", c\nd', "x", "a", "b"],
    ),
    "right to left": ("ok.csv", HEAD + "שלום,y,a\nسلم,y,b\n".encode(), ["שלום", "سلم", "a", "b"]),
    "zero width": (
        "ok.csv",
        HEAD + "a\u200bb,y,a\n\u2066x,y,b\n".encode(),
        ["a\u200bb", "\u2066x", "a", "b"],
    ),
    "blanks around": ("ok.csv", HEAD + b" x ,y,a\ny,y, b\n", [" x ", "y", "a", " b"]),
    "10 MB of text": ("ok.csv", HEAD + BIG + b",y,a\nx,y,b\n", [BIG.decode(), "x", "a", "b"]),
    "an escape sequence": ("ok.csv", HEAD + b"\x1b[2J,y,a\nx,y,b\n", ["\x1b[2J", "x", "a", "b"]),
}
WORDS: dict[str, Bad] = {
    "tokens without tags": ("bad.conll", b"EU B-ORG\nrejects\n\n", ("2",)),
    "more tags than tokens": ("bad.jsonl", b'{"words": ["a"], "tags": ["x", "y"]}\n', ("1",)),
    "tags as text": ("bad.jsonl", b'{"words": ["a"], "tags": "x"}\n', ("1", "tags")),
    "a null among tokens": ("bad.jsonl", b'{"words": [null], "tags": ["O"]}\n', ("1", "words")),
    "no tokens": ("bad.jsonl", b'{"words": [], "tags": []}\n', ()),
    "an I- that follows nothing": ("bad.conll", b"EU I-ORG\nrejects O\n\n", ("1",)),
    "an unknown prefix": ("bad.conll", b"EU X-ORG\nrejects O\n\n", ("1",)),
}
KINDS = ("single", "pair", "windows")


def _cases(work: Path, share: float) -> Iterator[Case]:
    every = [
        *(
            (f"{kind}: {name}", _refused(work, kind, bad))
            for kind in KINDS[:2]
            for name, bad in REFUSED.items()
        ),
        *((f"{kind}: {name}", _kept(work, kind, kept)) for kind in KINDS for name, kept in KEPT.items()),
        *((f"words: {name}", _refused(work, "entities", bad)) for name, bad in WORDS.items()),
        ("single: an unknown label in test", _unknown_label(work)),
        ("single: an id twice", _same_id(work)),
    ]
    yield from every[:: max(1, round(1 / share))]


def _config(work: Path, kind: str, path: Path) -> dict[str, Any]:
    if kind == "entities":
        columns = (
            ("data.tokens=0", "data.tags=1")
            if path.suffix == ".conll"
            else ("data.tokens=words", "data.tags=tags")
        )
        scheme = "IOB2"
        own = ("task=entities", "data.text=null", *columns, f"data.scheme={scheme}")
        words = [
            each
            for each in words_of("words", work)
            if each.partition("=")[0] not in ("task", "data.tokens", "data.tags")
        ]
        return compose(*words, *own, f"data.train={path}", f"data.validation={path}")
    return compose(*words_of(kind, work), f"data.train={path}", f"data.validation={path}")


def _refused(work: Path, kind: str, bad: Bad) -> Callable[[], None]:
    def case() -> None:
        """Read what is wrong."""
        name, content, names = bad
        path = work / name
        path.write_bytes(content)
        try:
            build_data(_config(work, kind, path)).read()
        except HeadwayError as error:
            text = str(error)
            check(path.name in text, f"the file isn't named in: {text}")
            missing = [each for each in names if each not in text.replace(path.name, "")]
            check(not missing, f"{missing} isn't in: {text}")
            return
        check(False, "it was read")

    return case


def _kept(work: Path, kind: str, kept: Kept) -> Callable[[], None]:
    def case() -> None:
        """Read what is unusual and right."""
        name, content, expected = kept
        path = work / name
        path.write_bytes(content)
        data = build_data(_config(work, kind, path))
        data.read()
        texts = [
            str(value) for value in data.tables["train"].column("text_pair" if kind == "pair" else "text")
        ]
        labels = [data.label_names[number] for number in data.gold["train"].values.tolist()]
        check([*texts, *labels] == expected, f"it came out as {texts} and {labels}"[:200])

    return case


def _unknown_label(work: Path) -> Callable[[], None]:
    def case() -> None:
        """Read a test split with a label that train hasn't."""
        rows, test = work / "rows.jsonl", work / "unknown.jsonl"
        test.write_text(json.dumps({"body": "x", "topic": "c"}))
        cfg = compose(*words_of("single", work), f"data.train={rows}", f"data.test={test}")
        try:
            build_data(cfg).read()
        except HeadwayError as error:
            check("unknown.jsonl" in str(error) and "'c'" in str(error), str(error))
            return
        check(False, "it was read")

    return case


def _same_id(work: Path) -> Callable[[], None]:
    def case() -> None:
        """Read two rows of one id."""
        path = work / "ids.csv"
        path.write_bytes(b"id,body,topic\n7,x,a\n7,y,b\n")
        cfg = compose(
            *words_of("single", work), f"data.train={path}", f"data.validation={path}", "data.id=id"
        )
        try:
            build_data(cfg).read()
        except HeadwayError as error:
            check("ids.csv" in str(error) and "7" in str(error), str(error))
            return
        check(False, "it was read")

    return case


ROW = Row(
    "tables", "Bad tables: each names file, row and column, or is read as stated; no value is changed", _cases
)
