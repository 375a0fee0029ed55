"""Where Hydra looks for plugins: headway's sweeper. What it does is in headway.sweeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class HeadwaySweeper(Sweeper):
    """Runs grids and searches; conf/sweep says how.

    Hydra imports all plugins at each start, so that this module imports nothing else before it is used.

    Args:
        params: Key -> values, as Hydra's own sweepers take them.
    """

    def __init__(self, params: Mapping[str, Any] | None) -> None:
        self._params = dict(params or {})

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take what Hydra knows.

        Args:
            hydra_context: Has the loader of configs.
            task_function: Not used: trials are trained elsewhere, by headway.run.
            config: The sweep's, with Hydra's part.
        """
        self._context, self._config = hydra_context, config

    def sweep(self, arguments: list[str]) -> Any:
        """Run the sweep.

        Args:
            arguments: The command's overrides.

        Returns:
            A result a point.

        Raises:
            SystemExit: As headway.sweeps.sweeper.run_sweep says.
        """
        from headway.sweeps.sweeper import run_sweep

        return run_sweep(self._config, self._context, arguments=arguments, params=self._params)
