"""Metrics against scikit-learn, scipy and seqeval: 500 random batchings of each kind of task."""

import numpy as np
import pytest
from scipy import stats
from seqeval.metrics import accuracy_score as tag_accuracy
from seqeval.metrics import f1_score as entity_f1
from seqeval.metrics import precision_score as entity_precision
from seqeval.metrics import recall_score as entity_recall
from seqeval.scheme import IOB2
from sklearn import metrics as sk

from headway.evaluation.aggregation import MeanLogits, WordFarthest
from headway.evaluation.decoding import Argmax, Identity, Thresholds
from headway.evaluation.evaluator import Evaluator
from headway.evaluation.metrics import Classification, Entities, Multilabel, Regression, Words
from headway.types import Gold, WindowLogits

NUM_SPLITS, NUM_BATCHINGS = 10, 50
TAGS = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]


def batches(rows, rng):
    """Yield the rows in random order, in batches of random sizes."""
    order = rng.permutation(len(rows.documents))
    cuts = np.sort(rng.integers(0, len(order) + 1, rng.integers(0, 8)))
    for part in np.split(order, cuts):
        yield WindowLogits(
            **{name: None if value is None else value[part] for name, value in vars(rows).items()}
        )


def check(evaluator, rows, expected, rng):
    """Assert that each random batching gives the expected metrics."""
    for _ in range(NUM_BATCHINGS):
        evaluator.reset()
        for batch in batches(rows, rng):
            evaluator.update(batch)
        found = evaluator.compute().metrics
        assert found["coverage"] == 1
        for name, value in expected.items():
            assert found[name] == pytest.approx(value, abs=1e-6), name


def document_windows(logits, rng):
    """Cut each document's logits into one to four windows whose mean they are."""
    documents, parts = [], []
    for document, row in enumerate(logits):
        count = rng.integers(1, 5)
        noise = rng.normal(0, 1, (count, len(row)))
        parts.append(row + noise - noise.mean(axis=0))
        documents += [document] * count
    rows = np.concatenate(parts).astype(np.float32)
    return WindowLogits(rows, np.array(documents), np.arange(len(documents)))


def mean_by_document(rows, num_documents):
    """Return what MeanLogits should, by loops."""
    of = [
        [row for row, at in zip(rows.logits, rows.documents, strict=True) if at == d]
        for d in range(num_documents)
    ]
    return np.array([np.mean(np.array(each, dtype=np.float64), axis=0) for each in of])


@pytest.fixture(params=range(NUM_SPLITS))
def rng(request):
    return np.random.default_rng(request.param)


def by_label(gold, predicted, labels):
    scores = sk.f1_score(gold, predicted, average=None, labels=range(len(labels)), zero_division=0)
    occurring = np.union1d(gold, predicted)
    return {f"f1/{labels[each]}": scores[each] for each in occurring}


@pytest.mark.parametrize("num_labels", [2, 6])
def test_classification_equals_scikit_learn(rng, num_labels):
    labels = [f"class {each}" for each in range(num_labels)]
    # The last of many classes is in no document, though it may be predicted.
    gold = np.append(np.arange(max(num_labels - 1, 2)), rng.integers(0, max(num_labels - 1, 2), 40))
    rows = document_windows(rng.normal(0, 1, (len(gold), num_labels)) + np.eye(num_labels)[gold], rng)
    logits = mean_by_document(rows, len(gold))
    predicted = logits.argmax(axis=1)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    areas = [sk.roc_auc_score(gold == each, probabilities[:, each]) for each in np.unique(gold)]
    expected = by_label(gold, predicted, labels) | {
        "accuracy": sk.accuracy_score(gold, predicted),
        "f1_macro": sk.f1_score(gold, predicted, average="macro", zero_division=0),
        "f1_micro": sk.f1_score(gold, predicted, average="micro"),
        "f1_weighted": sk.f1_score(gold, predicted, average="weighted", zero_division=0),
        "mcc": sk.matthews_corrcoef(gold, predicted),
        "auroc": areas[1] if num_labels == 2 else np.mean(areas),
    }
    evaluator = Evaluator(
        Gold(gold), aggregation=MeanLogits(), decoding=Argmax(), metrics=Classification(), label_names=labels
    )
    check(evaluator, rows, expected, rng)


