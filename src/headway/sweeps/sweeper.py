"""Makes a sweep of a command: plan it, run what isn't done, sum up."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from hydra.core.plugins import Plugins
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf

from headway.stop_signals import StopSignals
from headway.sweeps.index import Index
from headway.sweeps.launched import LaunchedJobs, train_one
from headway.sweeps.loop import Runner, SweepLoop
from headway.sweeps.optuna_points import OptunaPoints
from headway.sweeps.plan import SweepPlan, make_plan
from headway.sweeps.points import GridPoints, Points
from headway.sweeps.processes import Processes
from headway.sweeps.results import PointResult
from headway.sweeps.summary import SweepFacts, is_complete, show_summary, write_summary
from headway.sweeps.trials import TrialMaker
from headway.tracking.record import redact, write_text
from headway.types import ConfigError

PACKAGE_LOG = logging.getLogger("headway.sweeps")
STUDY, LOG = "study.db", "sweep.log"


def run_sweep(
    config: DictConfig, context: HydraContext, *, arguments: Sequence[str], params: Mapping[str, Any]
) -> list[PointResult]:
    """Run a sweep; what the plugin in hydra_plugins does.

    Args:
        config: The sweep's, with Hydra's part.
        context: Has the loader of configs.
        arguments: The command's overrides.
        params: Key -> values, beside those of `sweep.params`.

    Returns:
        A result a point.

    Raises:
        SystemExit: Caused by the ConfigError that refuses the sweep; with status 1 where a point didn't
            finish; with 143 after SIGTERM.
    """
    try:
        plan = make_plan(config, context.config_loader, arguments=arguments, params=params)
        plan.folder.mkdir(parents=True, exist_ok=True)
        points = _run(plan, config, context)
    except ConfigError as error:
        raise SystemExit(error.exit_status) from error
    if not is_complete(points):
        raise SystemExit(1)
    return points


def _run(plan: SweepPlan, config: DictConfig, context: HydraContext) -> list[PointResult]:
    index = Index(plan.folder)
    try:
        loop = SweepLoop(
            plan.settings,
            points=_points(plan),
            index=index,
            maker=TrialMaker(plan.composer, plan.folder, plan.seeds, used=index.folders()),
        )
    except ConfigError:
        index.discard()
        raise
    index.study(plan.signature, plan.monitor, plan.mode)
    facts = SweepFacts(plan.command, plan.monitor, plan.mode, asdict(plan.settings), plan.signature)
    whole = redact(OmegaConf.to_container(config, resolve=False, enum_to_str=True))
    write_text(plan.folder / "multirun.yaml", yaml.safe_dump(whole, sort_keys=False, allow_unicode=True))
    try:
        with _logged(plan.folder / LOG), StopSignals():
            loop.run(_runner(plan, loop, config, context))
    except (OSError, ValueError) as error:  # which mean a user's mistake to the command, and aren't one
        raise RuntimeError(f"the sweep itself failed: {error}") from error
    finally:
        points = list(loop.results.values())
        write_summary(plan.folder, points, facts)
        index.close()
    show_summary(plan.folder, points, facts)
    return points


def _runner(plan: SweepPlan, loop: SweepLoop, config: DictConfig, context: HydraContext) -> Runner:
    if not plan.launched:
        return Processes(time_limit=plan.settings.time_limit, on_epoch=loop.epoch, on_end=loop.end)
    launcher = Plugins.instance().instantiate_launcher(
        hydra_context=context, task_function=train_one, config=config
    )
    return LaunchedJobs(launcher, plan.folder, on_end=loop.end)


def _points(plan: SweepPlan) -> Points:
    if not plan.settings.needs_optuna:
        return GridPoints(plan.dimensions)
    return OptunaPoints(
        plan.dimensions,
        settings=plan.settings,
        storage=plan.settings.storage or f"sqlite:///{plan.folder / STUDY}",
        study_name=f"{plan.folder.parent.name}/{plan.folder.name}",
        direction=plan.mode,
        signature=plan.signature,
    )


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Write the sweep's lines to a file too."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("[%(asctime)s] %(message)s"))
    PACKAGE_LOG.addHandler(handler)
    try:
        yield
    finally:
        PACKAGE_LOG.removeHandler(handler)
        handler.close()
