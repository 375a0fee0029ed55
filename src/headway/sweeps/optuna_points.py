"""Points that Optuna draws or prunes, by its ask and tell."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headway.config.build import build
from headway.sweeps.jobs import FINISHED, PRUNED, Outcome
from headway.sweeps.settings import SweepSettings
from headway.sweeps.space import Dimension, Params, grid
from headway.types import ConfigError

if TYPE_CHECKING:
    import optuna

SPACE = "headway.space"
FREE, LAST = 20, 200
"""Repeated draws in a row after which points are drawn at random, and after which there are no more."""


class OptunaPoints:
    """Points of an Optuna study that is kept in a storage.

    The study's sampler is made anew for each draw, seeded by the sweep's seed and the number of the draw. A
    seed given once would give a resumed study its first points again.

    Args:
        dimensions: What is swept.
        settings: The sweep's.
        storage: URL of the storage.
        study_name: The sweep's name in the storage.
        direction: "max" or "min", of the monitored metric.
        signature: Hash of all that decides what a point comes to.

    Raises:
        ConfigError: The storage can't be opened, or holds another sweep of the same name.
    """

    def __init__(
        self,
        dimensions: Sequence[Dimension],
        *,
        settings: SweepSettings,
        storage: str,
        study_name: str,
        direction: str,
        signature: str,
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.ahead = settings.n_jobs
        self._settings = settings
        drawn = settings.sampler is not None
        self._distributions = {each.key: _distribution(each, drawn=drawn) for each in dimensions}
        self._grid: Iterator[Params] | None = grid(dimensions) if settings.sampler is None else None
        self._live: dict[str, list[optuna.Trial]] = {}  # several where a running point is drawn again
        self._repeats = 0
        pruner = None
        if settings.pruner is not None:
            pruner = build(settings.pruner, key="sweep.pruner")
        try:
            self._study = optuna.create_study(
                storage=storage,
                study_name=study_name,
                direction="maximize" if direction == "max" else "minimize",
                pruner=pruner or optuna.pruners.NopPruner(),
                load_if_exists=True,
            )
        except Exception as error:  # whatever the storage's driver raises
            raise ConfigError(
                f"`sweep.storage` must be a URL that Optuna can open, got {type(error).__name__}: "
                f"{str(error).splitlines()[0]:.200}; correct it, or leave it out for a file in the "
                "sweep's folder"
            ) from error
        self._sign(study_name, signature)

    def _sign(self, study_name: str, signature: str) -> None:
        """Write what the study is of, or check it."""
        found = self._study.user_attrs.get(SPACE)
        if found is None:
            self._study.set_user_attr(SPACE, signature)
        elif found != signature:
            raise ConfigError(
                f"`sweep.name` must name a sweep of the same config and values, but the study {study_name!r} "
                "is of others, and its values would mislead the search; set sweep.name=<another>"
            )

    def known(self) -> Sequence[Params]:
        """Return the different points of the study, in the order in which they were drawn."""
        by_key = {_key(each.params): dict(each.params) for each in self._trials() if each.params}
        return list(by_key.values())

    def next(self) -> Params | None:
        """Return a new point: drawn, or the grid's next."""
        if self._grid is not None:
            params = next(self._grid, None)
            if params is not None:
                params = self._asked(params)
            return params
        return self._ask()

    def open(self, params: Params) -> None:
        """Give a known point another trial in the study, for its epochs to be compared."""
        self._end_stale(params)
        self._asked(params)

    def _asked(self, params: Params) -> Params:
        self._study.enqueue_trial(params)
        while True:
            asked = self._ask()
            if _key(asked) == _key(params):
                return asked
            # Queued by an earlier command that was killed before it began the trial.
            self._forget(asked)

    def _forget(self, params: Params) -> None:
        """Take back the last draw of a point."""
        from optuna.trial import TrialState

        self._study.tell(self._live[_key(params)].pop(), state=TrialState.FAIL)

    def _ask(self) -> Params:
        number = len(self._trials())
        self._study.sampler = self._sampler(number)
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # what Optuna calls experimental, and floats that a step can't reach
            trial = self._study.ask(self._distributions)
        params = dict(trial.params)
        self._live.setdefault(_key(params), []).append(trial)
        return params

    def _sampler(self, number: int) -> Any:
        import numpy as np
        import optuna

        seed = int(np.random.SeedSequence([self._settings.seed, number]).generate_state(1)[0])
        if self._settings.sampler is None or self._repeats >= FREE:
            return optuna.samplers.RandomSampler(seed=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return build(self._settings.sampler, key="sweep.sampler", seed=seed)

    def report(self, params: Params, epoch: int, value: float) -> bool:
        """Give an epoch's value to the study; return whether its pruner would stop the trial."""
        live = self._live.get(_key(params))
        if not live or self._settings.pruner is None:
            return False
        trial = live[0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the second attempt at a trial reports its first epochs again
            trial.report(value, epoch)
        return trial.should_prune()

    def settle(self, params: Params, outcome: Outcome) -> None:
        """Tell the study what a point came to."""
        from optuna.trial import TrialState

        states = {FINISHED: TrialState.COMPLETE, PRUNED: TrialState.PRUNED}
        state = states.get(outcome.status, TrialState.FAIL)
        values = outcome.value if state == TrialState.COMPLETE else None
        live = self._live.pop(_key(params), [])
        if live:
            self._repeats = 0
            self._study.tell(live[0], values, state=state)
            return
        # Of an earlier command, which may have been killed before it could tell.
        if any(each.state == state for each in self._same(params)):
            state, values = TrialState.FAIL, None
        self._end_stale(params, values, state)

    def _end_stale(self, params: Params, values: float | None = None, state: Any = None) -> None:
        """End the trials that a killed command left running: the first as given, all others as failed."""
        from optuna.trial import TrialState

        for trial in self._same(params):
            if trial.state == TrialState.RUNNING:
                self._study.tell(trial.number, values, state=state or TrialState.FAIL)
                values, state = None, None

    def _same(self, params: Params) -> list[Any]:
        return [each for each in self._trials() if _key(each.params) == _key(params)]

    def repeated(self, params: Params) -> bool:
        """Forget a draw of a point that is there already; return whether another draw makes sense."""
        self._forget(params)
        self._repeats += 1
        return self._grid is not None or self._repeats < LAST

    def _trials(self) -> list[Any]:
        return list(self._study.get_trials(deepcopy=False))


def _key(params: Mapping[str, Any]) -> str:
    return json.dumps(dict(params), sort_keys=True)


def _distribution(dimension: Dimension, *, drawn: bool) -> Any:
    """Return Optuna's distribution; of a grid's point, which nothing draws, the words as they are."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    low, high, step = dimension.low, dimension.high, dimension.step
    if not drawn or low is None or high is None:
        return CategoricalDistribution(dimension.words or ())
    if dimension.is_int:
        return IntDistribution(int(low), int(high), log=dimension.log, step=int(step or 1))
    return FloatDistribution(low, high, log=dimension.log, step=step)
