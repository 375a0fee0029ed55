"""Each metric by hand where it is special; the rest is compared with others in test_metric_parity."""

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef

from headway.evaluation.metrics import Classification, Entities, Multilabel, Regression, Words
from headway.types import Gold, Prediction

ALL = [Classification, Multilabel, Regression, Entities, Words]
LABELS = ["a", "b", "c"]


def classify(predicted, gold, probabilities=None):
    predicted = np.array(predicted)
    if probabilities is None:
        probabilities = np.eye(len(LABELS))[predicted]
    return Classification()(Prediction(predicted, np.array(probabilities)), Gold(np.array(gold)), LABELS)


def test_a_document_that_was_not_seen_is_missed_and_no_ones_false_alarm():
    metrics = classify([0, 1, -1], [0, 1, 1])
    assert metrics["accuracy"] == pytest.approx(2 / 3)
    assert metrics["f1/a"] == 1
    assert metrics["f1/b"] == pytest.approx(2 / 3)
    assert metrics["f1_macro"] == pytest.approx(5 / 6)
    assert metrics["f1_micro"] == pytest.approx(4 / 5)  # 2 hits of 2 answers and 3 wanted


def test_classes_that_occur_nowhere_are_left_out():
    metrics = classify([0, 1], [0, 1])
    assert "f1/c" not in metrics
    assert metrics["f1_macro"] == 1


def test_f1_macro_is_the_mean_of_what_is_logged():
    metrics = classify([0, 1, 2, 2, 0], [0, 0, 1, 2, 2])
    assert metrics["f1_macro"] == pytest.approx(np.mean([metrics[f"f1/{label}"] for label in LABELS]))


def test_a_constant_answer_has_no_correlation():
    assert classify([1, 1, 1], [0, 1, 2])["mcc"] == 0


def test_no_answer_is_a_class_of_its_own_to_the_correlation():
    predicted, gold = [0, 1, -1, 2, -1, 0], [0, 1, 1, 2, 0, 2]
    assert classify(predicted, gold)["mcc"] == pytest.approx(matthews_corrcoef(gold, predicted))


def test_auroc_is_left_out_where_it_means_nothing():
    assert "auroc" not in classify([0, 1], [1, 1])


def test_a_document_that_was_not_seen_loses_every_comparison():
    probabilities = [[0.9, 0.1, 0], [0.2, 0.8, 0], [0, 0, 0]]
    # To label a the unseen document is the only negative, to label b the only positive.
    metrics = classify([0, 1, -1], [0, 0, 1], probabilities)
    assert metrics["auroc"] == 0


def test_two_classes_use_the_second():
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.45, 0.55], [0.2, 0.8]])
    prediction = Prediction(probabilities.argmax(axis=1), probabilities)
    metrics = Classification()(prediction, Gold(np.array([0, 0, 1, 1])), ["no", "yes"])
    assert metrics["auroc"] == 3 / 4


def test_two_classes_tie_where_the_second_is_certain():
    # To the first class the order still shows, to the second it is lost in float32.
    probabilities = np.array([[1e-9, 1], [1e-10, 1]], dtype=np.float32)
    metrics = Classification()(
        Prediction(np.array([1, 1]), probabilities), Gold(np.array([0, 1])), ["no", "yes"]
    )
    assert metrics["auroc"] == 0.5


def test_auroc_needs_probabilities():
    with pytest.raises(ValueError, match="probabilities"):
        Classification()(Prediction(np.array([0]), None), Gold(np.array([0])), LABELS)


def test_a_document_without_labels_that_was_not_seen_is_not_right():
    prediction = Prediction(np.array([[0, 0, 0], [-1, -1, -1]]), None)
    metrics = Multilabel()(prediction, Gold(np.zeros((2, 3), dtype=np.int64)), LABELS)
    assert metrics["subset_accuracy"] == 0.5


def test_multilabel_macro_counts_labels_that_never_occur():
    prediction = Prediction(np.array([[1, 0, 0], [0, 1, 0]]), None)
    metrics = Multilabel()(prediction, Gold(np.array([[1, 0, 0], [0, 1, 0]])), LABELS)
    assert metrics["f1_macro"] == pytest.approx(2 / 3)
    assert metrics["f1/c"] == 0


def test_a_score_that_was_not_given_counts_as_the_mean_of_the_others():
    gold = Gold(np.array([1.0, 2.0, 6.0]))
    metrics = Regression()(Prediction(np.array([1.0, 3.0, np.nan]), None), gold, [])
    filled = Regression()(Prediction(np.array([1.0, 3.0, 2.0]), None), gold, [])
    assert metrics == filled
    assert metrics["mae"] == pytest.approx((0 + 1 + 4) / 3)


