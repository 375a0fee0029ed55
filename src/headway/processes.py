"""Several processes that train together: who starts them, which one this is, and how they end."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
import yaml

from headway.types import HeadwayError, TrainingError

RANK_VARIABLES = ("RANK", "SLURM_PROCID", "LOCAL_RANK")
WORLD_VARIABLES = ("WORLD_SIZE", "SLURM_NTASKS")
WORKER = "headway.process_worker"
PATIENCE = 30.0
"""Seconds that the other processes get to end by themselves."""


def process_rank() -> int:
    """Return the number of this process among those that train together; 0 where it is alone."""
    return next((int(os.environ[name]) for name in RANK_VARIABLES if name in os.environ), 0)


def started_by_others() -> bool:
    """Say whether torchrun, SLURM or headway itself started this process as one of several."""
    several = any(int(os.environ.get(name) or 1) > 1 for name in WORLD_VARIABLES)
    return several and any(name in os.environ for name in RANK_VARIABLES)


def local_processes(trainer: Mapping[str, Any]) -> int:
    """Return how many processes a trainer's node makes on this machine.

    Args:
        trainer: The config's `trainer`.
    """
    devices, accelerator = trainer["devices"], trainer["accelerator"]
    gpus = torch.cuda.device_count() if accelerator in ("auto", "gpu", "cuda") else 0
    if isinstance(devices, str) and "," in devices:
        devices = [part for part in devices.split(",") if part.strip()]
    if isinstance(devices, Sequence) and not isinstance(devices, str):
        return len(devices)
    if devices in ("auto", "-1", -1):
        return max(1, gpus)
    return int(devices)


def all_processes(trainer: Mapping[str, Any]) -> int:
    """Return how many processes train together, over all machines.

    Args:
        trainer: The config's `trainer`.
    """
    if started_by_others():
        return next(int(os.environ[name]) for name in WORLD_VARIABLES if name in os.environ)
    return local_processes(trainer) * int(trainer.get("num_nodes") or 1)


@contextmanager
def training_together(cfg: dict[str, Any], folder: Path) -> Iterator[None]:
    """Start the other processes of a run, where nobody else has, and end them with the block.

    They are given the config on their standard input, so that no secret lies in a file, and do what this one
    does but for writing the run's folder.

    Args:
        cfg: The resolved config.
        folder: The run's folder.

    Raises:
        TrainingError: One of them failed, and this one with it.
    """
    count = local_processes(cfg["trainer"])
    if started_by_others() or count == 1:
        if process_rank():
            logging.getLogger("headway").setLevel(logging.ERROR)  # the first process says the rest
        try:
            yield
        finally:
            _leave_group()
        return
    before = dict(os.environ)
    os.environ.update(_variables(count))
    workers: list[subprocess.Popen[bytes]] = []
    try:
        workers += [_start(cfg, folder, rank) for rank in range(1, count)]
        yield
        _leave_group()
        _refuse_failed(workers)
    except HeadwayError:  # which all of them meet, so that each has said the same
        raise
    except Exception as error:
        _refuse_failed(workers, error)
        raise
    finally:
        _end(workers)
        _leave_group()
        os.environ.clear()
        os.environ.update(before)


def _variables(count: int) -> dict[str, str]:
    """Return what Lightning and torch read: this is the first of several processes of one machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(count),
        "LOCAL_WORLD_SIZE": str(count),
        "NODE_RANK": "0",
        "RANK": "0",
        "LOCAL_RANK": "0",
    }


def _start(cfg: dict[str, Any], folder: Path, rank: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "RANK": str(rank), "LOCAL_RANK": str(rank)}
    worker = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=environment,
    )
    told = yaml.safe_dump({"cfg": cfg, "folder": str(folder)}, allow_unicode=True).encode()
    if worker.stdin is not None:
        with suppress(BrokenPipeError):  # it is gone already; its status says so
            worker.stdin.write(b"%d\n" % len(told) + told)
            worker.stdin.flush()  # and left open: its end tells the worker that this process is gone
    return worker


def _refuse_failed(workers: Sequence[subprocess.Popen[bytes]], cause: Exception | None = None) -> None:
    """Raise if one of the processes failed: what this one says then is only that the other is gone."""
    for rank, worker in enumerate(workers, start=1):
        try:
            status = worker.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            continue
        if status:
            raise TrainingError(
                f"process {rank} of {len(workers) + 1} ended with status {status}, and the training with it; "
                "what it said stands above (a negative status is a signal's: -9 where memory ran out)"
            ) from cause


def _end(workers: Sequence[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        if worker.stdin is not None:
            with suppress(OSError):
                worker.stdin.close()
        if worker.poll() is None:
            worker.terminate()
    for worker in workers:
        try:
            worker.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _leave_group() -> None:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
