"""Items of an optimizer step count the same, however it is cut; scoring is whole (long: one FineTuner)."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from headway.data.batching import RandomBatches
from headway.data.collator import WindowBatches
from headway.data.plans import plan_epoch, plan_evaluation
from headway.data.store import Encoded
from headway.evaluation.aggregation import MeanLogits
from headway.evaluation.decoding import Argmax
from headway.evaluation.evaluator import Evaluator
from headway.evaluation.metrics.classification import Classification
from headway.models.encoder import Encoder
from headway.models.heads.cls import ClsHead
from headway.models.heads.token import TokenHead
from headway.models.loss_watch import Step
from headway.models.losses.cross_entropy import CrossEntropy
from headway.models.module import FineTuner
from headway.models.rows import token_items
from headway.types import IGNORE_INDEX, Gold, TrainingError

NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
NUM_LABELS = 3


class Unlogged(FineTuner):
    """A FineTuner beside a Trainer of so many processes, that keeps what it logs."""

    def __init__(self, *, processes=1, **arguments):
        super().__init__(**arguments)
        self.logged = {}
        self._trainer = SimpleNamespace(
            world_size=processes, current_epoch=2, global_step=7, state=None, optimizers=[]
        )

    def log(self, name, value, **_):
        self.logged[name] = value.item()

    def log_dict(self, values, **_):
        self.logged.update(values)


@pytest.fixture
def make(tiny_model):
    """Return a function: (head class, **arguments) -> the same FineTuner each time."""

    def make(head=ClsHead, *, trainable="all", dropout=0.0, **arguments):
        changes = {} if dropout else NO_DROPOUT
        encoder = Encoder(tiny_model("bert", **changes), trainable=trainable)
        encoder.keep_pooler(wanted=False)
        torch.manual_seed(1)
        built = head(dropout=dropout, hidden_size=32, num_labels=NUM_LABELS, initializer_range=0.5)
        return Unlogged(encoder=encoder, head=built, loss=CrossEntropy(), **arguments).train()

    return make


def _encoded(lengths, documents=None):
    rng = np.random.default_rng(0)
    documents = np.arange(len(lengths)) if documents is None else np.array(documents)
    num_tokens = sum(lengths)
    return Encoded(
        input_ids=rng.integers(5, 50, size=num_tokens).astype(np.int32),
        token_type_ids=np.zeros(num_tokens, np.int8),
        offsets=np.cumsum([0, *lengths]),
        documents=documents,
        lengths=np.bincount(documents, weights=lengths).astype(int),
        lost=np.zeros(documents.max() + 1, int),
        words=np.zeros(num_tokens, np.int32),
        first_pieces=np.ones(num_tokens, bool),
    )


LENGTHS = [3, 9, 5, 7, 4, 12, 6, 8, 3, 5, 11]


def _dataset(token_level):
    """Windows with labels, and what all labelled items of each weigh."""
    rng = np.random.default_rng(1)
    if token_level:
        encoded = _encoded(LENGTHS)
        # Unequal shares of labelled tokens, one window without any.
        share = np.repeat(np.linspace(0, 1, len(LENGTHS)), LENGTHS)
        drawn = rng.integers(0, NUM_LABELS, size=encoded.num_tokens)
        labels = np.where(rng.random(encoded.num_tokens) < share, drawn, IGNORE_INDEX)
        units = np.add.reduceat(labels != IGNORE_INDEX, encoded.offsets[:-1])
        return WindowBatches(encoded, labels, token_level=True), units.astype(float)
    encoded = _encoded(LENGTHS, documents=[0, 1, 1, 1, 2, 3, 4, 5, 5, 6, 7])
    weights = 1.0 / encoded.windows_per_document[encoded.documents]
    labels = rng.integers(0, NUM_LABELS, size=encoded.num_documents)
    return WindowBatches(encoded, labels, token_level=False, weights=weights), weights


def _gradients(model):
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    assert gradients
    assert all(gradient is not None for gradient in gradients.values())
    return gradients


def _step_gradients(make, dataset, weights, *, size, accumulate, processes=1):
    """Gradients of every optimizer step of an epoch, by Lightning's and DDP's arithmetic."""
    head = TokenHead if dataset.token_level else ClsHead
    ranks = [
        plan_epoch(
            RandomBatches(batch_size=size, drop_last=False),
            lengths=np.array(LENGTHS),
            weights=weights,
            seed=0,
            epoch=0,
            accumulate=accumulate,
            rank=rank,
            num_processes=processes,
        )
        for rank in range(processes)
    ]
    steps = []
    for start in range(0, len(ranks[0]), accumulate):
        model = make(head, accumulate=accumulate, processes=processes)
        for plans in ranks:
            for index, plan in enumerate(plans[start : start + accumulate]):
                loss = model.training_step(dataset[plan], index)
                (loss / accumulate / processes).backward()  # Lightning divides by one, DDP by the other
        steps.append(_gradients(model))
    return steps


@pytest.mark.parametrize("token_level", [False, True])
@pytest.mark.parametrize(
    ("size", "accumulate", "processes"),
    [(1, 6, 1), (2, 3, 1), (3, 2, 1), (1, 3, 2), (3, 1, 2), (2, 1, 3)],
)
def test_a_step_of_many_micro_batches_is_the_step_of_one_batch(
    make, token_level, size, accumulate, processes
):
    dataset, weights = _dataset(token_level)
    whole = _step_gradients(make, dataset, weights, size=6, accumulate=1)
    cut = _step_gradients(make, dataset, weights, size=size, accumulate=accumulate, processes=processes)
    assert len(whole) == len(cut) == 2  # eleven windows: the last step is partial
    for one, many in zip(whole, cut, strict=True):
        for name, gradient in one.items():
            torch.testing.assert_close(many[name], gradient, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize("token_level", [False, True])
def test_a_step_minimises_the_mean_over_its_labelled_items(make, token_level):
    dataset, weights = _dataset(token_level)
    (plan,) = plan_epoch(
        RandomBatches(batch_size=99, drop_last=False),
        lengths=np.array(LENGTHS),
        weights=weights,
        seed=0,
        epoch=0,
        accumulate=1,
    )
    batch = dataset[plan]
    model = make(TokenHead if token_level else ClsHead)
    loss = model.training_step(batch, 0)
    logits = model(batch)
    if token_level:
        expected = torch.nn.functional.cross_entropy(logits, batch.labels, ignore_index=IGNORE_INDEX)
    else:
        items = torch.nn.functional.cross_entropy(logits, batch.labels, reduction="none")
        documents = [items[batch.documents == number].mean() for number in range(8)]
        expected = torch.stack(documents).mean()  # a document of three windows weighs as one of one
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-6)
    assert model.logged["train/loss"] == pytest.approx(expected.item(), rel=1e-5)


def test_a_batch_that_pads_out_a_process_adds_nothing(make):
    dataset, _ = _dataset(token_level=False)
    plan = plan_evaluation(np.array(LENGTHS), batch_size=1, rank=1, num_processes=2)[-1]
    assert plan.padding
    model = make()
    loss = model.training_step(dataset[type(plan)(plan.windows, 5.0, padding=True)], 0)
    loss.backward()
    assert loss.item() == 0
    assert all(float(gradient.abs().max()) == 0 for gradient in _gradients(model).values())


def test_a_step_without_a_labelled_token_changes_nothing(make):
    dataset, _ = _dataset(token_level=True)
    plan = plan_evaluation(np.array([1]), batch_size=1)[0]  # window 0 has no labels
    model = make(TokenHead)
    batch = dataset[plan]
    assert (batch.labels == IGNORE_INDEX).all()
    loss = model.training_step(batch, 0)
    loss.backward()
    assert loss.item() == 0
    assert model.logged["train/loss"] == 0


def test_the_mean_of_an_epoch_is_over_its_items_not_its_batches(make):
    dataset, _ = _dataset(token_level=False)
    model = make()
    model.on_train_epoch_start()
    assert model.epoch_loss == 0
    total, count = 0.0, 0.0
    for plan in plan_evaluation(np.array(LENGTHS), batch_size=4):
        model.training_step(dataset[plan], 0)
        losses, weights = model.item_losses(dataset[plan])
        total, count = total + (losses * weights).sum().item(), count + weights.sum().item()
    assert count == pytest.approx(8)  # documents
    assert model.epoch_loss == pytest.approx(total / count, rel=1e-5)
    model.on_train_epoch_start()
    assert model.epoch_loss == 0


def test_a_loss_that_is_not_a_number_ends_the_training(make):
    dataset, _ = _dataset(token_level=False)
    model = make()
    with torch.no_grad():
        model.head.classifier.weight.fill_(float("nan"))
    plan = plan_evaluation(np.array(LENGTHS), batch_size=4)[0]
    with pytest.raises(
        TrainingError, match=r"training loss is nan in epoch 2, batch 3 .*step 7\).*optimizer\.lr"
    ):
        model.training_step(dataset[plan], 3)


def test_tokens_without_a_label_may_stay_and_count_nothing():
    logits = torch.randn(5, NUM_LABELS, requires_grad=True)
    labels = torch.tensor([0, IGNORE_INDEX, 2, IGNORE_INDEX, 1])
    weights = torch.tensor([0.5, 3.0, 1.0, 2.0, 0.25])
    found = []
    for keep_all in (False, True):
        kept, targets, counts = token_items(logits, labels, weights, keep_all=keep_all)
        loss = (CrossEntropy()(kept, targets) * counts).sum()
        found.append((loss, counts.sum(), *torch.autograd.grad(loss, logits)))
    for left_out, kept in zip(*found, strict=True):
        torch.testing.assert_close(kept, left_out)


def test_losses_on_their_way_are_checked_before_validation_and_at_the_end(make):
    for hook in ("on_validation_epoch_start", "on_train_epoch_end"):
        model = make()
        model._watch._pending.append((SimpleNamespace(value=lambda: float("inf")), Step(1, 2, 3)))
        with pytest.raises(TrainingError, match="loss is inf in epoch 1, batch 2"):
            getattr(model, hook)()


def test_training_needs_labels(make, make_batch):
    with pytest.raises(ValueError, match="labels"):
        make().training_step(make_batch([3, 5]), 0)


def test_training_needs_an_optimizer(make):
    with pytest.raises(ValueError, match="optimizer and a schedule"):
        make().configure_optimizers()


class Constant:
    """Builds an optimizer that AdamW's config would build, of rate 1."""

    def build(self, encoder, head):
        return torch.optim.SGD([*encoder.parameters(), *head.parameters()], lr=1.0)


