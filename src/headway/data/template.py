"""Where a tokenizer puts its special tokens: found by encoding and looking, not by the model's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from headway.types import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenizers import Tokenizer

_PROBES = ("a", "the", "1", "x")


class Part(NamedTuple):
    """Special tokens that stand together.

    Attributes:
        ids: Their ids in order.
        type_ids: Their token types, one each.
    """

    ids: tuple[int, ...]
    type_ids: tuple[int, ...]


@dataclass(frozen=True)
class Frame:
    """The special tokens around one text, or around and between two.

    Attributes:
        prefix: Before the text.
        middle: Between the texts of a pair; empty for a single text.
        suffix: At the end.
        first_type: The token type of the first text's pieces.
        second_type: The token type of the second text's pieces.
    """

    prefix: Part
    middle: Part
    suffix: Part
    first_type: int
    second_type: int

    @property
    def num_special(self) -> int:
        """Special tokens in each window."""
        return len(self.prefix.ids) + len(self.middle.ids) + len(self.suffix.ids)


@dataclass(frozen=True)
class Template:
    """The special tokens of every window.

    Attributes:
        single: Around one text.
        pair: Around two texts.
    """

    single: Frame
    pair: Frame

    def frame(self, pair: bool) -> Frame:
        """Return the special tokens for pairs, or for single texts."""
        return self.pair if pair else self.single

    def num_special(self, pair: bool) -> int:
        """Return how many special tokens each window of a pair, or of a single text, has."""
        return self.frame(pair).num_special


def template_of(backend: Tokenizer) -> Template:
    """Return where a tokenizer puts special tokens.

    Args:
        backend: The Rust half of a fast tokenizer, with truncation and padding off.

    Returns:
        The ids and token types that stand before, between and after the texts.

    Raises:
        ConfigError: The tokenizer does not put constant tokens around unchanged texts.
    """
    for probe in _probes(backend):
        content = backend.encode(probe, add_special_tokens=False).ids
        if content:
            single = _frame(backend, probe, None, content=content)
            return Template(single, pair=_frame(backend, probe, probe, content=content))
    raise ConfigError("backbone must have a tokenizer that knows a word, got none; choose another backbone")


def _probes(backend: Tokenizer) -> Iterator[str]:
    yield from _PROBES
    # Toy and non-Latin vocabularies may give nothing for the probes above.
    yield from sorted(backend.get_vocab(with_added_tokens=False))[:1000]


def _frame(backend: Tokenizer, first: str, second: str | None, *, content: list[int]) -> Frame:
    encoding = backend.encode(first, second)
    rows = list(zip(encoding.ids, encoding.type_ids, encoding.sequence_ids, strict=True))
    parts, types, end = [], [], 0
    for number in range(1 if second is None else 2):
        places = [place for place, row in enumerate(rows) if row[2] == number]
        start, stop = (places[0], places[-1] + 1) if places else (0, 0)
        side = rows[start:stop]
        if [row[0] for row in side] != content or start < end or len({row[1] for row in side}) > 1:
            raise ConfigError(
                "backbone must have a tokenizer that puts special tokens around and between unchanged texts, "
                f"got {encoding.tokens} for {first!r} and {second!r}; choose another backbone"
            )
        parts.append(_part(rows[end:start]))
        types.append(side[0][1])
        end = stop
    prefix, middle = (*parts, Part((), ()))[:2]
    return Frame(prefix, middle, _part(rows[end:]), first_type=types[0], second_type=types[-1])


def _part(rows: list[tuple[int, int, int | None]]) -> Part:
    return Part(tuple(row[0] for row in rows), tuple(row[1] for row in rows))
