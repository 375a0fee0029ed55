"""Strategies of the fuzz: command lines and files near what is right, and far from it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import string
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

LEFT_OUT = ("hydra", "output_dir", "cache_dir", "sweep", "seeds")
"""Keys that would write elsewhere, or make many runs."""
ODD = ("null", "true", "no", "nan", "-inf", "1e400", "0x1", "1_000", "012", "-1", "0", "''", '""', "[]", "{}",
       "[1,2]", "{a: 1}", "[[[", "${seed}",
       "${nowhere}", "${oc.env:HOME}", "${oc.decode:1}", "${", "???", "a b", "é",
       "\u200b", "\\", "'", "a=b", "9" * 400, "_target_", "os.system", "{_target_: os.system}")  # fmt: skip
SCRAPS = (b"\0", b'"', b"'", b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\xff", b"\xef\xbb\xbf",
          b"\xed\xa0\x80", b"{", b"}", b"[", b"]", b"\\", b"\\u0000", b"\\ud800", b"null", b"NaN", b"1e999",
          b"-DOCSTART- O\n", b" ", b"\xe2\x80\xa8",
          b"\x1b[2J", b"#", b"=1+1", b"PAR1", b"\x1f\x8b", b"9" * 5000,
          b"[" * 3000)  # fmt: skip
SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".parquet", ".conll", ".csv.gz", ".txt")


def leaves(value: Any, key: str = "") -> Iterator[str]:
    """Yield the dotted keys of a config."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{key}.{name}" if key else str(name))
    if key and key.split(".")[0] not in LEFT_OUT:
        yield key


def overrides(keys: Sequence[str]) -> st.SearchStrategy[list[str]]:
    """Return lists of words for `headway train`, near what is right and far from it.

    Args:
        keys: Dotted keys that there are.
    """
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10)
    typed = st.one_of(st.integers().map(str), st.floats().map(repr), st.sampled_from(ODD), text)
    quoted = text.map(lambda each: "'" + each.replace("\\", "\\\\").replace("'", "\\'") + "'")
    right = st.sampled_from(sorted(keys))
    cut = st.tuples(right, st.integers(0, 30)).map(lambda pair: pair[0][: pair[1]] + pair[0][pair[1] + 1 :])
    key = st.one_of(right, right, cut, st.text(string.printable, max_size=12))
    sign = st.sampled_from(["", "", "", "+", "++", "~"])
    pair = st.tuples(sign, key, st.one_of(typed, quoted)).map(lambda each: f"{each[0]}{each[1]}={each[2]}")
    word = st.one_of(pair, pair, pair, text)
    return st.lists(word.filter(_stays_here), min_size=1, max_size=3)


def _stays_here(word: str) -> bool:
    """Say whether a word makes one run at most, in this folder: no flag, and none of LEFT_OUT."""
    key = word.strip().lstrip("+~").strip()
    return not word.startswith("-") and not key.startswith(LEFT_OUT)


def good_file(suffix: str) -> bytes:
    """Return a small file that is right.

    Args:
        suffix: One of SUFFIXES.
    """
    rows = [{"body": f"the text of row {number}", "topic": "ab"[number % 2]} for number in range(6)]
    if suffix == ".conll":
        return b"".join(b"-DOCSTART- O\n\nEU B-ORG\nrejects O\n\n" for _ in range(3))
    if suffix == ".parquet":
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(rows), sink)
        return bytes(sink.getvalue())
    if suffix == ".json":
        return json.dumps(rows).encode()
    if suffix == ".jsonl":
        return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    content = written(rows, "\t" if suffix == ".tsv" else ",")
    return gzip.compress(content) if suffix.endswith(".gz") else content


def written(rows: Sequence[dict[str, str]], delimiter: str = ",") -> bytes:
    """Return rows as CSV, by Python's own writer.

    Args:
        rows: Of the same keys.
        delimiter: Between fields.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


@st.composite
def damaged(draw: Any, content: bytes) -> bytes:
    """Return a file with some bytes put in, taken out, exchanged or cut off; or other bytes altogether."""
    if draw(st.integers(0, 9)) == 0:
        return bytes(draw(st.binary(max_size=200)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 12))
        piece = draw(st.one_of(st.sampled_from(SCRAPS), st.binary(max_size=6)))
        kind = draw(st.sampled_from(["in", "out", "other", "cut", "again"]))
        if kind == "in":
            content = content[:place] + piece + content[place:]
        elif kind == "out":
            content = content[:place] + content[place + length :]
        elif kind == "other":
            content = content[:place] + piece + content[place + len(piece) :]
        elif kind == "cut":
            content = content[:place]
        else:
            content = content[:place] + content[place : place + length] * 3 + content[place:]
    return content


def rows_of_text() -> st.SearchStrategy[list[dict[str, str]]]:
    """Return rows of any texts and labels that aren't blank, of two labels at least."""
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
    filled = text.filter(lambda each: bool(each.strip()))
    row = st.fixed_dictionaries({"body": filled, "topic": filled})
    return st.lists(row, min_size=2, max_size=6).filter(lambda rows: len({row["topic"] for row in rows}) > 1)