def test_multilabel_equals_scikit_learn(rng):
    labels = ["a", "b", "c", "never"]
    gold = rng.integers(0, 2, (40, 4))
    gold[:, 3] = 0
    rows = document_windows(rng.normal(0, 2, (40, 4)) + gold - 1, rng)
    predicted = (mean_by_document(rows, 40) > 0).astype(int)
    scores = sk.f1_score(gold, predicted, average=None, zero_division=0)
    expected = {f"f1/{label}": score for label, score in zip(labels, scores, strict=True)} | {
        "f1_micro": sk.f1_score(gold, predicted, average="micro", zero_division=0),
        "f1_macro": sk.f1_score(gold, predicted, average="macro", zero_division=0),
        "subset_accuracy": sk.accuracy_score(gold, predicted),
    }
    evaluator = Evaluator(
        Gold(gold), aggregation=MeanLogits(), decoding=Thresholds(), metrics=Multilabel(), label_names=labels
    )
    check(evaluator, rows, expected, rng)


def test_regression_equals_scipy(rng):
    gold = rng.integers(-4, 5, 40) / 2  # ties, as people's scores have
    rows = document_windows(rng.normal(0, 1, (40, 1)) + gold[:, None], rng)
    predicted = mean_by_document(rows, 40)[:, 0]
    expected = {
        "pearson": stats.pearsonr(predicted, gold).statistic,
        "spearman": stats.spearmanr(predicted, gold).statistic,
        "rmse": sk.root_mean_squared_error(gold, predicted),
        "mae": sk.mean_absolute_error(gold, predicted),
    }
    evaluator = Evaluator(
        Gold(gold), aggregation=MeanLogits(), decoding=Identity(), metrics=Regression(), label_names=()
    )
    check(evaluator, rows, expected, rng)


def tagged_split(rng):
    """Return gold tags that often break the scheme, offsets, and windows of five words that share two."""
    offsets = np.concatenate([[0], np.cumsum(rng.integers(1, 15, 12))])
    gold = rng.integers(0, len(TAGS), offsets[-1])
    documents, words, windows, edges = [], [], [], []
    window = 0
    for document, size in enumerate(np.diff(offsets)):
        for start in range(0, max(size - 2, 1), 3):
            inside = np.arange(start, min(start + 5, size))
            documents += [document] * len(inside)
            words += inside.tolist()
            windows += [window] * len(inside)
            edges += (1 + np.minimum(inside - start, inside[-1] - inside)).tolist()
            window += 1
    logits = rng.normal(0, 1, (len(words), len(TAGS)))
    logits += 2 * np.eye(len(TAGS))[gold[offsets[np.array(documents)] + np.array(words)]]
    columns = (np.array(each) for each in (documents, windows, words, edges))
    return gold, offsets, WindowLogits(logits.astype(np.float32), *columns)


def farthest_tags(rows, offsets):
    """Return the tag of each word in the window where it is farthest from an edge, by loops."""
    best = {}
    for row in range(len(rows.documents)):
        word = offsets[rows.documents[row]] + rows.words[row]
        rank = (rows.edge_distances[row], -rows.windows[row])
        if word not in best or rank > best[word][0]:
            best[word] = (rank, rows.logits[row].argmax())
    return np.array([best[word][1] for word in range(offsets[-1])])


def sentences(tags, offsets):
    return [[TAGS[tag] for tag in part] for part in np.split(tags, offsets[1:-1])]


def test_entities_equal_seqeval(rng):
    gold, offsets, rows = tagged_split(rng)
    wanted, given = sentences(gold, offsets), sentences(farthest_tags(rows, offsets), offsets)
    strict = {"mode": "strict", "scheme": IOB2, "zero_division": 0}
    by_type = dict(zip(["LOC", "PER"], entity_f1(wanted, given, average=None, **strict), strict=True))
    expected = {f"f1/{name}": value for name, value in by_type.items()} | {
        "entity_f1_strict": entity_f1(wanted, given, **strict),
        "entity_precision_strict": entity_precision(wanted, given, **strict),
        "entity_recall_strict": entity_recall(wanted, given, **strict),
        "entity_f1": entity_f1(wanted, given, zero_division=0),
        "entity_precision": entity_precision(wanted, given, zero_division=0),
        "entity_recall": entity_recall(wanted, given, zero_division=0),
        "token_accuracy": tag_accuracy(wanted, given),
    }
    evaluator = Evaluator(
        Gold(gold, offsets),
        aggregation=WordFarthest(),
        decoding=Argmax(),
        metrics=Entities(),
        label_names=TAGS,
    )
    check(evaluator, rows, expected, rng)


def test_words_equal_scikit_learn(rng):
    gold, offsets, rows = tagged_split(rng)
    predicted = farthest_tags(rows, offsets)
    expected = by_label(gold, predicted, TAGS) | {
        "accuracy": sk.accuracy_score(gold, predicted),
        "f1_macro": sk.f1_score(gold, predicted, average="macro", zero_division=0),
    }
    evaluator = Evaluator(
        Gold(gold, offsets), aggregation=WordFarthest(), decoding=Argmax(), metrics=Words(), label_names=TAGS
    )
    check(evaluator, rows, expected, rng)
