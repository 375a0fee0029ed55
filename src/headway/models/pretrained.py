"""Reading what transformers saved: errors that name the config's key, and no weights that nobody trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from headway.types import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@contextmanager
def readable(what: str, *, key: str, value: object) -> Iterator[None]:
    """Turn what transformers raises on a missing or foreign model into a message that names the key.

    Args:
        what: That is read, for the message.
        key: Of the config, that says where from.
        value: Of that key.

    Raises:
        ConfigError: Reading failed.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise ConfigError(
            f"`{key}` must name a local folder or a hub model with a {what}, got {value!r} ({reason}); check "
            "the spelling, or where the hub can't be reached name a local folder or choose backbone=minilm"
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from reporting on loaded weights; what it would say, `drop_untrained` checks."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def drop_untrained(model: PreTrainedModel, missing: Iterable[str]) -> None:
    """Remove a pooler that the weights don't hold: better none than a random one that passes for pretrained.

    Args:
        model: As loaded.
        missing: Names of its tensors that the weights lack, which transformers has filled at random.

    Raises:
        ConfigError: Other tensors are missing too.
    """
    names = sorted(missing)
    lacking = [name for name in names if not name.startswith("pooler.")]
    if lacking:
        raise ConfigError(
            f"`backbone` must have weights for all of {type(model).__name__}, got none for {len(lacking)} of "
            f"its tensors ({', '.join(lacking[:3])}, ...); the weights are another model's"
        )
    if names:
        model.register_module("pooler", None)
