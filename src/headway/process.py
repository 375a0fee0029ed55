"""What is set for the whole process before a run: warnings, memory, seeds."""

from __future__ import annotations

import gc
import logging
import os
import warnings
from typing import Any

import pytorch_lightning as pl

QUIET = (
    ".*does not have many workers.*",  # meant: batches are slices of a memory map
    ".*exists and is not empty.*",  # the run's folder holds its config before its curves
    ".*smaller than the logging interval.*",
    ".*in eval mode at the start of training.*",  # meant: what is frozen
    ".*configure_optimizers. returned .None.*",  # meant: a head's steps are taken elsewhere
    ".*dataloader is not resumable.*",  # its plan is: see DataModule.state_dict
    ".*sync_dist=True.*",  # each process has the same scores, of all rows
    ".*isinstance.treespec, LeafSpec.*",  # Lightning's own use of torch
)
"""Warnings of Lightning's that say nothing about the run."""


_earlier: list[bool] = []


def let_go_of_earlier_runs() -> None:
    """Free what earlier runs of this process held, their open files too: trainers lie in cycles.

    Costs nothing in the first run, and so in a trial of a sweep, which has a process of its own.
    """
    if _earlier:
        gc.collect()
    else:
        _earlier.append(True)


def prepare_process(cfg: dict[str, Any]) -> None:
    """Quieten what says nothing of the run, and seed all generators.

    Args:
        cfg: The resolved config.
    """
    # Forked loader workers and threads of the tokenizer don't go together.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false" if cfg["data"]["num_workers"] else "true")
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in QUIET:
        warnings.filterwarnings("ignore", message=message)
    pl.seed_everything(cfg["seed"], verbose=False)
