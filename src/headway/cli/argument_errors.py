"""Says what is wrong where Hydra raises a plain ValueError or OSError for a user's mistake."""

from __future__ import annotations

from collections.abc import Sequence

from headway.cli.known import group_options, groups
from headway.cli.suggestions import one_line
from headway.config.schema import RunConfig
from headway.types import ConfigError


def argument_error(error: Exception, words: Sequence[str]) -> ConfigError | None:
    """Return a ValueError or OSError that Hydra raises for a user's mistake in headway's form.

    Args:
        error: What was raised before a job began.
        words: The command line's words.

    Returns:
        None if it is none of those that are known to be a user's mistake: a bug.
    """
    if isinstance(error, OSError):
        named = [key for key in ("hydra.run.dir", "hydra.sweep.dir") if any(key in word for word in words)]
        key = named[0] if named else "output_dir"
        return ConfigError(
            f"`{key}` must be a folder in which a run can be made, got {error.filename!r} "
            f"({error.strerror}); set {key}=<folder>"
        )
    text = str(error)
    if text.startswith(("Config group override must be", "Config group override deletion value must be")):
        return ConfigError(_no_option(words))
    if "can be specified" in text or "can only be used in conjunction" in text or "subcommand" in text:
        return ConfigError(f"the options must go together, got {' '.join(words)!r}: {one_line(text)}")
    return None


def _no_option(words: Sequence[str]) -> str:
    named = groups()
    for word in words:
        group, _, value = word.lstrip("+~").partition("=")
        if group in named:
            # What the schema sets to null may be left out.
            none = f", or ~{group} for none" if getattr(RunConfig, group, "") is None else ""
            options = group_options(group)
            return f"`{group}` must be one of {options}, got {value!r}; choose one of these{none}"
    return f"a word must be key=value, got {' '.join(words)!r}; headway train --help lists groups and keys"