@pytest.mark.parametrize("values", [[0.1] * 3, [np.nan] * 3])
def test_a_constant_score_has_no_correlation(values):
    metrics = Regression()(Prediction(np.array(values), None), Gold(np.array([1.0, 2.0, 6.0])), [])
    assert metrics["pearson"] == metrics["spearman"] == 0
    assert np.isfinite(metrics["rmse"])


TAGS = ["O", "B-X", "I-X", "B-Y", "I-Y"]


def tag(predicted, gold, offsets):
    number = {name: each for each, name in enumerate(TAGS)} | {"?": -1}
    offsets = np.array(offsets)
    prediction = Prediction(np.array([number[each] for each in predicted.split()]), None, offsets)
    return Entities()(prediction, Gold(np.array([number[each] for each in gold.split()]), offsets), TAGS)


def test_an_entity_that_no_window_held_is_missed():
    metrics = tag("B-X I-X O ? ? O", "B-X I-X O B-X I-X O", [0, 6])
    assert metrics["entity_precision_strict"] == 1
    assert metrics["entity_recall_strict"] == 0.5
    assert metrics["entity_f1"] == pytest.approx(2 / 3)
    assert metrics["token_accuracy"] == pytest.approx(4 / 6)


def test_entity_coverage_is_the_share_of_gold_entities_seen_whole():
    gold, offsets = "B-X I-X O B-X I-X B-Y", [0, 3, 6]
    assert tag("B-X I-X O B-X I-X O", gold, offsets)["entity_coverage"] == 1
    assert tag("O ? ? B-X I-X B-Y", gold, offsets)["entity_coverage"] == pytest.approx(2 / 3)
    assert tag("O O ? ? ? ?", gold, offsets)["entity_coverage"] == pytest.approx(1 / 3)
    assert tag("O ?", "O O", [0, 2])["entity_coverage"] == 1


def test_an_outside_word_that_no_window_held_is_not_right():
    assert tag("O ?", "O O", [0, 2])["token_accuracy"] == 0.5


def test_strict_and_lenient_differ_where_tags_break_the_scheme():
    metrics = tag("I-X I-X O B-Y", "B-X I-X O B-Y", [0, 4])
    assert metrics["entity_f1"] == 1
    assert metrics["entity_f1_strict"] == pytest.approx(2 / 3)
    assert metrics["f1/X"] == 0
    assert metrics["f1/Y"] == 1


def test_an_entity_must_have_both_borders_and_the_type():
    assert tag("B-X O O O", "B-X I-X O O", [0, 4])["entity_f1"] == 0
    assert tag("O B-X O O", "B-X I-X O O", [0, 4])["entity_f1"] == 0
    assert tag("B-Y I-Y O O", "B-X I-X O O", [0, 4])["entity_f1"] == 0


def test_no_entity_crosses_into_the_next_document():
    assert tag("B-X I-X", "B-X I-X", [0, 1, 2])["entity_recall"] == 1
    assert (
        tag("B-X B-X", "B-X I-X", [0, 1, 2])["entity_f1"] == 1
    )  # an I- that starts a document starts an entity
    assert tag("B-X B-X", "B-X I-X", [0, 2])["entity_f1"] == 0


def test_entities_without_any_are_zero():
    assert tag("O O", "O O", [0, 2])["entity_f1"] == 0


def test_entities_name_the_scheme_and_the_reading():
    titles = {name: Entities().title(name) for name in Entities.names}
    assert titles["entity_f1_strict"] == "entity_f1_strict (IOB2, strict)"
    assert titles["entity_f1"] == "entity_f1 (IOB2, lenient, as conlleval)"
    assert titles["token_accuracy"] == "token_accuracy"
    assert Words().title("accuracy") == "accuracy"


def test_entities_need_tags():
    with pytest.raises(ValueError, match="word_offsets"):
        Entities()(Prediction(np.array([0]), None), Gold(np.array([0])), TAGS)


def test_a_word_that_was_not_seen_is_wrong():
    offsets = np.array([0, 3])
    metrics = Words()(
        Prediction(np.array([0, 1, -1]), None, offsets), Gold(np.array([0, 1, 1]), offsets), LABELS
    )
    assert metrics["accuracy"] == pytest.approx(2 / 3)
    assert metrics["f1_macro"] == pytest.approx(5 / 6)


@pytest.mark.parametrize("kind", ALL)
def test_what_can_be_watched_has_a_direction(kind):
    assert set(kind.names.values()) <= {"max", "min"}
    assert all(direction == "min" for name, direction in kind.names.items() if name in ("rmse", "mae"))
