"""Says what a config that does not compose lacks, in headway's form, with the nearest key or option.

Hydra's and OmegaConf's errors say in several lines what went wrong inside them. Each rule here knows one of
them and returns headway's message, or None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

from hydra.errors import MissingConfigException, OverrideParseException, SearchPathException
from omegaconf.errors import InterpolationKeyError, InterpolationResolutionError
from yaml import MarkedYAMLError

from headway.cli.known import group_options, groups, keys
from headway.config.schema import RunConfig
from headway.config.search_path import EXPERIMENTS_VARIABLE, experiments_dir
from headway.config.value_types import describe
from headway.types import ConfigError, nearest


@dataclass(frozen=True)
class _Raised:
    """What a rule looks at: the error, its text with its cause's, and the command line's words."""

    error: Exception
    text: str
    words: Sequence[str]


_Rule = Callable[[_Raised], str | None]


def composition_error(error: Exception, words: Sequence[str] = ()) -> ConfigError:
    """Return Hydra's or OmegaConf's error in headway's form.

    Args:
        error: What composing raised.
        words: The command line's words, which tell the options that were chosen.

    Returns:
        One message: the key, what is allowed, what came, the nearest name, and what to do.
    """
    text = str(error).strip()
    if error.__cause__ is not None and str(error.__cause__).strip() not in text:
        text = f"{text}\n{str(error.__cause__).strip()}"
    raised = _Raised(error, text, words)
    messages = (rule(raised) for rule in _RULES)
    found = next((message for message in messages if message is not None), None)
    return ConfigError(one_line(text) if found is None else found)


def one_line(text: str) -> str:
    """Return the lines of a message of Hydra's that tell something, as one."""
    text = text.partition("Config search path:")[0].partition("See https://hydra.cc")[0]
    lines = [line.strip() for line in text.splitlines()]
    kept = [line for line in lines if line and not line.startswith(("object_type=", "reference_type="))]
    return " ".join(kept)


def _unreadable(raised: _Raised) -> str | None:
    if not isinstance(raised.error, OverrideParseException):
        return None
    key, equals, _ = raised.error.override.partition("=")
    if not equals:
        return f"`{key}` must be written key=value, got {raised.error.override!r}; write {key}=<value>"
    return (
        f"`{key}` must be a value that Hydra can read, got {raised.error.override!r}; close what is open, "
        f"and put a value with blanks or any of ,:=(){{}}[]$ into quotes for Hydra and for the shell: "
        f"{key}='\"...\"'"
    )


def _not_yaml(raised: _Raised) -> str | None:
    error = raised.error
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return None
    mark = error.problem_mark
    return f"{mark.name}, line {mark.line + 1}: must be YAML, got something else: {error.problem}; correct it"


def _no_folder(raised: _Raised) -> str | None:
    if not isinstance(raised.error, SearchPathException):
        return None
    return f"`--config-dir` must be a folder: {one_line(raised.text)}; correct the path"


def _unknown_option(raised: _Raised) -> str | None:
    if not isinstance(raised.error, MissingConfigException) or raised.error.missing_cfg_file is None:
        return None
    path = str(raised.error.missing_cfg_file)
    listed = re.search(r"Available options in '([^']+)'", raised.text)
    group = listed.group(1) if listed else path.rpartition("/")[0]
    name = path.removeprefix(group + "/")
    if not group or "Cannot find primary config" in raised.text:
        return f"`--config-name` must be a config that is there, got {path!r}; leave it out for headway's own"
    parent = re.match(r"In '([^']+)'", raised.text)
    by_file = parent is not None and f"{group}={name}" not in raised.words
    by = f" in {parent.group(1)}" if parent is not None and by_file else ""
    options = group_options(group)
    return (
        f"`{group}` must be one of {options}, got {name!r}{by}{nearest(name, options)}; choose one of these"
    )


