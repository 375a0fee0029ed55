"""Row: nothing that is installed, or pinned in constraints.txt, has a known weakness."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from packaging.version import Version

from headway.advisories import Finding, findings
from trust_parts.rows import Case, Row, check

CONSTRAINTS = Path(__file__).resolve().parents[3] / "constraints.txt"


def _cases(*_: object) -> Iterator[Case]:
    pins = dict(
        line.split("==") for line in CONSTRAINTS.read_text().splitlines() if "==" in line and line[0] != "#"
    )
    for each in findings():
        if each.installed is not None:
            yield f"{each.package} {each.why}", _installed(each)
        if each.package in pins:
            yield f"{each.package} {each.why}, pinned", _pinned(each, pins[each.package].split()[0])


def _installed(finding: Finding) -> Callable[[], None]:
    def case() -> None:
        """Compare the installed version."""
        check(not finding.affected, f"{finding.installed} is installed, {finding.needed} is needed")

    return case


def _pinned(finding: Finding, pin: str) -> Callable[[], None]:
    def case() -> None:
        """Compare the pin."""
        check(Version(pin) >= Version(finding.needed), f"{pin} is pinned, {finding.needed} is needed")

    return case


ROW = Row(
    "advisories", "Advisories: nothing installed or pinned is below a fixed version (headway doctor)", _cases
)
