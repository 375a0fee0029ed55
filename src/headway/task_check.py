"""Whether the parts of a task belong together, told before data are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.config.build import constructor_early, is_slow, resolve
from headway.types import UnfitError

PARTS = ("loss", "decoding", "metrics")


def check_task(cfg: Mapping[str, Any], *, role: str, early: bool = False) -> None:
    """Refuse parts that were made for another kind of answer.

    A class says in `roles` which kinds it takes; one that says nothing (a user's own) takes what it is given.

    Args:
        cfg: The resolved config.
        role: What the task learns: label, labels, score or tags.
        early: Whether to import nothing that takes seconds; a class of the user's own is then let pass.

    Raises:
        UnfitError: A part takes other answers, or IOB1 tags are read by document.
    """
    for part in PARTS:
        name, roles = _roles(cfg["task"][part]["_target_"], key=f"task.{part}", early=early)
        if roles is not None and role not in roles:
            raise UnfitError(
                f"`task.{part}` must be one for data.{role}, got {name}, which takes "
                f"{' or '.join(f'data.{name}' for name in sorted(roles))}; leave it to the task's own, "
                f"or choose another task/{part}"
            )
    data = cfg["data"]
    if data["scheme"] == "IOB1" and data["source"].get("by_document"):
        raise UnfitError(
            "`data.source.by_document` must be false with data.scheme=IOB1, where the first I- of a sentence "
            "begins a span, which can't be seen once sentences stand end to end; read sentences, or "
            "write the tags in IOB2"
        )


def _roles(target: Any, *, key: str, early: bool) -> tuple[str, Any]:
    """Return a class's name, and the kinds of answers that it takes or None."""
    if early and is_slow(target):
        constructor = constructor_early(target, key=key)
        roles = None if constructor is None else constructor.constants.get("roles")
        return str(target).rpartition(".")[2], roles
    found = resolve(target, key=key)
    return found.__name__, getattr(found, "roles", None)
