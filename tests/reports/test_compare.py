"""Two runs beside each other."""

import pytest
from scipy import stats

from headway.reports.compare import compare
from headway.reports.flips import CLOSER, FARTHER, LOST, OTHERWISE, WON
from headway.types import ConfigError, DataError


def pair(written_run, first, second, **more):
    return compare(written_run("a", *first, **more), written_run("b", *second, **more), resamples=2_000)


def test_each_kind_of_flip(written_run):
    right = ["a", "a", "a", "b", "b"]
    found = pair(written_run, (right, list("abcbb")), (right, list("bacbb")), labels="abc")
    assert {flip.id: flip.kind for flip in found.flips} == {"0": LOST, "1": WON}
    assert (found.flips[0].first, found.flips[0].second, found.flips[0].right) == ("a", "b", "a")
    assert found.flips[0].text == "text 0"
    other = compare(written_run("c", right, list("abcbb"), labels="abc"),
                    written_run("d", right, list("abbbb"), labels="abc"))  # fmt: skip
    assert [(flip.id, flip.kind) for flip in other.flips] == [("2", OTHERWISE)]


def test_scores_get_closer_or_farther_off(written_run):
    options = {"labels": (), "task": "regression.Regression", "metric": "mae", "mode": "min"}
    found = pair(written_run, ([1.0, 2.0, 3.0, 4.0], [1.0, 2.5, 3.5, 4.0]),
                 ([1.0, 2.0, 3.0, 4.0], [1.5, 2.0, 2.5, 4.0]), **options)  # fmt: skip
    assert {flip.id: flip.kind for flip in found.flips} == {"0": FARTHER, "1": CLOSER}
    assert found.values == pytest.approx((0.25, 0.25))


def test_the_p_value_is_that_of_a_test_of_pairs(written_run, answers):
    right, first = answers(1, 30, 400)
    _, second = answers(2, 60, 400)
    found = pair(written_run, (right, first), (right, second))
    lost, won = found.counts()[LOST], found.counts()[WON]
    exact = stats.binomtest(won, won + lost).pvalue  # McNemar's
    assert found.difference.p == pytest.approx(exact, abs=0.01)
    assert found.difference.value == pytest.approx((won - lost) / 400)
    assert found.values == pytest.approx((0.925, 0.85))


def test_documents_are_matched_by_id_and_what_is_missing_is_said(written_run):
    first = written_run("a", ["no", "yes", "no"], ["no", "yes", "no"], ids=["x", "y", "z"])
    second = written_run("b", ["yes", "yes", "no"], ["yes", "no", "no"], ids=["z", "y", "w"])
    found = compare(first, second)
    assert found.documents == 1
    assert (found.matched.only_first, found.matched.only_second) == (("x",), ("w",))
    assert found.matched.other_gold == ("z",)
    assert [flip.id for flip in found.flips] == ["y"]
    assert found.values == (1.0, 0.0)


def test_what_differs(written_run):
    right = ["no", "yes"]
    first = written_run("a", right, right, record={"environment": {"python": "3.11.7"}})
    second = written_run(
        "b", right, right, seed=2,
        cfg={"optimizer": {"lr": 0.5}, "data": {"name": "mine", "train": "b.csv"}},
        record={"environment": {"python": "3.12.1"}, "data": {"sha256": "ab"}, "total_steps": 9},
    )  # fmt: skip
    found = compare(first, second)
    assert [(each.key, each.first, each.second) for each in found.config] == [
        ("seed", 1, 2), ("data_seed", 1, 2), ("optimizer.lr", 0.001, 0.5), ("total_steps", None, 9),
    ]  # fmt: skip
    assert [each.key for each in found.data] == ["data.train", "data.sha256"]
    assert [each.key for each in found.environment] == ["environment.python"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["class", "pair", "labels", "score", "entities", "words"])
def test_a_run_equals_itself(finished_run, kind):
    folder = finished_run(kind).folder
    found = compare(folder, folder, resamples=100)
    assert (found.flips, found.config, found.data, found.environment) == ([], [], [], [])
    assert (found.difference.value, found.difference.p) == (0, 1)


def test_words_that_changed_are_named(written_run, tmp_path):
    import json

    import pyarrow as pa
    import pyarrow.parquet as pq

    folders = []
    for name, given in (("a", ["O", "B-X"]), ("b", ["B-X", "B-X"])):
        folder = written_run(name, ["no"], ["no"], task="entities.Entities", metric="entity_f1")
        table = pa.table({"id": ["0"], "tokens": [["on", "Mars"]], "gold": [["O", "B-X"]],
                          "prediction": [given], "loss": [0.5]})  # fmt: skip
        table = table.replace_schema_metadata({"label_names": json.dumps(["O", "B-X", "I-X"])})
        pq.write_table(table, folder / "predictions" / "test.parquet")
        folders.append(folder)
    (flip,) = compare(*folders).flips
    assert (flip.kind, flip.right, flip.first, flip.second) == (LOST, "on=O", "on=O", "on=B-X")


def test_refusals(written_run, tmp_path):
    right = ["no", "yes"]
    first = written_run("a", right, right)
    scores = written_run("s", [1.0, 2.0], [1.0, 2.0], labels=(), task="regression.Regression")
    strange = written_run("x", right, right, ids=["p", "q"])
    with pytest.raises(DataError, match="must be runs of the same kind of task, got label and scores"):
        compare(first, scores)
    with pytest.raises(DataError, match="A and B must share documents, matched by id"):
        compare(first, strange)
    with pytest.raises(DataError, match="B must be one run's folder, got .* with 3 runs"):
        compare(first, tmp_path / "runs")
    with pytest.raises(DataError, match=r"--split must be one .* one of \['test'\], got 'validation'"):
        compare(first, first, split="validation")
    with pytest.raises(ConfigError, match="--metric must be one of"):
        compare(first, first, metric="f2")
