"""Run a record again in a new environment made from its own list of packages.

    python experiments/benchmarks/rerun_fresh.py RUN --environment /tmp/fresh

RUN is a run's folder or its record.json. Every distribution that the record's freeze names is installed in
its version, without looking at what others ask for, and headway from this checkout. Packages that no
index has, such as other editable installs, are named and left out. Then `headway train --from RUN` runs
there; its last line says whether the predictions are the same to the bit, and so does the exit status.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
OURS = ("headway", "pip", "setuptools", "wheel")
"""Installed otherwise, or part of every environment."""


def frozen(record: Path) -> list[str]:
    """Return the requirements of a record's freeze.

    Args:
        record: A run's folder, or its record.json.
    """
    path = record / "record.json" if record.is_dir() else record
    freeze: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["environment"]["freeze"]
    # torch's local part (+cpu) says which index it came from, not which release it is.
    return [f"{name}=={each.partition('+')[0]}" for name, each in freeze.items() if name.lower() not in OURS]


def install(python: Path, wanted: list[str], extra: list[str]) -> list[str]:
    """Install requirements one after the other where they don't go at once; return those that don't go.

    Args:
        python: Of the environment.
        wanted: Requirements.
        extra: Words for pip, such as an index.
    """
    command = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        *extra,
    ]
    if subprocess.run([*command, *wanted], check=False).returncode == 0:
        return []
    return [each for each in wanted if subprocess.run([*command, each], check=False).returncode]


def main() -> int:
    """Make the environment, and run the record in it; return what headway ended with."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--environment", type=Path, help="where to; by default a temporary folder")
    parser.add_argument("--pip", nargs="*", default=[], metavar="WORD", help="more words for pip install")
    parser.add_argument("words", nargs="*", help="overrides for headway train, such as output_dir=...")
    arguments = parser.parse_intermixed_args()  # overrides may stand after options
    with tempfile.TemporaryDirectory() as folder:
        place = arguments.environment or Path(folder) / "environment"
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        python = place / "bin" / "python"
        missing = install(python, frozen(arguments.run), arguments.pip)
        if missing:
            print(f"not installed: {', '.join(missing)}", file=sys.stderr)
        if install(python, ["setuptools>=77", "wheel"], arguments.pip):
            return 1
        if install(python, [str(CHECKOUT)], ["--no-build-isolation", *arguments.pip]):
            return 1
        words = ["train", "--from", str(arguments.run.resolve()), *arguments.words]
        return subprocess.run([str(place / "bin" / "headway"), *words], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