def _unknown_key(raised: _Raised) -> str | None:
    found = re.search(r"Could not override '([^']+)'", raised.text)
    if found is None:
        return None
    key = found.group(1)
    if key == "experiment":
        where = experiments_dir()
        looked = "there is no folder `experiments` here" if where is None else f"{where} has no experiment/"
        return (
            f"`experiment` must be the name of a file under experiments/experiment/, but {looked}; run where "
            f"it is, or set ${EXPERIMENTS_VARIABLE}"
        )
    if "/" in key or "@" in key:
        known = groups()
        return f"`{key}` is not a group of the config{nearest(key, known)}; there are {known}"
    prefix, _, name = key.rpartition(".")
    known = keys(prefix, raised.words)
    if not known:
        return f"`{key}` is not a key of the config: `{prefix}` has none; set {prefix} itself"
    close = nearest(name, known if prefix else [*known, *groups()])
    under = f"under `{prefix}`" if prefix else "at the top"
    return f"`{key}` is not a key of the config{close}; {under} there are {known}"


def _unknown_key_in_file(raised: _Raised) -> str | None:
    found = re.search(r"In '([^']+)'.*Key '([^']+)' not in 'RunConfig'", raised.text, re.DOTALL)
    if found is None:
        return None
    known = keys("", raised.words)
    return (
        f"`{found.group(2)}` (in {found.group(1)}) is not a key of the "
        f"config{nearest(found.group(2), known)}; at the top there are {known}"
    )


def _wrong_type(raised: _Raised) -> str | None:
    where = re.search(r"Error merging override (?P<word>.+)|In '(?P<file>[^']+)'", raised.text)
    key = re.search(r"full_key: (\S+)", raised.text)
    if where is None or key is None:
        return None
    word, equals, given = (where.group("word") or "").partition("=")
    hints: dict[str, Any] = get_type_hints(RunConfig)
    field = key.group(1).partition("[")[0].partition(".")[0]
    value = re.search(r"Value '(.*?)'(?: of type|$| \()", raised.text)
    came = given if equals else (value and value.group(1))
    if field not in hints or hints[field] is Any:
        return None
    if word.lstrip("+").startswith(f"{field}."):
        return f"`{word}` is not a key of the config: `{field}` has none; set {field} itself"
    by = f" in {where.group('file')}" if where.group("file") else ""
    return (
        f"`{field}` must be {describe(hints[field])}, got {came or 'another type'!r}{by}; correct the value"
    )


def _one_of_several(raised: _Raised) -> str | None:
    found = re.search(r"(?:Ambiguous value for argument|Sweep parameters) '([^=']+)=(.*?)'", raised.text)
    if found is None:
        return None
    key, value = found.groups()
    return (
        f"`{key}` must be one value, got {value}; write '{key}=[{value}]' for a list, or add -m for a run "
        "with each"
    )


def _there_already(raised: _Raised) -> str | None:
    found = re.search(r"Could not append to config\. An item is already at '([^']+)'", raised.text)
    if found is None:
        return None
    key = found.group(1)
    return f"`+{key}` must be a new key, but `{key}` is there already; write {key}=<value> to change it"


def _interpolation(raised: _Raised) -> str | None:
    cause = raised.error if isinstance(raised.error, InterpolationResolutionError) else raised.error.__cause__
    if not isinstance(cause, InterpolationResolutionError):
        return None
    needed = f"`{cause.full_key}`" if cause.full_key else "the config"
    if isinstance(cause, InterpolationKeyError):
        key = str(cause.msg).partition("Interpolation key '")[2].partition("'")[0]
        first, _, _ = key.partition(".")
        top = keys("", raised.words)
        prefix, _, last = key.rpartition(".")
        near = nearest(last, keys(prefix, raised.words)) if first in top else nearest(first, top)
        return f"{needed} must refer to keys that there are, got ${{{key}}}{near}; correct the name"
    return f"{needed} must be resolved, but {one_line(str(cause.msg or cause))}; correct what stands in ${{}}"


def _missing(raised: _Raised) -> str | None:
    found = re.search(r"(?:Missing mandatory value: |You must specify ')([^\s'=]+)", raised.text)
    if found is None:
        return None
    return f"`{found.group(1)}` must be given, got nothing; add {found.group(1)}=<value>"


_RULES: tuple[_Rule, ...] = (
    _unreadable,
    _not_yaml,
    _no_folder,
    _unknown_option,
    _missing,
    _interpolation,
    _unknown_key,
    _unknown_key_in_file,
    _wrong_type,
    _one_of_several,
    _there_already,
)
