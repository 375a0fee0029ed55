"""From the data node of the config to encoded splits with their answers: reads, checks, encodes once."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from headway.data.cache_key import cache_key, hash_examples
from headway.data.checks import check_splits
from headway.data.encoding import EncodingSpec, encode, validate
from headway.data.lengths import LengthReport, cut_line, length_report, refuse_truncation
from headway.data.loss_labels import count_labels, loss_labels
from headway.data.loss_weights import LossWeighting, too_many, windows_each
from headway.data.pieces import Tokenization, prepare
from headway.data.roles import Roles, check_label_columns
from headway.data.store import Encoded, cached
from headway.data.tables import SplitRules, examples_of, read_splits, read_table
from headway.types import ConfigError, DataError, Gold

if TYPE_CHECKING:
    import numpy as np
    from transformers import PreTrainedTokenizerBase

    from headway.data.sources.source import Source
    from headway.data.table import Table
    from headway.data.targets import Target

    AnyTokenizer = PreTrainedTokenizerBase | Tokenization

log = logging.getLogger(__name__)


class TextData:
    """The rows of a data set, encoded for one backbone.

    The keys are those of conf/data; see conf/data/default.yaml for their units and defaults.

    Args:
        name: Names the data set in reports and folders.
        source: Reads rows by what stands at train, validation and test.
        train: What the source reads for training: a path, a split or a member of a package.
        validation: Likewise; None: cut from train.
        test: Likewise; None: there is none, or it is cut from train by test_ratio.
        validation_ratio: Share of train that is cut off for validation, in (0, 1); None beside a validation.
        test_ratio: Share of train that is cut off for test, in (0, 1), or None.
        split_seed: Of what is cut; apart from data_seed, so that seeds share their splits.
        id: Column of unique names, or None.
        text: Column of text.
        text_pair: Column of the second text.
        tokens: Column of words, instead of text.
        label: Column of one class.
        labels: 0/1 columns, or one column of delimited names.
        label_delimiter: What parts the names.
        score: Column of numbers.
        tags: Column of one tag a word.
        scheme: How tags write spans: IOB1, IOB2, BIOES; None for tags that name none.
        label_names: The labels in order; None: learned from train, sorted, and frozen.
        replace: {column: {old: new}}.
        on_empty: "error" or "drop", for rows without text.
        drop_unlabelled: Whether rows without an answer are dropped.
        drop_duplicates_of: Column, as it came, by which train rows that stand in another split are dropped.
        max_length: Tokens of a window at most, special tokens included.
        truncation: "longest_first", "only_first", "only_second" or "windows".
        overlap: Tokens that neighbouring windows share.
        on_truncate: "warn" or "error".
        train_windows: Windows of a document in an epoch of training: "all", or how many, drawn anew each.
        loss_weight: What counts the same in the training loss: each right answer ("label"), "document" or
            "window"; see `headway.data.loss_weights`.
        subword_labels: "first" or "all".
        eval_batch_size: Windows a batch in validation, test and prediction.
        num_workers: Processes that make batches; 0: none beside the main one.
        cache_dir: Where encoded splits are kept.
        target: How answers become numbers.

    Raises:
        ConfigError: A value, or a combination of them, is wrong.
    """

    def __init__(
        self,
        *,
        name: str,
        source: Source,
        train: str,
        validation: str | None,
        test: str | None,
        validation_ratio: float | None,
        test_ratio: float | None,
        split_seed: int,
        id: str | int | None,
        text: str | int | None,
        text_pair: str | int | None,
        tokens: str | int | None,
        label: str | int | None,
        labels: str | int | Sequence[str | int] | None,
        label_delimiter: str | None,
        score: str | int | None,
        tags: str | int | None,
        scheme: str | None,
        label_names: Sequence[str] | None,
        replace: Mapping[str, Mapping[str, str | None]],
        on_empty: str,
        drop_unlabelled: bool,
        drop_duplicates_of: str | None,
        max_length: int,
        truncation: str,
        overlap: int,
        on_truncate: str,
        train_windows: str | int,
        loss_weight: str,
        subword_labels: str,
        eval_batch_size: int,
        num_workers: int,
        cache_dir: str,
        target: Target,
    ) -> None:
        self.name = name
        self.source = source
        self.roles = Roles(id, text, text_pair, tokens, label, labels, label_delimiter, score, tags, scheme)
        self.roles.validate(target=target.role, replace=replace, on_empty=on_empty)
        self.rules = SplitRules(
            train, validation, test, validation_ratio, test_ratio, replace, on_empty, drop_unlabelled,
            drop_duplicates_of, split_seed,
        )  # fmt: skip
        self.spec = EncodingSpec(max_length, truncation, overlap, subword_labels, token_type_ids=False)
        self._check(on_truncate=on_truncate, eval_batch_size=eval_batch_size, num_workers=num_workers)
        self.on_truncate = on_truncate
        self.windows_each = windows_each(train_windows, truncation=truncation)
        self.loss_weight = LossWeighting(loss_weight).by
        self.eval_batch_size = eval_batch_size
        self.num_workers = num_workers
        self.cache_dir = Path(cache_dir) / "encoded"
        self.target = target
        self._declared = label_names
        self.label_names: tuple[str, ...] = ()
        self.tables: dict[str, Table] = {}
        self.gold: dict[str, Gold] = {}
        self.encoded: dict[str, Encoded] = {}
        self.encoded_keys: dict[str, str] = {}  # what each was cached under: a hash of all that decides it
        self.reports: dict[str, LengthReport] = {}

    @staticmethod
    def _check(*, on_truncate: str, eval_batch_size: int, num_workers: int) -> None:
        if on_truncate not in ("warn", "error"):
            raise ConfigError(f"`data.on_truncate` must be warn or error, got {on_truncate!r}")
        if eval_batch_size < 1:
            raise ConfigError(f"`data.eval_batch_size` must be >= 1 windows, got {eval_batch_size}")
        if num_workers < 0:
            raise ConfigError(f"`data.num_workers` must be >= 0 processes, got {num_workers}")

    def read(self) -> None:
        """Read and check all splits, and learn the labels from train.

        Raises:
            DataError: A row, a column or a split is wrong.
        """
        self.tables = read_splits(self.source, self.roles, self.rules)
        declared = self._declared or self.roles.label_columns
        self.label_names = self.target.learn(self.tables["train"], label_names=declared)
        self.gold = {name: self.target.encode(table, self.label_names) for name, table in self.tables.items()}
        for finding in check_splits(self.tables, role=self.roles.target, label_names=self.label_names):
            if finding.level == "error":
                raise DataError(finding.message)
            log.warning("warning: %s", finding.message)

    def read_one(self, split: str, label_names: Sequence[str]) -> None:
        """Read one split alone, with labels that are known already.

        Args:
            split: "train", "validation" or "test".
            label_names: The labels in order.

        Raises:
            ConfigError: The data node names no such split.
            DataError: A row or column is wrong, or holds a label that isn't known.
        """
        spec = getattr(self.rules, split)
        cut_off = {"validation": True, "test": self.rules.test_ratio is not None}.get(split, False)
        if spec is None and not cut_off:
            raise ConfigError(f"`data.{split}` must be given to score that split, got null; set data.{split}")
        self.label_names = tuple(label_names)
        check_label_columns(self.roles.label_columns, self.label_names)
        if spec is None or split == "train":
            self.tables = {split: read_splits(self.source, self.roles, self.rules)[split]}
        else:
            table = read_table(self.source, spec, self.roles, self.rules, require_target=True)
            self.tables = {split: table}
        self.gold = {split: self.target.encode(self.tables[split], self.label_names)}

    def encode(self, tokenizer: AnyTokenizer, *, token_type_ids: bool, model_limit: int | None) -> None:
        """Encode what was read, or take it from the cache, and say what was cut off.

        Args:
            tokenizer: The backbone's, or what `prepare` made of it.
            token_type_ids: Whether the model's forward takes them.
            model_limit: Positions the model has, in tokens.

        Raises:
            ConfigError: data.max_length or data.overlap doesn't fit, or something was cut off with
                on_truncate=error.
        """
        spec = self.spec = EncodingSpec(**{**vars(self.spec), "token_type_ids": token_type_ids})
        tokenization = tokenizer if isinstance(tokenizer, Tokenization) else prepare(tokenizer)
        pair = self.roles.text_pair is not None
        validate(spec, tokenization.template, pair=pair, model_limit=model_limit)
        log.info("%s", cut_line(spec, tokenization.template, pair=pair))
        for name, table in self.tables.items():
            examples = examples_of(table)
            key = self.encoded_keys[name] = cache_key(tokenization, spec, data_hash=hash_examples(examples))
            build = partial(encode, tokenization, examples, spec, where=table.where)
            self.encoded[name] = cached(key, build, cache_dir=self.cache_dir)
            self._report(name)

    def _report(self, split: str) -> None:
        gold, names = self.gold[split], self.label_names
        report = length_report(split, self.encoded[split], gold=gold, label_names=names)
        self.reports[split] = report
        for line in report.lines():
            log.info("%s", line)
        for message in too_many(self.windows_each, report.most_windows) if split == "train" else ():
            log.warning("warning: %s", message)
        if self.on_truncate == "error":
            refuse_truncation(report, self.spec)

    def labels(self, split: str) -> np.ndarray:
        """Return what the loss compares with.

        Args:
            split: "train", "validation" or "test"; encoded already.

        Returns:
            As `headway.data.loss_labels.loss_labels`.
        """
        return loss_labels(
            self.gold[split],
            self.encoded[split],
            label_names=self.label_names,
            subword_labels=self.spec.subword_labels,
        )

    @property
    def class_counts(self) -> list[int] | tuple[list[int], int] | None:
        """How often train has each label; as `headway.data.loss_labels.count_labels`."""
        return count_labels(self.gold["train"], self.label_names)
