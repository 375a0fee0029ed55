"""Losses by hand, or by torch's and scikit-learn's own."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.testing import assert_close

from headway.models.losses.bce import BinaryCrossEntropy
from headway.models.losses.cross_entropy import CrossEntropy
from headway.models.losses.focal import Focal
from headway.models.losses.mse import MeanSquaredError
from headway.types import ConfigError

COUNTS = (6, 3, 1)


@pytest.fixture
def items():
    torch.manual_seed(0)
    return torch.randn(8, 3), torch.tensor([0, 0, 0, 0, 1, 1, 2, 0])


class TestCrossEntropy:
    def test_is_the_negative_log_likelihood(self, items):
        logits, targets = items
        probabilities = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
        expected = [-math.log(row[target]) for row, target in zip(probabilities, targets, strict=True)]
        assert_close(CrossEntropy()(logits, targets), torch.tensor(expected))

    def test_smoothing_spreads_the_target(self, items):
        logits, targets = items
        target = torch.nn.functional.one_hot(targets, 3) * 0.7 + 0.1  # 0.3 over three classes
        expected = -(target * logits.log_softmax(-1)).sum(-1)
        assert_close(CrossEntropy(label_smoothing=0.3)(logits, targets), expected)

    def test_auto_weights_are_scikit_learns_balanced_ones(self):
        rows = np.repeat([0, 1, 2], COUNTS)
        expected = compute_class_weight("balanced", classes=np.arange(3), y=rows)
        weights = CrossEntropy(class_weights="auto", class_counts=COUNTS).weights
        assert_close(weights, torch.tensor(expected, dtype=torch.float32))
        assert float(weights[rows].mean()) == pytest.approx(1)

    def test_a_class_without_rows_weighs_one_and_the_mean_stays_one(self):
        weights = CrossEntropy(class_weights="auto", class_counts=(6, 0, 2)).weights
        assert weights[1] == 1
        assert float(weights[[0] * 6 + [2] * 2].mean()) == pytest.approx(1)

    def test_each_item_is_weighed_by_its_class(self, items):
        logits, targets = items
        weighted = CrossEntropy(class_weights=[1, 2.5, 0])(logits, targets)
        plain = CrossEntropy()(logits, targets)
        assert_close(weighted, plain * torch.tensor([1, 2.5, 0])[targets])

    def test_nothing_of_it_goes_into_a_checkpoint(self):
        assert not CrossEntropy(class_weights=[1, 2]).state_dict()


class TestFocal:
    def test_gamma_zero_is_cross_entropy(self, items):
        assert_close(Focal(gamma=0)(*items), CrossEntropy()(*items))

    def test_by_hand(self):
        """p = 3/4 of the right class: (1/4)^2 * log(4/3), and weighed by 0.25."""
        logits, targets = torch.tensor([[math.log(3.0), 0.0]]), torch.tensor([0])
        assert_close(Focal(gamma=2)(logits, targets), torch.tensor([math.log(4 / 3) / 16]))
        weighted = Focal(gamma=2, class_weights=[0.25, 0.75])(logits, targets)
        assert_close(weighted, torch.tensor([math.log(4 / 3) / 64]))

    @pytest.mark.parametrize("gamma", [0, 0.5, 1, 2, 5])
    def test_gradient_is_finite_where_the_answer_is_certain(self, gamma):
        logits = torch.tensor([[200.0, 0.0], [0.0, 200.0]], requires_grad=True)
        Focal(gamma=gamma)(logits, torch.tensor([0, 0])).sum().backward()
        assert logits.grad.isfinite().all()

    def test_gradient_is_right(self):
        logits = torch.randn(4, 3, dtype=torch.float32, requires_grad=True)
        targets = torch.tensor([0, 1, 2, 0])
        Focal(gamma=2)(logits, targets).sum().backward()
        p = logits.detach().softmax(-1).requires_grad_()
        again = logits.detach().requires_grad_()
        p = again.softmax(-1)[range(4), targets]
        (-((1 - p) ** 2) * p.log()).sum().backward()
        assert_close(logits.grad, again.grad)


class TestBinaryCrossEntropy:
    def test_is_the_mean_over_labels(self, items):
        logits, _ = items
        targets = (torch.arange(24).view(8, 3) % 2).float()
        probabilities = logits.sigmoid()
        expected = -(targets * probabilities.log() + (1 - targets) * (1 - probabilities).log()).mean(-1)
        assert_close(BinaryCrossEntropy()(logits, targets), expected)
        assert_close(BinaryCrossEntropy()(logits, targets.long()), expected)

    def test_auto_weights_make_presence_and_absence_count_the_same(self):
        positives, rows = (2, 5, 0, 10), 10
        weights = BinaryCrossEntropy("auto", class_counts=(positives, rows)).weights
        assert weights.tolist() == [4, 1, 1, 1]

    def test_positives_are_weighed(self, items):
        logits, _ = items
        ones, zeros = torch.ones(8, 3), torch.zeros(8, 3)
        loss, plain = BinaryCrossEntropy([2, 2, 2]), BinaryCrossEntropy()
        assert_close(loss(logits, ones), 2 * plain(logits, ones))
        assert_close(loss(logits, zeros), plain(logits, zeros))


class TestMeanSquaredError:
    def test_by_hand(self):
        assert MeanSquaredError()(torch.tensor([[1.0], [3.0]]), torch.tensor([0.0, 5.0])).tolist() == [1, 4]

    def test_refuses_what_would_broadcast(self):
        with pytest.raises(ValueError, match=r"logits must be \(2, 1\)"):
            MeanSquaredError()(torch.zeros(2, 2), torch.zeros(2))


@pytest.mark.parametrize("loss", [CrossEntropy(label_smoothing=0.1), Focal()])
def test_half_precision_logits_are_computed_in_float32(loss, items):
    logits, targets = items
    half = logits.bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = loss(half, targets)
    assert found.dtype == torch.float32
    assert_close(found, loss(half.float(), targets))


def test_every_loss_gives_float32():
    half = torch.zeros(2, 1, dtype=torch.bfloat16)
    assert MeanSquaredError()(half, torch.zeros(2)).dtype == torch.float32
    assert BinaryCrossEntropy()(half, torch.zeros(2, 1)).dtype == torch.float32


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: CrossEntropy(label_smoothing=1), r"`task.loss.label_smoothing` must be a number"),
        (lambda: CrossEntropy("balanced"), "`task.loss.class_weights` must be auto, null or a list"),
        (lambda: CrossEntropy([]), "`task.loss.class_weights` must be auto, null or a list"),
        (lambda: CrossEntropy([1, -1]), r"`task.loss.class_weights\[1\]` must be a number in \[0"),
        (lambda: CrossEntropy([0, 0]), "`task.loss.class_weights` must have a weight above 0"),
        (lambda: CrossEntropy([1, 1], class_counts=COUNTS), r"one weight a label \(3\), got 2"),
        (lambda: CrossEntropy("auto"), "`task.loss.class_weights` can be auto only where"),
        (lambda: Focal(gamma=-1), r"`task.loss.gamma` must be a number in \[0"),
        (lambda: Focal(gamma=math.inf), "`task.loss.gamma`"),
        (lambda: Focal(class_weights="yes"), "`task.loss.class_weights`"),
        (lambda: BinaryCrossEntropy("auto"), "`task.loss.positive_weights` can be auto only where"),
        (lambda: BinaryCrossEntropy([1], class_counts=([1, 2], 3)), r"`task.loss.positive_weights` must"),
        (lambda: BinaryCrossEntropy([math.nan]), r"`task.loss.positive_weights\[0\]`"),
    ],
)
def test_bad_values_are_refused_when_built(build, message):
    with pytest.raises(ConfigError, match=message):
        build()
