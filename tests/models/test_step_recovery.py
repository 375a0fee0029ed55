"""A step that runs out of memory, simulated where torch would say so, is the step of a large memory."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from headway.faults import is_out_of_memory
from headway.models.encoder import Encoder
from headway.models.heads.cls import ClsHead
from headway.models.heads.token import TokenHead
from headway.models.losses.cross_entropy import CrossEntropy
from headway.models.memory_limit import MemoryLimit
from headway.models.module import FineTuner
from headway.models.step_setting import repeats_forward, unless_others_wait
from headway.types import IGNORE_INDEX, TrainingError

pytestmark = pytest.mark.filterwarnings("ignore:.*does not have many workers.*", "ignore:.*LeafSpec.*")
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
LENGTHS = ([3, 5, 7, 9], [2, 4, 4, 8, 8], [6, 6, 6])
ERRORS = {
    "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "cpu": RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"),
    "host": MemoryError(),
}


class Narrow:
    """A memory in which an encoder can hold so many tokens in a forward or in a backward pass."""

    def __init__(self, encoder, most, *, moment="forward", error="cuda"):
        self.most, self.moment, self.error, self.refused = most, moment, ERRORS[error], 0
        encoder.register_forward_hook(self._after)

    def _after(self, encoder, arguments, output):
        if sum(arguments[0].lengths) <= self.most:
            return
        if self.moment == "forward":
            self._refuse()
        elif output.requires_grad:
            output.register_hook(lambda _: self._refuse())

    def _refuse(self, *_):
        self.refused += 1
        raise self.error


class Steps(FineTuner):
    """Notes what Lightning sees of each micro-batch."""

    def on_train_batch_end(self, outputs, batch, batch_idx):
        vars(self).setdefault("noted", []).append(float(outputs["loss"]))


def _batches(make_batch, *, token_level):
    made = []
    for number, lengths in enumerate(LENGTHS):
        rows = sum(lengths) if token_level else len(lengths)
        labels = torch.arange(rows) % 3
        if token_level:
            labels[::4] = IGNORE_INDEX
        fields = {"labels": labels, "weights": 1.0 + torch.arange(rows) % 2, "normalizer": 20.0}
        words = torch.arange(rows) if token_level else None
        made.append(make_batch(lengths, seed=number, words=words, **fields))
    return made


@pytest.fixture
def train(tiny_model, make_batch):
    """Return a function: (memory settings or None, ...) -> module, trainer and memory after an epoch."""

    def train(narrow=None, *, head=ClsHead, accumulate=1, dropout=False, restored=None):
        encoder = Encoder(tiny_model("bert", **({} if dropout else NO_DROPOUT)), trainable="all")
        encoder.keep_pooler(wanted=False)
        memory = None if narrow is None else Narrow(encoder, **narrow)
        torch.manual_seed(1)
        built = head(dropout=0.1 if dropout else 0.0, hidden_size=32, num_labels=3, initializer_range=0.5)
        build = SimpleNamespace(
            build=lambda *parts: torch.optim.SGD([p for m in parts for p in m.parameters()], lr=0.5)
        )
        module = Steps(encoder=encoder, head=built, loss=CrossEntropy(), optimizer=build,
                       schedule=lambda *_: 1.0, total_steps=3, accumulate=accumulate)  # fmt: skip
        if restored is not None:
            module.on_load_checkpoint({"memory_limits": restored})
        trainer = pl.Trainer(
            accelerator="cpu", max_epochs=1, accumulate_grad_batches=accumulate, logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            limit_val_batches=0,
        )  # fmt: skip
        loader = DataLoader(_batches(make_batch, token_level=head is TokenHead), batch_size=None)
        trainer.fit(module, loader, loader)  # the second is never read; without it Lightning warns
        return module, memory

    return train


def _same(one, other, *, exact=False):
    for name, weight in one.state_dict().items():
        bounds = {"rtol": 0, "atol": 0} if exact else {"rtol": 1e-4, "atol": 1e-6}
        torch.testing.assert_close(other.state_dict()[name], weight, **bounds, msg=name)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("moment", ["forward", "backward"])
def test_the_steps_are_those_of_a_large_memory(train, moment, error):
    whole, _ = train()
    cut, memory = train({"most": 12, "moment": moment, "error": error})
    assert memory.refused >= 1
    _same(whole, cut)
    assert cut.noted == pytest.approx(whole.noted, rel=1e-5)
    assert cut.epoch_loss == pytest.approx(whole.epoch_loss, rel=1e-5)
    assert cut.memory_limits["training"].since == {"epoch": 0, "batch": 0, "step": 0}


@pytest.mark.parametrize("moment", ["forward", "backward"])
@pytest.mark.parametrize("head", [ClsHead, TokenHead])
@pytest.mark.parametrize("most", [9, 20, 25])
def test_micro_batches_of_one_step_are_added_up_once(train, head, moment, most):
    # With room for 20 and 25 tokens only the second fails: what the first one has added must stay.
    whole, _ = train(head=head, accumulate=3)
    cut, memory = train({"most": most, "moment": moment}, head=head, accumulate=3)
    assert memory.refused >= 1
    _same(whole, cut)


def test_what_fits_is_remembered_and_said_once(train, caplog):
    with caplog.at_level(logging.WARNING, logger="headway"):
        module, memory = train({"most": 15})
    assert memory.refused == 1  # 24 tokens; those of the later batches are cut before they are tried
    assert module.memory_limits["training"].max_tokens == 15
    said = [record.getMessage() for record in caplog.records if "out of memory" in record.getMessage()]
    assert len(said) == 1
    assert "out of memory in training with 4 windows of 24 tokens" in said[0]


def test_with_dropout_the_same_masks_are_drawn_each_time(train):
    one, _ = train({"most": 12}, dropout=True)
    other, _ = train({"most": 12}, dropout=True)
    _same(one, other, exact=True)


def test_how_often_it_was_tried_before_changes_nothing(train):
    narrow, _ = train({"most": 12}, dropout=True)
    known, memory = train(
        {"most": 12}, dropout=True, restored={"training": narrow.memory_limits["training"].state_dict()}
    )
    assert memory.refused == 0
    _same(narrow, known, exact=True)


@pytest.mark.parametrize("moment", ["forward", "backward"])
def test_a_window_that_does_not_fit_is_an_error_that_says_what_to_set(train, moment):
    with pytest.raises(TrainingError, match=r"training runs out of memory with one window.*data\.max_length"):
        train({"most": 1, "moment": moment})


def test_other_errors_are_left_as_they_are(train, monkeypatch):
    monkeypatch.setitem(ERRORS, "other", RuntimeError("a bug"))
    for moment in ("forward", "backward"):
        with pytest.raises(RuntimeError, match="a bug"):
            train({"most": 1, "moment": moment, "error": "other"})


def test_a_pass_that_others_wait_for_is_an_error_that_says_what_to_set():
    with pytest.raises(TrainingError, match=r"batching\.batch_size"), unless_others_wait():
        raise ERRORS["cuda"]
    with pytest.raises(RuntimeError, match="a bug"), unless_others_wait():
        raise RuntimeError("a bug")


def test_a_forward_pass_that_gathers_weights_is_not_repeated():
    from pytorch_lightning.strategies import DDPStrategy, FSDPStrategy

    for strategy, again in ((FSDPStrategy(), False), (DDPStrategy(), True), (None, True)):
        assert repeats_forward(SimpleNamespace(trainer=SimpleNamespace(strategy=strategy))) is again


@pytest.mark.parametrize("error", ERRORS.values())
def test_what_torch_and_python_say_where_memory_is_used_up(error):
    assert is_out_of_memory(error)


def test_what_has_no_state_is_computed_in_parts_too(make_batch):
    asked = []

    def compute(part):
        asked.append(part.lengths)
        if sum(part.lengths) > 8:
            raise ERRORS["cuda"]
        return part.lengths

    limit, batch, at = (
        MemoryLimit.of_evaluation(),
        make_batch([3, 5, 7, 8]),
        {"epoch": 0, "batch": 2, "step": 5},
    )
    assert limit.each(batch, compute, at) == [(3, 5), (7,), (8,)]
    asked.clear()
    limit.each(batch, compute, at)
    assert asked == [(3, 5), (7,), (8,)]
    with pytest.raises(TrainingError, match="evaluation runs out of memory with one window of 9 tokens"):
        limit.each(make_batch([9]), compute, at)
    with pytest.raises(RuntimeError):
        MemoryLimit.of_evaluation().each(batch, compute, at, again=False)