def test_the_schedule_sees_the_step_and_the_total(make):
    model = make(optimizer=Constant(), schedule=lambda step, total: step / total, total_steps=4)
    made = model.configure_optimizers()
    assert made["lr_scheduler"]["interval"] == "step"
    rates = []
    for _ in range(4):
        rates.append(made["optimizer"].param_groups[0]["lr"])
        made["optimizer"].step()
        made["lr_scheduler"]["scheduler"].step()
    assert rates == [0, 0.25, 0.5, 0.75]


def _evaluator(gold):
    return Evaluator(
        gold,
        aggregation=MeanLogits(),
        decoding=Argmax(),
        metrics=Classification(),
        label_names=("a", "b", "c"),
    )


def _score(model, dataset, *, batch_size, processes=1):
    model.on_validation_epoch_start()
    for rank in range(processes):
        plans = plan_evaluation(np.array(LENGTHS), batch_size=batch_size, rank=rank, num_processes=processes)
        for index, plan in enumerate(plans):
            model.validation_step(dataset[plan], index)
    model.on_validation_epoch_end()
    return dict(model.logged)


def test_a_metric_does_not_depend_on_batches_or_processes(make):
    dataset, _ = _dataset(token_level=False)
    model = make(evaluators={"val": _evaluator(Gold(dataset.labels))}).eval()
    with torch.no_grad():
        expected = _score(model, dataset, batch_size=99)
        assert expected["val/coverage"] == 1
        assert 0 < expected["val/accuracy"] < 1
        for batch_size, processes in ((1, 1), (2, 1), (4, 1), (2, 2), (3, 4), (1, 3)):
            scored = _score(model, dataset, batch_size=batch_size, processes=processes)
            assert scored == pytest.approx(expected, rel=1e-5)


