"""A checkpoint is whole or not there, holds no objects, and the best one is the best epoch's."""

from __future__ import annotations

import signal
from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch

from headway.tracking.checkpoint_io import AtomicCheckpointIO
from headway.tracking.checkpoints import BestCheckpoint
from headway.types import CheckpointError, ConfigError, Stopped, TrainingError


def _names(folder, pattern="*"):
    return sorted(child.name for child in folder.glob(pattern))


class Scripted(pl.LightningModule):
    """Its one weight is the number of steps taken; its metric is what the script says for each epoch."""

    def __init__(self, values):
        super().__init__()
        self.values = values
        self.steps = torch.nn.Parameter(torch.zeros(()))
        self.evaluations = {}

    def training_step(self, batch, batch_idx):
        return -self.steps

    def validation_step(self, batch, batch_idx):
        pass

    def on_validation_epoch_end(self):
        value = self.values[self.current_epoch]
        self.evaluations["val"] = f"evaluation of epoch {self.current_epoch}"
        if value is not None:
            self.log("val/f1", value)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=1.0)


@pytest.fixture
def fit(tmp_path):
    """Return a function: (values, mode, ...) -> the callback after a training of an epoch a value."""

    def fit(values, *, mode="max", monitor="val/f1", save_last=True, callbacks=(), **named):
        best = BestCheckpoint(
            monitor=monitor, mode=mode, dirpath=tmp_path / "c", save_last=save_last, **named
        )
        trainer = pl.Trainer(
            accelerator="cpu",
            max_epochs=len(values),
            num_sanity_val_steps=0,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            plugins=[AtomicCheckpointIO()],
            callbacks=[best, *callbacks],
        )
        loader = torch.utils.data.DataLoader(torch.zeros(2, 1), batch_size=1)
        trainer.fit(Scripted(values), loader, loader)
        return best

    return fit


pytestmark = pytest.mark.filterwarnings(
    "ignore:.*does not have many workers.*", "ignore:.*LeafSpec.*", "ignore:.*exists and is not empty.*"
)


@pytest.mark.parametrize(
    ("values", "mode", "epoch"),
    [
        ([0.1, 0.5, 0.3], "max", 1),
        ([0.1, 0.5, 0.3], "min", 0),
        ([0.4, 0.4, 0.4], "max", 0),  # of equals the first
        ([0.0, -1.0, 2.0], "max", 2),
    ],
)
def test_the_best_epoch_is_kept_with_its_weights_and_what_it_scored(fit, values, mode, epoch):
    best = fit(values, mode=mode)
    assert best.best_epoch == epoch
    assert best.best_evaluation == f"evaluation of epoch {epoch}"
    assert float(best.best_model_score) == pytest.approx(values[epoch])
    loaded = torch.load(best.best_model_path, weights_only=True)
    assert loaded["state_dict"]["steps"].item() == 2 * (epoch + 1)  # two steps an epoch
    assert loaded["epoch"] == epoch


def test_there_is_one_best_and_one_last(fit, tmp_path):
    fit([0.1, 0.2, 0.3, 0.2])
    assert _names(tmp_path / "c", "*.ckpt") == ["best.ckpt", "last.ckpt"]
    last = torch.load(tmp_path / "c" / "last.ckpt", weights_only=True)
    assert last["state_dict"]["steps"].item() == 8
    assert torch.load(tmp_path / "c" / "best.ckpt", weights_only=True)["global_step"] == 6


def test_last_may_be_left_out(fit, tmp_path):
    fit([0.1, 0.2], save_last=False)
    assert _names(tmp_path / "c", "*.ckpt") == ["best.ckpt"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_metric_that_is_not_a_number_is_never_the_best(fit, value, tmp_path):
    with pytest.raises(TrainingError, match=r"val/f1 is -?(nan|inf) after epoch 1, .*task\.monitor"):
        fit([0.5, value, 0.4])
    kept = torch.load(tmp_path / "c" / "best.ckpt", weights_only=True)
    assert kept["state_dict"]["steps"].item() == 2


def test_a_metric_that_is_never_logged_ends_the_training_and_lists_those_that_are(fit):
    with pytest.raises(TrainingError, match=r"val/f2 is not logged after epoch 0.*\['val/f1'\]"):
        fit([0.5, 0.6], monitor="val/f2")


def test_a_validation_outside_of_training_keeps_nothing(tmp_path):
    best = BestCheckpoint(monitor="val/f1", mode="max", dirpath=tmp_path, save_last=True)
    for sanity, function in ((True, "fit"), (False, "validate")):
        trainer = SimpleNamespace(sanity_checking=sanity, state=SimpleNamespace(fn=function))
        best.on_validation_end(trainer, None)
    assert best.best_evaluation is None
    assert list(tmp_path.iterdir()) == []


def test_last_is_written_between_validations_by_steps(fit, tmp_path):
    seen = []

    class Look(pl.Callback):
        def on_train_batch_end(self, trainer, *_):
            path = tmp_path / "c" / "last.ckpt"
            saved = torch.load(path, weights_only=True)["global_step"] if path.exists() else None
            seen.append((trainer.global_step, saved))

    fit([0.1, 0.2], every_n_steps=1, callbacks=[Look()])
    assert seen == [(1, None), (2, 1), (3, 2), (4, 3)]


@pytest.mark.parametrize("name", ["every_n_steps", "every_minutes"])
def test_a_bound_that_is_none_is_refused_by_its_key(tmp_path, name):
    with pytest.raises(ConfigError, match=rf"callbacks\.checkpoint\.{name}` must be > 0.*got 0"):
        BestCheckpoint(monitor="val/f1", mode="max", dirpath=tmp_path, save_last=True, **{name: 0})


def test_a_folder_that_cannot_be_written_is_an_error_before_training(fit, tmp_path):
    (tmp_path / "c").write_text("")
    with pytest.raises(CheckpointError, match="checkpoints can't be written to"):
        fit([0.1])


def test_a_stop_writes_nothing_where_none_would_go_on_from_it(tmp_path):
    best = BestCheckpoint(monitor="val/f1", mode="max", dirpath=tmp_path, save_last=True, every_n_steps=1)
    best.resumable, best.signals = False, SimpleNamespace(received=signal.SIGTERM)
    with pytest.raises(Stopped, match="stopped by SIGTERM; heads that were trained together begin again"):
        best._stop(SimpleNamespace(global_step=3))  # has no save_checkpoint
    assert not best._is_time(3)
    assert list(tmp_path.iterdir()) == []
