"""Row: the cache's key is stable, a changed byte misses, several write at once, what is torn is rebuilt."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from headway.assembly import build_backbone, build_data, encode_data
from trust_parts.forks import end, start
from trust_parts.rows import Case, Row, check, some
from trust_parts.works import KINDS, compose, words_of

KEYS = """
import sys, json
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from trust_parts.cache import keys
print(json.dumps(keys(sys.argv[2], Path(sys.argv[3]))))
"""


def keys(kind: str, work: Path, *more: str) -> dict[str, str]:
    """Return the cache's key of each split."""
    cfg = compose(*words_of(kind, work, *more))
    data, backbone = build_data(cfg), build_backbone(cfg)
    data.read()
    encode_data(data, backbone, backbone.load_tokenizer())
    return dict(data.encoded_keys)


def _cases(work: Path, share: float) -> Iterator[Case]:
    draw = random.Random(17)
    for kind in KINDS:
        for seed in range(some(2, share)):
            yield f"{kind}: the key in another process, hash seed {seed}", _stable(work, kind, seed)
    for number in range(some(30, share)):
        yield f"a changed byte of the file {number}", _misses(work, draw, number)
    for number in range(some(5, share)):
        yield f"4 writers at once, {number}", _writers(work, number)
    for number in range(some(20, share)):
        yield f"a truncated entry {number}", _truncated(work, draw)


def _stable(work: Path, kind: str, seed: int) -> Callable[[], None]:
    def case() -> None:
        """Compare with a process of another hash seed."""
        command = [sys.executable, "-c", KEYS, str(Path(__file__).parents[1]), kind, str(work)]
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        check(json.loads(done.stdout.splitlines()[-1]) == keys(kind, work), "the key is another")

    return case


def _misses(work: Path, draw: random.Random, number: int) -> Callable[[], None]:
    def case() -> None:
        """Change a letter of a text, same size and time."""
        original = work / "rows.jsonl"
        path = work / f"changed-{number}.jsonl"
        path.write_bytes(original.read_bytes())
        times = (original.stat().st_atime_ns, original.stat().st_mtime_ns)
        os.utime(path, ns=times)
        more = (f"data.train={path}", f"data.validation={path}")
        before = keys("single", work, *more)["train"]
        rows = path.read_text().splitlines()
        place = draw.randrange(len(rows))
        row = json.loads(rows[place])
        at = draw.randrange(len(row["body"]))
        row["body"] = row["body"][:at] + chr(ord(row["body"][at]) ^ 1) + row["body"][at + 1 :]
        rows[place] = json.dumps(row)
        path.write_text("\n".join(rows))
        os.utime(path, ns=times)
        check(keys("single", work, *more)["train"] != before, "the old rows would be served")

    return case


def _writers(work: Path, number: int) -> Callable[[], None]:
    def case() -> None:
        """Let four processes encode the same rows into an empty cache."""
        more = f"cache_dir={work / f'cache-{number}'}"
        pids = [start(lambda: keys("windows", work, more) and None, work / "cache.log") for _ in range(4)]
        statuses = [end(pid) for pid in pids]
        check(statuses == [0] * 4, f"they ended with {statuses}")
        check(_tokens(work, more) == _tokens(work), "other tokens came out")

    return case


def _truncated(work: Path, draw: random.Random) -> Callable[[], None]:
    def case() -> None:
        """Cut a file of the cache short."""
        whole = _tokens(work)
        files = [each for each in (work / "cache").rglob("*") if each.is_file() and each.stat().st_size]
        path = draw.choice(sorted(files))
        os.truncate(path, draw.randrange(path.stat().st_size))
        check(_tokens(work) == whole, "other tokens came out")

    return case


def _tokens(work: Path, *more: str) -> dict[str, bytes]:
    cfg = compose(*words_of("windows", work, *more))
    data, backbone = build_data(cfg), build_backbone(cfg)
    data.read()
    encode_data(data, backbone, backbone.load_tokenizer())
    return {split: bytes(each.input_ids.tobytes()) for split, each in data.encoded.items()}


ROW = Row(
    "cache",
    "Cache: its key is stable; a changed byte misses; 4 writers at once; truncated entries rebuilt",
    _cases,
)
