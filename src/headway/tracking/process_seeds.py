"""Lets each of several processes draw its own dropout."""

from __future__ import annotations

import os

import numpy as np
import pytorch_lightning as pl
import torch


class ProcessSeeds(pl.Callback):
    """Seed every process but the first by its number: Lightning gave all of them the same seed.

    A checkpoint holds the first one's generators. So a resumed training of several processes draws other
    dropout than one that was never stopped.
    """

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Seed torch's generators by seed, process and step."""
        if trainer.global_rank:
            seed = int(os.environ.get("PL_GLOBAL_SEED", "0"))
            words = np.random.SeedSequence([seed, trainer.global_rank, trainer.global_step]).generate_state(2)
            torch.manual_seed(int(words[0]) << 31 ^ int(words[1]))