def test_scores_are_kept_by_split(make):
    dataset, _ = _dataset(token_level=False)
    evaluators = {"val": _evaluator(Gold(dataset.labels)), "test": _evaluator(Gold(1 - dataset.labels % 2))}
    model = make(evaluators=evaluators).eval()
    plan = plan_evaluation(np.array(LENGTHS), batch_size=99)[0]
    with torch.no_grad():
        _score(model, dataset, batch_size=3)
        model.on_test_epoch_start()
        model.test_step(dataset[plan], 0)
        model.on_test_epoch_end()
    assert set(model.evaluations) == {"val", "test"}
    assert model.logged["test/accuracy"] == model.evaluations["test"].metrics["accuracy"]
    assert model.logged["val/loss"] == pytest.approx(model.evaluations["val"].loss)


def test_rows_of_an_interrupted_pass_are_forgotten(make):
    dataset, _ = _dataset(token_level=False)
    model = make(evaluators={"val": _evaluator(Gold(dataset.labels))}).eval()
    plan = plan_evaluation(np.array(LENGTHS), batch_size=3)[0]
    with torch.no_grad():
        model.validation_step(dataset[plan], 0)
        assert _score(model, dataset, batch_size=3)["val/coverage"] == 1


def test_logits_that_are_not_numbers_are_not_scored(make):
    dataset, _ = _dataset(token_level=False)
    model = make(evaluators={"val": _evaluator(Gold(dataset.labels))}).eval()
    with torch.no_grad():
        model.head.classifier.bias[1] = float("nan")
        with pytest.raises(TrainingError, match=r"val split are not finite in epoch 2"):
            _score(model, dataset, batch_size=3)


def test_a_frozen_encoder_stays_in_eval_mode_and_gets_no_gradient(make):
    dataset, _ = _dataset(token_level=False)
    model = make(trainable="none", dropout=0.1).train()
    assert not any(module.training for module in model.encoder.model.modules())
    batch = dataset[plan_evaluation(np.array(LENGTHS), batch_size=4)[0]]
    torch.testing.assert_close(model.encoder(batch), model.encoder(batch), rtol=0, atol=0)
    model.training_step(batch, 0).backward()
    assert all(parameter.grad is None for parameter in model.encoder.parameters())
    assert all(parameter.grad is not None for parameter in model.head.parameters())
