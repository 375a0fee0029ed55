"""The state of an evaluation: what goes in, what comes out, and what was not seen."""

import subprocess
import sys

import numpy as np
import pytest

from headway.evaluation.aggregation import MaxLogits, MeanLogits, WordFarthest
from headway.evaluation.decoding import Argmax, Identity, Thresholds
from headway.evaluation.evaluator import Evaluator, evaluate
from headway.evaluation.metrics import Classification, Entities, Multilabel, Regression
from headway.types import ConfigError, DataError, Gold, WindowLogits

TAGS = ["O", "B-X", "I-X"]


def rows_of(logits, documents, *, windows=None, words=None):
    count = len(documents)
    return WindowLogits(
        logits=np.array(logits, dtype=np.float32),
        documents=np.array(documents),
        windows=np.arange(count) if windows is None else np.array(windows),
        words=None if words is None else np.array(words),
        edge_distances=None if words is None else np.ones(count, dtype=np.int64),
    )


def classifier(gold, **options):
    parts = {"aggregation": MeanLogits(), "decoding": Argmax(), "metrics": Classification()} | options
    return Evaluator(Gold(np.array(gold)), label_names=["a", "b"], **parts)


def tagger(gold, offsets):
    return Evaluator(
        Gold(np.array(gold), np.array(offsets)),
        aggregation=WordFarthest(),
        decoding=Argmax(),
        metrics=Entities(),
        label_names=TAGS,
    )


def test_documents_are_put_together_before_they_are_scored():
    evaluator = classifier([0, 1])
    # By windows two of four are right, by documents both.
    evaluator.update(rows_of([[9, 0], [0, 1]], [0, 0], windows=[0, 1]))
    evaluator.update(rows_of([[1, 0], [0, 9]], [1, 1], windows=[2, 3]))
    evaluation = evaluator.compute()
    assert evaluation.metrics["accuracy"] == 1
    assert evaluation.metrics["coverage"] == 1
    assert evaluation.losses.shape == (2,)
    assert evaluation.loss == pytest.approx(np.log1p(np.exp(-4)))


def test_a_document_that_no_window_held_is_missed_and_shows_in_coverage():
    evaluator = classifier([0, 1, 1, 0])
    evaluator.update(rows_of([[9, 0], [0, 9], [0, 9]], [0, 1, 2]))
    evaluation = evaluator.compute()
    assert evaluation.metrics["accuracy"] == evaluation.metrics["coverage"] == 0.75
    assert np.isnan(evaluation.losses[3])
    assert np.isfinite(evaluation.loss)


def test_coverage_of_tags_is_a_share_of_words():
    evaluator = tagger([1, 2, 0, 1], [0, 3, 4])
    evaluator.update(
        rows_of([[0, 9, 0], [0, 0, 9], [9, 0, 0]], [0, 0, 0], windows=[0, 0, 0], words=[0, 1, 2])
    )
    metrics = evaluator.compute().metrics
    assert metrics["coverage"] == 0.75
    assert metrics["entity_recall_strict"] == 0.5
    assert metrics["entity_precision_strict"] == 1


def test_an_entity_cut_by_the_border_of_a_window_is_found_whole():
    evaluator = tagger([0, 1, 2, 2, 0], [0, 5])
    outside, begin, inside = np.eye(3) * 9
    evaluator.update(rows_of([outside, begin, inside], [0, 0, 0], windows=[0, 0, 0], words=[0, 1, 2]))
    evaluator.update(rows_of([inside, outside], [0, 0], windows=[1, 1], words=[3, 4]))
    assert evaluator.compute().metrics["entity_f1_strict"] == 1


@pytest.mark.parametrize(
    "evaluator",
    [
        classifier([0, 1]),
        tagger([1, 2], [0, 2]),
        Evaluator(
            Gold(np.array([[1, 0]])),
            aggregation=MaxLogits(),
            decoding=Thresholds(),
            metrics=Multilabel(),
            label_names=["a", "b"],
            fit_decoding=True,
        ),
        Evaluator(
            Gold(np.array([1.0, 2.0])),
            aggregation=MeanLogits(),
            decoding=Identity(),
            metrics=Regression(),
            label_names=(),
        ),
    ],
    ids=["classification", "entities", "multilabel", "regression"],
)
def test_nothing_seen_is_a_score_of_nothing(evaluator):
    evaluation = evaluator.compute()
    assert evaluation.metrics["coverage"] == 0
    assert all(np.isfinite(value) for value in evaluation.metrics.values())
    assert max(value for name, value in evaluation.metrics.items() if name not in ("rmse", "mae")) == 0
    assert np.isnan(evaluation.losses).all()
    assert np.isnan(evaluation.loss)


def test_reset_forgets():
    evaluator = classifier([0, 1])
    evaluator.update(rows_of([[0, 9], [9, 0]], [0, 1]))
    assert evaluator.compute().metrics["accuracy"] == 0
    evaluator.reset()
    evaluator.update(rows_of([[9, 0], [0, 9]], [0, 1]))
    assert evaluator.compute().metrics["accuracy"] == 1


def test_kept_windows_can_be_scored_again_by_another_aggregation():
    first = classifier([1])
    first.update(rows_of([[3, 0]], [0], windows=[0]))
    first.update(rows_of([[3, 0], [0, 4]], [0, 0], windows=[1, 2]))
    assert first.compute().metrics["accuracy"] == 0
    again = classifier([1], aggregation=MaxLogits())
    again.update(first.windows())
    assert again.compute().metrics["accuracy"] == 1


def fit_case(**options):
    evaluator = Evaluator(
        Gold(np.array([[0], [1], [1]])),
        aggregation=MeanLogits(),
        decoding=Thresholds(),
        metrics=Multilabel(),
        label_names=["a"],
        **options,
    )
    evaluator.update(rows_of([[-3], [-2], [-1]], [0, 1, 2]))
    return evaluator.compute()


def test_thresholds_are_fitted_only_when_asked():
    assert fit_case().metrics["f1_micro"] == 0
    assert fit_case().decoding == Thresholds()
    assert fit_case(fit_decoding=True).metrics["f1_micro"] == 1


def test_what_was_fitted_on_validation_scores_another_split():
    validation = fit_case(fit_decoding=True)
    test = evaluate(
        validation.documents,
        Gold(np.array([[1], [1], [1]])),
        decoding=validation.decoding,
        metrics=Multilabel(),
        label_names=["a"],
    )
    assert test.metrics["f1_micro"] == pytest.approx(0.8)
    assert test.decoding is validation.decoding


def test_no_gold_is_refused():
    with pytest.raises(DataError, match="a split must hold at least one labelled document"):
        classifier(np.zeros(0, dtype=np.int64))


def test_putting_words_together_needs_words():
    with pytest.raises(
        ConfigError, match="`task.aggregation` must be one for whole documents, got WordFarthest"
    ):
        classifier([0], aggregation=WordFarthest())


def test_a_wrong_number_of_logits_is_refused():
    with pytest.raises(ValueError, match=r"logits must be \(num_rows, 2\), got \(1, 3\)"):
        classifier([0]).update(rows_of([[1, 2, 3]], [0]))


def test_rows_of_words_where_documents_are_labelled_are_refused():
    with pytest.raises(ValueError, match="rows must be of words if and only if gold is"):
        classifier([0]).update(rows_of([[1, 2]], [0], words=[0]))


@pytest.mark.slow
def test_evaluation_imports_neither_torch_nor_transformers():
    code = (
        "import sys, headway.evaluation.evaluator, headway.evaluation.decoding;"
        "print([name for name in ('torch', 'transformers', 'torchmetrics') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
