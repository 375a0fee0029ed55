"""What an artifact keeps of an object: its class's name and its fields, as plain values without code."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self, TypeVar

from headway.types import ConfigError

_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class Specified:
    """A frozen dataclass that can be written as JSON and built again from it.

    `_target_` means in a spec what it means in the yaml, but here it is only compared with the names of
    classes that are already imported: reading an artifact never imports anything.
    """

    def to_spec(self) -> dict[str, object]:
        """Return the class's dotted name and the fields, as values that JSON knows."""
        return {
            "_target_": _dotted(type(self)),
            **{each.name: self._plain(each.name) for each in fields(self)},
        }

    @classmethod
    def from_spec(cls, spec: Mapping[str, object]) -> Self:
        """Build the object that `to_spec` described.

        Args:
            spec: What `to_spec` returned, perhaps read back from JSON.

        Returns:
            An object of this class or of one derived from it.

        Raises:
            ConfigError: `_target_` is no imported class of this family, or the fields aren't those of it.
        """
        kinds = {_dotted(each): each for each in _concrete(cls)}
        target = str(spec.get("_target_"))
        if target not in kinds:
            near = difflib.get_close_matches(target, kinds, n=1, cutoff=0)
            raise ConfigError(
                f"`_target_` must be one of {', '.join(sorted(kinds))}, got {target}; "
                f"import the module that defines it first, or use the nearest, {near[0]}"
            )
        values = {name: value for name, value in spec.items() if name != "_target_"}
        known = {each.name for each in fields(kinds[target])}
        if values.keys() != known:
            raise ConfigError(
                f"the fields of `{target}` must be {sorted(known)}, got {sorted(values)}; "
                f"write the artifact again with this version of headway"
            )
        return kinds[target](**values)

    def _plain(self, name: str) -> object:
        value = getattr(self, name)
        return list(value) if isinstance(value, tuple) else value


def _dotted(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _concrete(kind: type[_Kind]) -> list[type[_Kind]]:
    below = [found for each in kind.__subclasses__() for found in _concrete(each)]
    return below if inspect.isabstract(kind) else [kind, *below]
