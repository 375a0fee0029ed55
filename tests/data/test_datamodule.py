"""Loaders: weights of documents and tokens, steps that Lightning really takes, shares of processes."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from math import ceil

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from headway.data.batching import GroupedBatches, RandomBatches, TokenBatches
from headway.data.datamodule import DataModule
from headway.data.encoding import EncodingSpec, encode
from headway.data.loss_labels import loss_labels
from headway.data.targets import ClassTarget, TagTarget
from headway.types import Gold


@dataclass
class Data:
    """What DataModule asks of TextData."""

    encoded: dict
    gold: dict
    target: object
    eval_batch_size: int = 3
    num_workers: int = 0
    windows_each: int | None = None
    loss_weight: str = "label"
    names: tuple = ("a", "b")
    asked: list = field(default_factory=list)

    def labels(self, split):
        return loss_labels(
            self.gold[split], self.encoded[split], label_names=self.names, subword_labels="first"
        )


def _documents(tokenizer, counts, *, max_length=8):
    """Documents of so many words, cut into windows."""
    spec = EncodingSpec(max_length, "windows", 0, "first", token_type_ids=False)
    return encode(tokenizer, {"text": [" ".join(["the"] * count) for count in counts]}, spec)


@pytest.fixture
def classes(wordpiece_tokenizer):
    def make(counts, **changes):
        encoded = _documents(wordpiece_tokenizer, counts)
        gold = Gold(np.arange(len(counts)) % 2)
        splits = ("train", "validation", "test")
        return Data(dict.fromkeys(splits, encoded), dict.fromkeys(splits, gold), ClassTarget(), **changes)

    return make


def _module(data, *, size=4, drop_last=False, batching=None, **changes):
    batching = batching or RandomBatches(batch_size=size, drop_last=drop_last)
    return DataModule(data, batching=batching, **{"data_seed": 5, "accumulate": 1, **changes})


def test_windows_of_a_document_share_its_weight(classes):
    data = classes([2, 20, 6, 9])  # 6 words fill a window
    batches = list(_module(data, size=100).train_dataloader())
    (batch,) = batches
    assert data.encoded["train"].windows_per_document.tolist() == [1, 4, 1, 2]
    weights = {}
    for document, weight in zip(batch.documents.tolist(), batch.weights.tolist(), strict=True):
        weights.setdefault(document, []).append(weight)
    assert weights == {0: [1.0], 1: [0.25] * 4, 2: [1.0], 3: [0.5] * 2}
    assert batch.normalizer == pytest.approx(4.0)


def test_a_step_of_tokens_weighs_its_labelled_tokens(wordpiece_tokenizer):
    documents = [["championship"] * count for count in (1, 3, 2, 5)]  # several pieces a word, one labelled
    spec = EncodingSpec(64, "longest_first", 0, "first", token_type_ids=False)
    encoded = encode(wordpiece_tokenizer, {"tokens": documents}, spec)
    gold = Gold(np.zeros(11, int), np.array([0, 1, 4, 6, 11]))
    data = Data({"train": encoded}, {"train": gold}, TagTarget())
    batches = list(_module(data, size=1, accumulate=3).train_dataloader())
    labelled = [int((batch.labels >= 0).sum()) for batch in batches]
    assert sorted(labelled) == [1, 2, 3, 5]
    assert [batch.normalizer for batch in batches] == [sum(labelled[:3])] * 3 + [labelled[3]]
    for batch in batches:
        assert batch.weights.tolist() == (batch.labels >= 0).float().tolist()


def test_drawn_windows_change_from_epoch_to_epoch_and_share_their_documents_weight(classes):
    module = _module(classes([2, 30, 30, 9], windows_each=2), size=100)
    plans = [module.train_plan(epoch) for epoch in range(4)]
    assert len({tuple(sorted(plan.windows.tolist())) for (plan,) in plans}) > 1
    (batch,) = list(module.train_dataloader())
    shares = np.bincount(batch.documents, weights=batch.weights)
    assert shares == pytest.approx([1, 1, 1, 1])
    assert batch.normalizer == pytest.approx(4.0)
    assert module.steps_before(3) == 3


def test_evaluation_gives_every_window_once_without_labels(classes):
    module = _module(classes([3, 14, 1, 9, 4]))
    for loader in (module.val_dataloader(), module.test_dataloader(), module.eval_dataloader("train")):
        batches = list(loader)
        windows = [window for batch in batches for window in batch.windows.tolist()]
        assert sorted(windows) == list(range(8))
        assert {batch.labels for batch in batches} == {None}
        assert max(len(batch.lengths) for batch in batches) == 3


def test_training_needs_a_train_split(classes):
    data = classes([1, 2])
    del data.encoded["train"]
    with pytest.raises(RuntimeError, match="encode before train_dataloader"):
        _module(data).train_dataloader()


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_steps_are_the_same_for_every_process_and_end_at_max_steps(classes, processes):
    module = _module(classes([1] * 31), size=2, accumulate=3, max_steps=7)
    total = module.steps_before(5, num_processes=processes)
    assert total == 7
    for rank in range(processes):
        plans = [module.train_plan(epoch, rank=rank, num_processes=processes) for epoch in range(5)]
        assert sum(ceil(len(plan) / 3) for plan in plans) == total


def test_steps_of_one_number_of_processes_are_not_taken_for_anothers(classes):
    module = _module(classes([1] * 32), size=4)
    assert module.steps_before(2, num_processes=1) == 16
    assert module.steps_before(2, num_processes=2) == 8
    assert module.steps_before(2, num_processes=1) == 16


class Counter(pl.LightningModule):
    """Counts what Lightning does; trains one number."""

    def __init__(self):
        super().__init__()
        self.number = torch.nn.Parameter(torch.zeros(()))
        self.seen, self.validated, self.steps_at_validation = [], 0, []

    def on_train_epoch_start(self):
        self.seen.append([])

    def training_step(self, batch, batch_idx):
        self.seen[-1] += batch.windows.tolist()
        return self.number * 1.0

    def validation_step(self, batch, batch_idx):
        pass

    def on_validation_epoch_end(self):
        self.steps_at_validation.append(self.global_step)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def _fit(module, *, epochs, accumulate, max_steps=-1):
    """Train as headway.assembly.build_trainer's Trainer does."""
    counter = Counter()
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        max_steps=max_steps,
        accumulate_grad_batches=accumulate,
        num_sanity_val_steps=0,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(counter, datamodule=module)
    return counter, trainer.global_step


