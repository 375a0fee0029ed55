"""Schemes that write spans as one tag a word; inside headway there is one, IOB2.

IOB2 gives the first word of every span a B- tag and the others I- tags. IOB1 writes I- throughout and B-
only where a span touches one of its own type (Ramshaw and Marcus 1995); BIOES also marks the last word (E-)
and spans of one word (S-). Pure functions over lists of tags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

OUTSIDE = "O"
_PREFIXES = {"IOB1": "BI", "IOB2": "BI", "BIOES": "BIES"}
SCHEMES = tuple(_PREFIXES)


def to_iob2(tags: Sequence[str], scheme: str) -> list[str]:
    """Return the tags of one example in IOB2.

    Args:
        tags: (num_words,) tags as they came.
        scheme: One of SCHEMES. IOB1 is read as conlleval reads it, in which a B- tag always opens a span, so
            every sequence of O, B- and I- tags has a meaning in it; IOB2 and BIOES are read strictly.

    Returns:
        (num_words,) tags.

    Raises:
        ValueError: A tag does not belong to the scheme or cannot stand where it does; the message gives the
            tag, its 0-based position and the tag before it.
    """
    parts = [_split(tag, position, scheme) for position, tag in enumerate(tags)]
    return _READERS[scheme](parts)


def is_spans(tags: Iterable[str]) -> bool:
    """Return whether tags name spans: each is O or B-<type> or I-<type>, and at least one opens a span."""
    seen = set(tags)
    shaped = all(tag == OUTSIDE or (tag[:2] in ("B-", "I-") and len(tag) > 2) for tag in seen)
    return shaped and bool(seen - {OUTSIDE})


def paired(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the label names that IOB2 tags need: O, then B- and I- of every type, types sorted.

    Both tags of a type are there even when one never occurs: the continuation pieces of a word tagged B- are
    I-, and a longer span may come after training.
    """
    types = sorted({tag[2:] for tag in tags if tag != OUTSIDE})
    return (OUTSIDE, *(f"{prefix}-{name}" for name in types for prefix in "BI"))


def _split(tag: str, position: int, scheme: str) -> tuple[str, str]:
    """Return (prefix, type) of a tag, ("O", "") outside of spans."""
    if tag == OUTSIDE:
        return OUTSIDE, ""
    prefix, dash, name = tag.partition("-")
    if not dash or not name or len(prefix) != 1 or prefix not in _PREFIXES[scheme]:
        allowed = ", ".join(f"{letter}-<type>" for letter in _PREFIXES[scheme])
        raise ValueError(f"'{tag}' at word {position} is no tag of {scheme} (O, {allowed})")
    return prefix, name


def _impossible(parts: Sequence[tuple[str, str]], position: int, scheme: str) -> ValueError:
    """Return the error of a tag that cannot follow the one before it (or end the example)."""

    def written(index: int) -> str:
        """Return a tag as it came, in quotes."""
        prefix, name = parts[index]
        return f"'{prefix}-{name}'" if name else f"'{prefix}'"

    if position == len(parts):
        return ValueError(f"{written(position - 1)} at word {position - 1} leaves a span of {scheme} open")
    before = written(position - 1) if position else "the start"
    return ValueError(f"{written(position)} at word {position} cannot follow {before} in {scheme}")


def _from_iob1(parts: Sequence[tuple[str, str]]) -> list[str]:
    tags, before = [], ""
    for prefix, name in parts:
        opens = prefix == "B" or (prefix == "I" and name != before)
        tags.append(OUTSIDE if prefix == OUTSIDE else f"{'B' if opens else 'I'}-{name}")
        before = name
    return tags


def _from_iob2(parts: Sequence[tuple[str, str]]) -> list[str]:
    tags, before = [], ""
    for position, (prefix, name) in enumerate(parts):
        if prefix == "I" and name != before:
            raise _impossible(parts, position, "IOB2")
        tags.append(f"{prefix}-{name}" if name else OUTSIDE)
        before = name
    return tags


def _from_bioes(parts: Sequence[tuple[str, str]]) -> list[str]:
    tags, unfinished = [], ""  # the type of the span that awaits its E-, if any
    for position, (prefix, name) in enumerate(parts):
        inside = prefix in "IE"
        if (inside and name != unfinished) or (not inside and unfinished):
            raise _impossible(parts, position, "BIOES")
        tags.append(OUTSIDE if prefix == OUTSIDE else f"{'I' if inside else 'B'}-{name}")
        unfinished = name if prefix in "BI" else ""
    if unfinished:
        raise _impossible(parts, len(parts), "BIOES")
    return tags


_READERS: dict[str, Callable[[Sequence[tuple[str, str]]], list[str]]] = {
    "IOB1": _from_iob1,
    "IOB2": _from_iob2,
    "BIOES": _from_bioes,
}
