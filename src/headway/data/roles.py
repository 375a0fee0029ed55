"""Which column plays which part: the words of the data node that every source understands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headway.data.tag_schemes import SCHEMES
from headway.types import ConfigError

TARGETS = ("label", "labels", "score", "tags")
_INPUTS = ("text", "text_pair", "tokens")
ON_EMPTY = ("error", "drop")


@dataclass(frozen=True)
class Roles:
    """The column roles of the data node, as they stand in the config.

    A role is a column's name, its number where the file has no header (conll; csv with header: false), or
    None for none.

    Attributes:
        id: Column of unique names of the rows; None: each row is named after its line or file.
        text: Column of text.
        text_pair: Column of the second text of a pair.
        tokens: Column of words, instead of `text`: lists, or text in which blanks part the words.
        label: Column with one class a row.
        labels: Several columns of 0 and 1 named after the labels, or one column of lists or delimited names.
        label_delimiter: What parts the names in one delimited column of `labels`.
        score: Column of numbers.
        tags: Column with one tag a word: lists, or text in which blanks part the tags.
        scheme: How `tags` write spans (IOB1, IOB2, BIOES); None for tags that name no spans.
    """

    id: str | int | None = None
    text: str | int | None = None
    text_pair: str | int | None = None
    tokens: str | int | None = None
    label: str | int | None = None
    labels: str | int | Sequence[str | int] | None = None
    label_delimiter: str | None = ","
    score: str | int | None = None
    tags: str | int | None = None
    scheme: str | None = None

    @property
    def target(self) -> str:
        """The role that holds the answers: label, labels, score or tags."""
        return next(role for role in TARGETS if getattr(self, role) is not None)

    @property
    def label_columns(self) -> tuple[str, ...] | None:
        """The columns of 0 and 1, whose names are the labels; None unless `labels` is a list."""
        delimited = self.labels is None or isinstance(self.labels, str | int)
        return None if delimited else self.columns_of("labels")

    def columns_of(self, role: str) -> tuple[str, ...]:
        """Return the names of the columns that play a role, numbers written out; () for none.

        Args:
            role: An attribute of this class that names columns.
        """
        value = getattr(self, role)
        if value is None:
            return ()
        return (as_text(value),) if isinstance(value, str | int) else tuple(as_text(name) for name in value)

    def validate(
        self,
        *,
        target: str | None = None,
        replace: Mapping[str, Mapping[str, str | None]] | None = None,
        on_empty: str = "error",
    ) -> None:
        """Check everything about the roles that needs no data; run it before any are read.

        Args:
            target: The role that the task learns from, if a task is chosen.
            replace: data.replace.
            on_empty: data.on_empty.

        Raises:
            ConfigError: Roles are missing, exclude one another, name one column twice or do not fit the task.
        """
        self._check_types()
        self._check_inputs()
        self._check_target(target)
        named = Counter(name for role in ("id", *_INPUTS, *TARGETS) for name in self.columns_of(role))
        twice = [name for name, count in named.items() if count > 1]
        if twice:
            raise ConfigError(
                f"`data` must give each column one role, got {twice[0]!r} more than once; name another column"
            )
        for column in replace or {}:
            if as_text(column) not in named:
                raise ConfigError(
                    f"`data.replace` must name columns that have a role ({', '.join(named)}), got {column!r}"
                    "; correct the name or remove it"
                )
        if on_empty not in ON_EMPTY:
            raise ConfigError(f"`data.on_empty` must be error or drop, got {on_empty!r}; choose one")

    def _check_types(self) -> None:
        for role in ("id", *_INPUTS, *TARGETS):
            value = getattr(self, role)
            several = role == "labels" and isinstance(value, Sequence) and not isinstance(value, str)
            if several and not value:
                raise ConfigError("`data.labels` must name at least one column, got []; list the 0/1 columns")
            for name in value if several else [value]:
                number = isinstance(name, int) and not isinstance(name, bool) and name >= 0
                if name is not None and not number and not (isinstance(name, str) and name.strip()):
                    raise ConfigError(
                        f"`data.{role}` must be a column's name, its number from 0, or null, got {name!r}; "
                        "name a column"
                    )

    def _check_inputs(self) -> None:
        if self.text is None and self.tokens is None:
            raise ConfigError(
                "`data.text` or `data.tokens` must name a column, got null for both; set data.text=<column>"
            )
        if self.text is not None and self.tokens is not None:
            raise ConfigError(
                f"only one of `data.text` and `data.tokens` must be set, got {self.text!r} and "
                f"{self.tokens!r}; set data.text=null to read words, data.tokens=null to read text"
            )
        if self.text_pair is not None and self.text is None:
            raise ConfigError(
                f"`data.text_pair` must stand beside data.text, got {self.text_pair!r} beside data.tokens; "
                "set data.text_pair=null"
            )

    def _check_target(self, wanted: str | None) -> None:
        keys = ", ".join(f"data.{role}" for role in TARGETS)
        given = {role: getattr(self, role) for role in TARGETS if getattr(self, role) is not None}
        came = ", ".join(f"data.{role}={value!r}" for role, value in given.items()) or "none"
        if len(given) != 1:
            raise ConfigError(
                f"exactly one of {keys} must be set, got {came}; set one and leave the others null"
            )
        if wanted is not None and wanted != self.target:
            raise ConfigError(
                f"`data.{wanted}` must be set for this task, got {came}; set data.{wanted}=<column> and "
                f"data.{self.target}=null, or choose the task that reads data.{self.target}"
            )
        if self.target == "tags" and self.tokens is None:
            raise ConfigError(
                f"`data.tokens` must name the column of words that data.tags={self.tags!r} belong to, got "
                "null; set data.tokens=<column> and data.text=null"
            )
        if self.scheme is not None and (self.target != "tags" or self.scheme not in SCHEMES):
            raise ConfigError(
                f"`data.scheme` must be {', '.join(SCHEMES)} for data.tags that name spans and null "
                f"otherwise, got {self.scheme!r} with {came}; set one of these"
            )
        if self.target == "labels" and self.label_columns is None and not self.label_delimiter:
            raise ConfigError(
                f"`data.label_delimiter` must be text, got {self.label_delimiter!r}; "
                "set what parts the labels"
            )


def check_label_columns(given: Sequence[str] | None, known: Sequence[str]) -> None:
    """Check that 0/1 columns are those that a model knows, so that none counts as absent unseen.

    Args:
        given: The columns of data.labels; None where one column holds delimited names.
        known: The model's labels.

    Raises:
        ConfigError: Some are missing or others are named.
    """
    if given is not None and set(given) != set(known):
        missing = [name for name in known if name not in given]
        other = [name for name in given if name not in known]
        raise ConfigError(
            f"`data.labels` must name the model's labels, {list(known)}, got {list(given)} "
            f"(missing: {missing}, unknown: {other}); name a column for each, or one of delimited names"
        )


def as_text(value: object) -> str:
    """Return a value of yaml as files write it: true and 1 in yaml are the texts "true" and "1"."""
    return str(value).lower() if isinstance(value, bool) else str(value)