quiet = pytest.mark.filterwarnings("ignore:.*does not have many workers.*", "ignore:.*LeafSpec.*")


@quiet
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30))
def test_total_steps_are_those_that_lightning_takes(classes, seed):
    draw = random.Random(seed)
    size, drop_last = draw.randint(1, 5), draw.random() < 0.5
    batching = draw.choice(
        [
            RandomBatches(batch_size=size, drop_last=drop_last),
            GroupedBatches(batch_size=size, drop_last=drop_last, pool=draw.randint(1, 3)),
            TokenBatches(max_tokens=draw.randint(8, 40)),
        ]
    )
    accumulate, epochs = draw.randint(1, 5), draw.randint(1, 4)
    max_steps = draw.choice([-1, draw.randint(1, 12)])
    module = _module(
        classes([draw.randint(1, 20) for _ in range(draw.randint(2, 25))]),
        batching=batching,
        accumulate=accumulate,
        limit_train_batches=draw.choice([1.0, round(draw.uniform(0.01, 1), 2), draw.randint(1, 9)]),
        max_steps=max_steps,
    )
    expected = module.steps_before(epochs)
    counter, taken = _fit(module, epochs=epochs, accumulate=accumulate, max_steps=max_steps)
    assert taken == expected > 0
    # Each epoch that trained was validated, the one that max_steps ended among them.
    ends = [module.steps_before(epoch + 1) for epoch in range(len(counter.seen))]
    assert counter.steps_at_validation == ends
    for epoch, seen in enumerate(counter.seen):
        planned = [window for plan in module.train_plan(epoch) for window in plan.windows.tolist()]
        assert seen == planned


@quiet
def test_an_epoch_that_max_steps_ends_in_the_middle_is_validated(classes):
    module = _module(classes([1] * 20), size=2, max_steps=14)
    counter, taken = _fit(module, epochs=3, accumulate=1, max_steps=14)
    assert taken == 14
    assert counter.steps_at_validation == [10, 14]
    assert [len(seen) for seen in counter.seen] == [20, 8]


@quiet
@pytest.mark.slow
def test_worker_processes_give_the_same_batches(classes):
    counts = [3, 14, 1, 9, 4, 2, 7]
    alone = list(_module(classes(counts), size=2).train_dataloader())
    workers = list(_module(classes(counts, num_workers=2), size=2).train_dataloader())
    assert [batch.input_ids.tolist() for batch in workers] == [batch.input_ids.tolist() for batch in alone]
    assert [batch.normalizer for batch in workers] == [batch.normalizer for batch in alone]
