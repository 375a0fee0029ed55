"""Makes the trials of a point: their configs, their names, and folders that nothing has used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from headway.config.identity import run_id
from headway.sweeps.composer import Composer
from headway.sweeps.jobs import Trial
from headway.sweeps.space import Params, overrides_of


class TrialMaker:
    """Makes trials of one sweep.

    Args:
        composer: Makes configs.
        folder: The sweep's folder.
        seeds: Of the replicates; (None,) for one run of each point.
        used: Folders that attempts were given before, also where they were killed before they made them.
    """

    def __init__(
        self, composer: Composer, folder: Path, seeds: Sequence[int | None], *, used: Iterable[Path] = ()
    ) -> None:
        self._composer = composer
        self._folder = folder
        self.seeds = tuple(seeds)
        self._taken = set(used)

    def replicates(self, params: Params, number: int) -> list[Trial]:
        """Return a trial for each seed.

        Args:
            params: Of the point.
            number: Of the point.
        """
        return [self.trial(params, place, number) for place in range(len(self.seeds))]

    def trial(self, params: Params, place: int, number: int) -> Trial:
        """Return one trial.

        Args:
            params: Of the point.
            place: Of the seed.
            number: Of the point.
        """
        seed = self.seeds[place]
        point = [*overrides_of(params), *([] if seed is None else [f"seed={seed}"])]

        def new_folder(subdir: str) -> Path:
            """Return a folder that no attempt has used."""
            wanted = self._folder / subdir / ("" if seed is None else f"seed-{seed}")
            folder, attempt = wanted, 0
            while folder in self._taken or folder.exists():
                attempt += 1
                folder = wanted.with_name(f"{wanted.name}-retry-{attempt}")
            return folder

        composed = self._composer(point, number=number, folder_of=new_folder)
        return Trial(
            id=run_id(composed.cfg),
            point=number,
            seed=seed,
            cfg=composed.cfg,
            folder=composed.folder,
            overrides=composed.overrides,
            job_logging=composed.job_logging,
            first=place == 0,
            environment=composed.environment,
            chdir=composed.chdir,
        )

    def take(self, trial: Trial) -> Trial:
        """Return a trial whose folder no other gets from now on."""
        self._taken.add(trial.folder)
        return trial

    def relative(self, trial: Trial) -> str:
        """Return a trial's folder as the sweep's files have it."""
        return str(trial.folder.relative_to(self._folder))


def named(trial: Trial, params: Params) -> str:
    """Return what lines call a trial.

    Args:
        trial: The trial.
        params: Of its point.
    """
    words = [*overrides_of(params), *([] if trial.seed is None else [f"seed={trial.seed}"])]
    return f"#{trial.point} {' '.join(words)}".rstrip()
