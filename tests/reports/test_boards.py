"""Leaderboards over written runs."""

import pytest

from headway.reports.board import Settings
from headway.reports.boards import boards
from headway.reports.run_folders import read_runs
from headway.types import ConfigError


def lr(value):
    return {"optimizer": {"lr": value}}


def board(tmp_path, **settings):
    found = boards(read_runs([tmp_path / "runs"]), Settings(**{"resamples": 2_000, **settings}))
    assert len(found) == 1
    return found[0]


@pytest.fixture
def three(written_run, answers):
    """Configs of 5 runs each: 5 errors, about as many, and 40 of 100."""
    for number, errors in ((1, 5), (2, 6), (3, 40)):
        for seed in range(5):
            right, given = answers(10 * number + seed, errors + seed % 2)
            written_run(f"{number}-{seed}", right, given, seed=seed, cfg=lr(number / 1000))


def test_what_is_alike_shares_the_first_rank_and_none_is_the_best(three, tmp_path):
    found = board(tmp_path)
    assert [row.rank for row in found.rows] == [1, 1, 3]
    assert found.best is None
    assert [row.config.name for row in found.rows] == ["lr=0.001", "lr=0.002", "lr=0.003"]
    first = found.rows[0]
    assert sorted(first.values) == pytest.approx([0.94, 0.94, 0.95, 0.95, 0.95])
    assert first.interval[0] < first.mean < first.interval[1]
    assert (found.documents, found.metric, found.mode, len(found.comparisons)) == (100, "accuracy", "max", 3)
    assert all(each.decided for each in found.comparisons)  # five runs a side


def test_one_that_is_told_from_all_is_the_best(written_run, answers, tmp_path):
    for number, errors in ((1, 40), (2, 3)):
        right, given = answers(number, errors)
        written_run(str(number), right, given, cfg=lr(number / 1000))
    found = board(tmp_path)
    assert [row.rank for row in found.rows] == [1, 2]
    assert found.best is found.rows[0]
    assert "Configs with a single run" in found.notes[0]


@pytest.mark.parametrize("correction", ["holm", "romano_wolf"])
def test_places_of_comparisons_are_those_of_rows(three, tmp_path, correction):
    found = board(tmp_path, correction=correction)
    for each in found.comparisons:
        left, right = found.rows[each.left], found.rows[each.right]
        assert each.difference.value == pytest.approx(left.mean - right.mean)
        assert each.difference.value >= 0


def test_lower_is_better_for_the_loss(written_run, answers, tmp_path):
    right, given = answers(0, 10)
    for number, loss in ((1, 0.9), (2, 0.1)):
        losses = [loss + 0.01 * (row % 7) for row in range(100)]
        written_run(str(number), right, given, losses=losses, cfg=lr(number / 1000))
    found = board(tmp_path, metric="loss")
    assert (found.mode, [row.config.name for row in found.rows]) == ("min", ["lr=0.002", "lr=0.001"])


def test_other_documents_stand_on_a_board_of_their_own(written_run, answers, tmp_path):
    right, given = answers(0, 10)
    written_run("a", right, given)
    written_run("b", right[:50], given[:50], cfg=lr(0.5))
    found = boards(read_runs([tmp_path / "runs"]), Settings(resamples=100))
    assert [each.documents for each in found] == [100, 50]


def test_failed_pruned_and_collapsed_runs_are_counted(written_run, answers, tmp_path):
    right, given = answers(0, 10)
    written_run("a", right, given, record={"collapsed": "one answer for all of validation: no"})
    lost = written_run("b", right, given, seed=2)
    (lost / "record.json").unlink()
    other = written_run("c", right, given, cfg=lr(0.5))
    (other / "record.json").unlink()
    found = board(tmp_path)
    first, second = found.rows
    assert (first.config.collapsed(), len(first.config.failed()), len(first.values)) == (1, 1, 1)
    assert (second.rank, second.mean, len(second.config.failed())) == (None, None, 1)


def test_without_stored_predictions_there_is_a_mean_and_no_interval(written_run, answers, tmp_path):
    right, given = answers(0, 10)
    written_run("a", right, given)
    other = written_run("b", right, given, cfg=lr(0.5), record={"metrics": {"test": {"accuracy": 0.99}}})
    (other / "predictions" / "test.parquet").unlink()
    found = board(tmp_path)
    assert [(row.mean, row.interval is None, row.rank) for row in found.rows] == [
        (0.99, True, None), (pytest.approx(0.9), False, 1),
    ]  # fmt: skip
    assert any("no stored predictions" in note for note in found.notes)


