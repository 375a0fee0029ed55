"""Loaders for Lightning: plans every epoch, and hands batches to each process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from headway.data.batching import Batching
from headway.data.collator import WindowBatches
from headway.data.loss_weights import LossWeighting, sum_windows, token_weights, window_weights
from headway.data.plans import BatchPlan, PlanSampler, plan_epoch, plan_evaluation
from headway.data.resumable import ResumableOrder
from headway.data.text_data import TextData
from headway.stop_signals import leave_signals
from headway.types import IGNORE_INDEX, Batch, RowStep

POOLED_BATCH = 8192
"""Windows a batch in evaluation where each is one kept vector."""


class DataModule(ResumableOrder):
    """Batches of encoded splits.

    Args:
        data: Read and encoded.
        batching: How an epoch is cut into batches.
        data_seed: Of the order of windows.
        accumulate: Micro-batches in an optimizer step.
        limit_train_batches: A ratio of the micro-batches (float) or their count (int).
        max_steps: Optimizer steps of the whole training at most; -1 for no bound.
        teacher: What another run thinks of train, as WindowBatches takes it; None: nothing.

    Attributes:
        by_epoch: Whether the training loader gives one item an epoch, for a HeadTuner, which takes
            `row_steps`.
    """

    def __init__(
        self,
        data: TextData,
        *,
        batching: Batching,
        data_seed: int,
        accumulate: int,
        limit_train_batches: int | float = 1.0,
        max_steps: int = -1,
        teacher: np.ndarray | None = None,
    ) -> None:
        super().__init__(data_seed)
        self._data = data
        self._batching = batching
        self._accumulate = accumulate
        self._limit = limit_train_batches
        self._max_steps = max_steps
        # Number of processes -> optimizer steps before each epoch, as far as they are known.
        self._steps_before: dict[int, list[int]] = {}
        self._train: WindowBatches | None = None
        self._train_weights = np.empty(0)
        self.by_epoch = False
        self._features: Callable[[str], np.ndarray] | None = None
        self._teacher = teacher
        if "train" in data.encoded:
            self._prepare_training()

    def _prepare_training(self) -> None:
        encoded = self._data.encoded["train"]
        labels = self._data.labels("train")
        token_level = self._data.target.token_level
        weighting = LossWeighting(self._data.loss_weight, windows_each=self._data.windows_each)
        if token_level:
            weights = token_weights(encoded, labels, weighting=weighting)
            self._train_weights = sum_windows(weights, encoded)
        else:
            weights = self._train_weights = window_weights(encoded, weighting=weighting)
        self._train = self._dataset("train", labels=labels, weights=weights)

    def train_plan(self, epoch: int, *, rank: int = 0, num_processes: int = 1) -> list[BatchPlan]:
        """Return one process's micro-batches of an epoch; a pure function of the config and the epoch.

        An epoch in which max_steps is reached ends there, so that it is validated as every other.
        """
        left = -1
        if self._max_steps >= 0:
            left = max(0, self._max_steps - self.steps_before(epoch, num_processes=num_processes))
        return plan_epoch(
            self._batching,
            lengths=self._data.encoded["train"].window_lengths,
            weights=self._train_weights,
            seed=self.data_seed,
            epoch=epoch,
            accumulate=self._accumulate,
            documents=self._data.encoded["train"].documents,
            windows_each=self._data.windows_each,
            rank=rank,
            num_processes=num_processes,
            limit=self._limit,
            max_steps=left,
        )

    def steps_before(self, epoch: int, *, num_processes: int = 1) -> int:
        """Return the optimizer steps taken before an epoch; of `max_epochs`, those of the whole training."""
        known = self._steps_before.setdefault(num_processes, [0])
        while len(known) <= epoch:
            plan = self.train_plan(len(known) - 1, num_processes=num_processes)
            known.append(known[-1] + ceil(len(plan) / self._accumulate))
        return known[epoch]

    def sees(self, num_windows: int, *, max_epochs: int) -> bool:
        """Return whether training on one process sees at least so many windows, each as often as it comes.

        Args:
            num_windows: Windows.
            max_epochs: Epochs of the training.
        """
        left = num_windows
        for epoch in range(max_epochs):
            left -= sum(len(plan.windows) for plan in self.train_plan(epoch))
            if left <= 0:
                return True
        return False

    def use_features(self, features: Callable[[str], np.ndarray]) -> None:
        """Give batches the kept features of their windows from now on.

        Args:
            features: Split -> (num_windows, hidden_size) or (num_tokens, hidden_size), as WindowBatches takes
                them; called when a split is first needed.
        """
        self._features = features
        if self._train is not None:
            self._train = self._dataset("train", labels=self._train.labels, weights=self._train.weights)

    def _dataset(
        self, split: str, *, labels: np.ndarray | None = None, weights: np.ndarray | None = None
    ) -> WindowBatches:
        encoded = self._data.encoded[split]
        features = None if self._features is None else self._features(split)
        return WindowBatches(
            encoded,
            labels,
            token_level=self._data.target.token_level,
            weights=weights,
            features=features,
            token_features=features is not None and len(features) == encoded.num_tokens,
            teacher=None if labels is None else self._teacher,
        )

    def training_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the label and the weight of each row that `row_steps` may name.

        Returns:
            (num_rows, ...) labels and (num_rows,) float32 weights: a row a window, or a token where tokens
            are labelled.

        Raises:
            RuntimeError: There is no encoded train split.
        """
        if self._train is None or self._train.labels is None or self._train.weights is None:
            raise RuntimeError("call read and encode before training_rows")
        if self._data.target.token_level:
            return self._train.labels, self._train.weights
        return self._train.labels[self._train.encoded.documents], self._train.weights

    def row_steps(self, epoch: int) -> list[RowStep]:
        """Return an epoch's optimizer steps as rows: what one process does in it, without batches.

        Args:
            epoch: From 0.
        """
        plans, encoded = self.train_plan(epoch), self._data.encoded["train"]
        steps = []
        for start in range(0, len(plans), self._accumulate):
            step = plans[start : start + self._accumulate]
            rows = np.concatenate([plan.windows for plan in step])
            if self._data.target.token_level:
                spans = zip(encoded.offsets[rows].tolist(), encoded.offsets[rows + 1].tolist(), strict=True)
                tokens = np.concatenate([np.arange(first, last) for first, last in spans])
                rows = tokens[self.training_rows()[0][tokens] != IGNORE_INDEX]
            steps.append(RowStep(rows, step[0].normalizer))
        return steps

    def _loader(self, dataset: WindowBatches, sampler: Any) -> DataLoader[Batch]:
        return DataLoader(
            dataset,
            batch_size=None,
            sampler=sampler,
            num_workers=self._data.num_workers,
            persistent_workers=self._data.num_workers > 0,
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=leave_signals,
            # Its own: a loader draws a seed for its workers, else from the generator that dropout draws from.
            generator=torch.Generator(),
        )

    def _position(self) -> tuple[int, int]:
        return (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return the loader of the current epoch; Lightning sets later epochs on its sampler."""
        if self._train is None:
            raise RuntimeError("call read and encode before train_dataloader")
        if self.by_epoch:
            return DataLoader([0], batch_size=None)  # type: ignore[arg-type]
        rank, num_processes = self._position()
        epoch = 0 if self.trainer is None else self.trainer.current_epoch
        sampler = PlanSampler(
            lambda number: self.train_plan(number, rank=rank, num_processes=num_processes),
            epoch=epoch,
            position=self.done_of(epoch),
        )
        return self._loader(self._train, sampler)

    def eval_dataloader(self, split: str) -> DataLoader[Batch]:
        """Return the loader that gives every window of a split once, over all processes."""
        rank, num_processes = self._position()
        dataset = self._dataset(split)
        pooled = dataset.features is not None and not dataset.token_features
        plans = plan_evaluation(
            dataset.encoded.window_lengths,
            batch_size=POOLED_BATCH if pooled and self._unlimited() else self._data.eval_batch_size,
            rank=rank,
            num_processes=num_processes,
        )
        return self._loader(dataset, PlanSampler(lambda _: plans))

    def _unlimited(self) -> bool:
        """Return whether all batches are looked at, so that nothing depends on their size."""
        trainer = self.trainer
        return trainer is None or trainer.limit_val_batches == trainer.limit_test_batches == 1.0

    def plain_batches(self, split: str) -> Iterator[Batch]:
        """Yield every window of a split once, in batches without kept features, on one process."""
        encoded = self._data.encoded[split]
        plans = plan_evaluation(encoded.window_lengths, batch_size=self._data.eval_batch_size)
        dataset = WindowBatches(encoded, None, token_level=self._data.target.token_level)
        yield from self._loader(dataset, PlanSampler(lambda _: plans))

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return the loader of the validation split."""
        return self.eval_dataloader("validation")

    def test_dataloader(self) -> DataLoader[Batch]:
        """Return the loader of the test split."""
        return self.eval_dataloader("test")
