"""Row: a bad override is refused before a model is loaded, by a line that names its key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from trust_parts.commands import refused
from trust_parts.rows import Case, Row, some
from trust_parts.works import words_of

BAD = (
    # A typo of a key or an option, and the name that is meant.
    ("optimizer.lrr=1e-4", "lr"),
    ("trainer.max_epoch=3", "max_epochs"),
    ("batching.batchsize=8", "batch_size"),
    ("task.head.poolin=cls", "pooling"), ("data.max_lenght=32", "max_length"), ("seeed=1", "seed"),
    ("task=clasification", "classification"), ("optimizer=adamww", "adamw"), ("data=r88", "r8"),
    ("backbone=minilmm", "minilm"), ("batching=radom", "random"), ("schedule=liner", "linear"),
    ("callbacks.checkpoint.save_lst=true", "save_last"), ("score_splits=[validatoin]", "validation"),
    ("task.head.pooling=man", "mean"), ("data.on_truncate=eror", "error"),
    # A value of another type or out of range, and the key.
    ("optimizer.lr=abc", "optimizer.lr"),
    ("optimizer.lr=-1", "optimizer.lr"),
    ("optimizer.lr=nan", "optimizer.lr"),
    ("optimizer.lr=inf", "optimizer.lr"),
    ("optimizer.lr=no", "optimizer.lr"),
    ("optimizer.lr=[1]", "optimizer.lr"),
    ("optimizer.weight_decay=-0.1", "optimizer.weight_decay"), ("trainer.max_epochs=0", "trainer.max_epochs"),
    ("trainer.max_epochs=1.5", "trainer.max_epochs"), ("trainer.max_epochs=true", "trainer.max_epochs"),
    ("trainer.max_steps=0", "trainer.max_steps"),
    ("trainer.accumulate_grad_batches=0", "accumulate_grad_batches"),
    ("trainer.gradient_clip_val=0", "trainer.gradient_clip_val"),
    ("trainer.precision=int8", "trainer.precision"),
    ("trainer.accelerator=abacus", "trainer.accelerator"), ("trainer.devices=-3", "trainer.devices"),
    ("trainer.limit_train_batches=2.5", "trainer.limit_train_batches"),
    ("batching.batch_size=0", "batching.batch_size"),
    ("batching.batch_size=012", "batching.batch_size"), ("data.max_length=1", "data.max_length"),
    ("data.max_length=100000", "data.max_length"), ("data.overlap=40", "data.overlap"),
    ("seed=-1", "seed"), ("seed=4294967296", "seed"), ("num_threads=0", "num_threads"),
    ("task.head.dropout=1.5", "task.head.dropout"), ("backbone.trainable=most", "backbone.trainable"),
    ("keep_features=maybe", "keep_features"), ("name=../up", "name"), ("name=/etc/x", "name"),
    ("task.monitor=f2_macro", "task.monitor"), ("compare_aggregations=5", "compare_aggregations"),
    ("callbacks.checkpoint.every_n_steps=0", "every_n_steps"),
    ("callbacks.checkpoint.every_minutes=-1", "every_minutes"),
    ("backbone.trust_remote_code=true", "trust_remote_code"), ("trainer.fast_dev_run=true", "fast_dev_run"),
    ("+trainer.enable_checkpointing=false", "enable_checkpointing"), ("+nonsense=1", "nonsense"),
    ("data.label=null", "data.label"), ("optimizer.lr=", "optimizer.lr"),
)  # fmt: skip
"""The override, and what the message must name."""


WITH_TOKENIZER = ("data.max_length=1", "data.max_length=100000")
"""What only the tokenizer or the model's own config can tell."""


def _cases(work: Path, share: float) -> Iterator[Case]:
    for word, name in BAD[: some(len(BAD), share)]:
        yield word, _case(work, word, name)


def _case(work: Path, word: str, name: str) -> Callable[[], None]:
    def case() -> None:
        """Refuse the word."""
        # No such model: whoever went on to load it would say so instead.
        there = [] if word in WITH_TOKENIZER else ["backbone.name=nowhere"]
        words = [
            each for each in words_of("single", work) if not (there and each.startswith("backbone.name="))
        ]
        refused(["train", *words, *there, word], work, name)

    return case


ROW = Row(
    "overrides",
    "Bad overrides are refused before a model is loaded; a typo is told the key that is meant",
    _cases,
)
