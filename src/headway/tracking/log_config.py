"""Tells a logger the config of its run; a CSV has no place for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytorch_lightning.loggers import CSVLogger, Logger

from headway.tracking.record import redact


def log_config(logger: Logger | None, cfg: Mapping[str, Any]) -> None:
    """Write the resolved config, without secrets, as the run's hyperparameters.

    Args:
        logger: The run's, or None.
        cfg: The resolved config.
    """
    if logger is not None and not isinstance(logger, CSVLogger):
        logger.log_hyperparams(redact(dict(cfg)))
