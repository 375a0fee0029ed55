"""The same small training by a plain Lightning Trainer and by Hugging Face's, as their guides show it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader
from transformers import (
    AutoModelForSequenceClassification,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from trust_parts.interrupted import read_tape
from trust_parts.peer_parts import Ender, Fault, Rows
from trust_parts.rows import check

EPOCHS, BATCH = 3, 8


class Peer(Protocol):
    """A training in a folder."""

    folder: Path

    def train(
        self,
        *,
        kill_after: int | None = None,
        resume: bool = False,
        signal_after: tuple[int, int] | None = None,
    ) -> None:
        """Train; kill the process or send it a signal after a step; or go on from the last checkpoint."""

    def compare(self, whole: Peer) -> None:
        """Raise NotHeldError where batches, losses or final weights differ."""

    def saved_step(self) -> int | None:
        """Return the step of the last checkpoint that loads; None where there is none."""


class _Peer:
    """What both share.

    Args:
        work: Holds `bert` and `rows.jsonl`.
        name: Of the training.
        workers: Loader workers.
        save_every: Steps from checkpoint to checkpoint; by default as headway's trainings of this table.
    """

    kind = ""

    def __init__(self, work: Path, name: str, *, workers: int = 0, save_every: int = 2) -> None:
        self.work = work
        self.save_every = save_every
        self.workers = workers
        self.folder = work / self.kind / name
        self.tape = work / f"{self.kind}-{name}-{workers}.tape"
        self.fault: Fault | None = None

    def _model(self) -> Any:
        return AutoModelForSequenceClassification.from_pretrained(self.work / "bert", num_labels=2)

    def compare(self, whole: _Peer) -> None:
        """Raise NotHeldError where batches, losses or final weights differ."""
        try:
            seen = read_tape(self.tape)
        except ValueError as error:
            check(False, f"a batch was another the second time: {error}")
        else:
            check(seen == read_tape(whole.tape), "batches or losses differ")
        mine, others = (torch.load(each.folder / "final.pt") for each in (self, whole))
        check(all(torch.equal(value, others[name]) for name, value in mine.items()), "final weights differ")


class _Module(pl.LightningModule):
    def __init__(self, model: Any, ender: Ender) -> None:
        super().__init__()
        self.model = model
        self.ender = ender

    def training_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> torch.Tensor:
        """Return the loss."""
        inputs = {name: value for name, value in batch.items() if name != "row"}
        loss: torch.Tensor = self.model(**inputs).loss
        rows = batch["row"].tolist()
        self.ender.note(epoch=self.current_epoch, batch=batch_idx, rows=rows, loss=float(loss))
        return loss

    def on_train_batch_end(self, *_: Any) -> None:
        """End, if it is time."""
        self.ender.end()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return AdamW."""
        return torch.optim.AdamW(self.parameters(), lr=1e-3)


class LightningPeer(_Peer):
    """Lightning, with ModelCheckpoint and `ckpt_path`."""

    kind = "lightning"

    def train(
        self,
        *,
        kill_after: int | None = None,
        resume: bool = False,
        signal_after: tuple[int, int] | None = None,
    ) -> None:
        """Train; kill the process or send it a signal after a step; or go on from the last checkpoint."""
        torch.set_num_threads(1)
        pl.seed_everything(1, verbose=False)
        model = self._model()
        ender = Ender(self.tape, kill_after, signal_after, fault=self.fault, model=model)
        module = _Module(model, ender)
        keep = pl.callbacks.ModelCheckpoint(
            dirpath=self.folder, save_last=True, every_n_train_steps=self.save_every, save_top_k=1
        )
        trainer = pl.Trainer(
            accelerator="cpu", max_epochs=EPOCHS, logger=False, enable_progress_bar=False,
            enable_model_summary=False, callbacks=[keep], default_root_dir=self.folder,
        )  # fmt: skip
        loader = DataLoader(Rows(self.work), batch_size=BATCH, shuffle=True, num_workers=self.workers)
        last = self.folder / "last.ckpt"
        trainer.fit(module, loader, ckpt_path=str(last) if resume and last.exists() else None)
        self.folder.mkdir(parents=True, exist_ok=True)
        torch.save(module.model.state_dict(), self.folder / "final.pt")

    def saved_step(self) -> int | None:
        """Return the step of the last checkpoint that loads; None where there is none."""
        try:
            step: int = torch.load(self.folder / "last.ckpt", weights_only=True)["global_step"]
        except Exception:
            return None
        return step


class _Watch(TrainerCallback):
    def __init__(self, ender: Ender) -> None:
        self.ender = ender

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """End, if it is time."""
        self.ender.end()


class _Trainer(Trainer):
    ender: Ender

    def compute_loss(self, model: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
        """Return the loss, and note it."""
        rows = inputs.pop("row").tolist()
        loss: Any = super().compute_loss(model, inputs, *rest, **named)
        step = self.state.global_step
        self.ender.note(epoch=step // 5, batch=step % 5, rows=rows, loss=float(loss))
        return loss


class TrainerPeer(_Peer):
    """Hugging Face's Trainer, with `save_steps` and `resume_from_checkpoint`."""

    kind = "trainer"

    def trainer(self, **named: Any) -> _Trainer:
        """Return the trainer, with other arguments where named."""
        asked: dict[str, Any] = {
            "output_dir": str(self.folder), "num_train_epochs": EPOCHS, "per_device_train_batch_size": BATCH,
            "seed": 1, "save_steps": self.save_every, "save_total_limit": 2, "learning_rate": 1e-3,
            "use_cpu": True, "report_to": [], "disable_tqdm": True, "dataloader_num_workers": self.workers,
            "remove_unused_columns": False, "lr_scheduler_type": "constant", "logging_strategy": "no",
        }  # fmt: skip
        arguments = TrainingArguments(**{**asked, **named})
        trainer = _Trainer(model=self._model(), args=arguments, train_dataset=Rows(self.work))
        trainer.ender = Ender(self.tape, None, None)
        return trainer

    def train(
        self,
        *,
        kill_after: int | None = None,
        resume: bool = False,
        signal_after: tuple[int, int] | None = None,
    ) -> None:
        """Train; kill the process or send it a signal after a step; or go on from the last checkpoint."""
        torch.set_num_threads(1)
        trainer = self.trainer()
        trainer.ender = Ender(self.tape, kill_after, signal_after, fault=self.fault, model=trainer.model)
        trainer.add_callback(_Watch(trainer.ender))
        trainer.train(resume_from_checkpoint=resume and any(self.folder.glob("checkpoint-*")))
        torch.save(trainer.model.state_dict(), self.folder / "final.pt")

    def saved_step(self) -> int | None:
        """Return the step of the last checkpoint that loads; None where there is none."""
        for folder in sorted(
            self.folder.glob("checkpoint-*"), key=lambda each: -int(each.name.split("-")[1])
        ):
            try:
                AutoModelForSequenceClassification.from_pretrained(folder)
                torch.load(folder / "optimizer.pt", weights_only=True)
                step: int = json.loads((folder / "trainer_state.json").read_text())["global_step"]
            except Exception:
                return None
            return step
        return None