def test_a_metric_of_ones_own_is_known_by_its_seeds(written_run, answers, tmp_path):
    right, given = answers(0, 10)
    record = {"metrics": {"test": {"mine": 0.5}}}
    folder = written_run("a", right, given, metric="mine", record=record)
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(text.replace("headway.evaluation.metrics.classification", "my_parts"))
    found = board(tmp_path)
    assert found.rows[0].values == (0.5,)
    assert any("class can't be built" in note for note in found.notes)


def test_a_metric_that_is_not_known_by_document_is_ranked_by_its_seeds(written_run, answers, tmp_path):
    for number, base in ((1, 0.5), (2, 0.9)):
        for seed in range(4):
            right, given = answers(seed, 10)
            record = {"metrics": {"test": {"mine": base + seed / 100}}}
            folder = written_run(f"{number}-{seed}", right, given, metric="mine", seed=seed, record=record,
                                 cfg=lr(number / 1000))  # fmt: skip
            text = (folder / "config.yaml").read_text()
            (folder / "config.yaml").write_text(
                text.replace("headway.evaluation.metrics.classi", "my_parts.classi")
            )
    found = board(tmp_path)
    assert [(row.rank, row.config.name) for row in found.rows] == [(1, "lr=0.002"), (2, "lr=0.001")]
    assert found.rows[0].interval[0] < 0.915 < found.rows[0].interval[1]
    assert any("over seeds alone" in note for note in found.notes)


def test_an_unknown_metric_is_refused_with_those_there_are(three, tmp_path):
    with pytest.raises(
        ConfigError, match=r"--metric must be one of .*'accuracy'.*got 'acuracy' \(did you mean"
    ):
        board(tmp_path, metric="acuracy")


def test_too_few_resamples_for_holm_are_said(three, tmp_path):
    assert any("use --correction romano_wolf" in note for note in board(tmp_path, resamples=20).notes)


def test_what_few_seeds_leave_untold_is_said(written_run, answers, tmp_path):
    for number, errors in ((1, (5, 6)), (2, (30, 45))):
        for seed, count in enumerate(errors):
            right, given = answers(10 * number + seed, count)
            written_run(f"{number}-{seed}", right, given, seed=seed, cfg=lr(number / 1000))
    found = board(tmp_path)
    assert [row.rank for row in found.rows] == [1, 1]
    note = next(note for note in found.notes if "coarse" in note)
    assert "0.3200 between lr=0.001 and lr=0.002" in note  # 0.945 less 0.625
    assert "2 runs say little" in note


def test_no_note_where_few_seeds_differ_by_no_more_than_seeds_do(written_run, answers, tmp_path):
    for number, errors in ((1, (5, 9)), (2, (6, 10))):
        for seed, count in enumerate(errors):
            right, given = answers(10 * number + seed, count)
            written_run(f"{number}-{seed}", right, given, seed=seed, cfg=lr(number / 1000))
    assert not any("coarse" in note for note in board(tmp_path).notes)


def test_runs_that_monitored_other_metrics_are_said(written_run, answers, tmp_path):
    right, given = answers(0, 10)
    written_run("a", right, given)
    written_run("b", right, given, metric="mcc", seed=2)
    assert any("different metrics (accuracy, mcc)" in note for note in board(tmp_path).notes)


def test_environments_that_differ_are_said(written_run, answers, tmp_path):
    right, given = answers(0, 10)
    written_run("a", right, given)
    written_run("b", right, given, seed=2, record={"environment": {"python": "3.12.1"}})
    assert "The runs' environments differ: python 3.11.7 | 3.12.1." in board(tmp_path).notes


def test_intervals_stay_where_the_metric_does(written_run, answers, tmp_path):
    for seed, errors in ((1, 0), (2, 30)):
        right, given = answers(seed, errors)
        written_run(str(seed), right, given, seed=seed)
    (row,) = board(tmp_path).rows
    assert row.interval[1] == 1.0
    assert row.interval[0] >= 0.0
