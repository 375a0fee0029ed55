"""Numbers as people read them."""

from __future__ import annotations


def count(number: int, what: str) -> str:
    """Return a count of things, such as "1 error" or "2 errors"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def share(part: float, whole: float) -> str:
    """Return a count with its share, such as "12 (3.4%)"."""
    return f"{part} ({percent(part, whole)})"


def percent(part: float, whole: float) -> str:
    """Return a share, such as "3.4%"; of nothing it is 0, and what is hardly there is not."""
    ratio = part / whole if whole else 0.0
    return "<0.1%" if 0 < ratio < 0.0005 else f"{ratio:.1%}"


def size(count: float) -> str:
    """Return bytes in the largest unit of which there is one, such as "86.6 MB"."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def millions(count: int) -> str:
    """Return a number of parameters, such as "22.6 M" or "387"."""
    return f"{count / 1e6:.1f} M" if count >= 100_000 else str(count)


def duration(seconds: float) -> str:
    """Return seconds as "0.21 s", "12 s", "3 min 5 s" or "2 h 10 min"."""
    if seconds < 10:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
