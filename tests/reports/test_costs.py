"""What a config's runs cost."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from headway.reports.costs import cost, trained_parameters
from headway.reports.curves import read_curves
from headway.reports.run_folders import read_run


def test_seconds_and_documents(written_run):
    timing = {"seconds": {"encoder": 2.0, "head": 1.0, "optimizer": 0.5, "evaluation": None, "total": 9.0}}
    runs = [
        read_run(written_run("a", ["no"], ["no"], record={"timing": timing})),
        read_run(written_run("b", ["no"], ["no"])),  # an older record
    ]
    found = cost(runs)
    assert found.wall == pytest.approx((9 + 5) / 2)
    assert found.device == 3.5
    assert found.examples_per_second == pytest.approx(100 * 2 / 4)  # two epochs in 4 seconds
    assert not found.shared


def test_runs_trained_together_have_no_speed_of_their_own(written_run):
    found = cost([read_run(written_run("a", ["no"], ["no"], record={"trained_together": 30}))])
    assert (found.shared, found.examples_per_second) == (True, None)


def test_nothing_is_known_of_no_run():
    assert cost([]) == cost([]).__class__(None, None, None, None, False)


@pytest.mark.parametrize(("trainable", "expected"), [("none", 6), ("all", 16), ("last_n", 3_500_000)])
def test_parameters_from_weights_or_the_log(written_run, trainable, expected):
    folder = written_run("a", ["no"], ["no"], cfg={"backbone": {"trainable": trainable}})
    (folder / "model").mkdir()
    weights = {
        "encoder.x": np.zeros((2, 5), np.float32),
        "head.classifier.weight": np.zeros((3, 2), np.float32),
    }
    save_file(weights, folder / "model" / "model.safetensors")
    (folder / "run.log").write_text("[INFO] model: X, 3.5 M of 22.6 M parameters train\n")
    assert trained_parameters(read_run(folder)) == expected


def test_the_record_knows_best(written_run):
    folder = written_run("a", ["no"], ["no"], record={"parameters": {"trained": 7, "all": 9}})
    assert trained_parameters(read_run(folder)) == 7


def test_damaged_weights_leave_a_gap(written_run):
    folder = written_run("a", ["no"], ["no"], cfg={"backbone": {"trainable": "none"}})
    (folder / "model").mkdir()
    (folder / "model" / "model.safetensors").write_bytes(b"\x09")
    assert trained_parameters(read_run(folder)) == 0


def test_curves_have_the_mean_loss_of_an_epoch(written_run):
    folder = written_run(
        "a", ["no"], ["no"], curves=["1,0.9,,", "2,0.7,,", "2,,0.8,0.5", "3,0.5,,", "3,,nan,x"]
    )
    curves = read_curves(folder)
    assert curves["train/loss"] == ((1, pytest.approx(0.8)),)
    assert curves["val/accuracy"] == ((1, 0.5),)
    assert read_curves(folder / "nowhere") == {}
