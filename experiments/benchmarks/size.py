"""Count the lines of src and tests, and read the tests' number and time from what `make test` printed.

make test | tee test.log && python experiments/benchmarks/size.py test.log
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def lines_of(folder: str) -> tuple[int, int, int]:
    """Return the Python files below a folder, their lines, and those that aren't blank."""
    texts = [path.read_text(encoding="utf-8").splitlines() for path in (ROOT / folder).rglob("*.py")]
    return len(texts), sum(map(len, texts)), sum(bool(line.strip()) for text in texts for line in text)


def main() -> None:
    """Write experiments/results/size.md."""
    log = Path(sys.argv[1]).read_text(encoding="utf-8", errors="replace")
    closing = re.findall(r"=+ (.*? in [\d.]+s.*?) =+", log)
    if not closing:
        raise SystemExit(
            f"{sys.argv[1]} must hold pytest's closing line, got none; pass what make test printed"
        )
    text = ["# Size", "", "| folder | files | lines | not blank |", "|---|---|---|---|"]
    for folder in ("src", "tests"):
        files, lines, filled = lines_of(folder)
        text.append(f"| {folder} | {files} | {lines} | {filled} |")
    text += ["", f"Tests, on 2 processes: {closing[-1]}.", "", f"Written by `python {sys.argv[0]} LOG`.", ""]
    (ROOT / "experiments" / "results" / "size.md").write_text("\n".join(text), encoding="utf-8")
    print("\n".join(text))


if __name__ == "__main__":
    main()
