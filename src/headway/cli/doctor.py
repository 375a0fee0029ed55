"""`headway doctor`: is anything installed that has a known weakness?"""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def main(words: Sequence[str]) -> int:
    """Compare what is installed with known advisories and with headway's own lower bounds.

    Args:
        words: Options.

    Returns:
        0; 1 where something installed is affected.
    """
    parser = argparse.ArgumentParser(
        prog="headway doctor",
        allow_abbrev=False,
        description="Compare installed packages with known security advisories; nothing is fetched. The exit "
        "status is 1 where one is affected.",
    )
    parser.add_argument("--all", action="store_true", help="list what is in order, too")
    arguments = parser.parse_args(words)

    from rich.console import Console
    from rich.table import Table

    from headway.advisories import findings

    found = [each for each in findings() if each.installed is not None]
    affected = [each for each in found if each.affected]
    table = Table("package", "installed", "needed", "why", "what")
    for each in found if arguments.all else affected:
        state = f"{each.installed}{' (affected)' if each.affected else ''}"
        table.add_row(each.package, state, f">= {each.needed}", each.why, each.what)
    if table.row_count:
        Console().print(table)
    print(f"{len(found)} advisories and bounds of installed packages, {len(affected)} affected")
    if affected:
        names = " ".join(sorted({f"'{each.package}>={each.needed}'" for each in affected}))
        print(f"pip install {names}")
    return int(bool(affected))
