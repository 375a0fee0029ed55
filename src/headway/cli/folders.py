"""Knows which folders Hydra made for a run, so that a run that was refused leaves none behind."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

HYDRAS = ("run.log", "multirun.yaml")
"""What Hydra writes into a folder before headway has said that the run is sound."""


class NewFolders(Callback):
    """Hydra's callback that notes what isn't there before a run; conf/train.yaml names it.

    Hydra makes the instance and hands it to nobody, so the notes are the class's. Only one command runs in a
    process.
    """

    _new: ClassVar[list[Path]] = []
    started: ClassVar[bool] = False
    """Whether a job began, so that what is raised is no longer about composing."""

    @classmethod
    def forget(cls) -> None:
        """Forget the notes of an earlier command."""
        cls._new = []
        cls.started = False

    @classmethod
    def remove(cls) -> None:
        """Remove the files and folders that are new and hold no run."""
        # A job's folder goes before the multirun.yaml beside it, which stays as long as there is one.
        for path in sorted(set(cls._new), key=lambda path: (-len(path.parts), path.name in HYDRAS)):
            if path.name not in HYDRAS:
                with suppress(OSError):  # it holds something: a run that ended well, or the user's own
                    path.rmdir()
            elif path.is_file() and not cls._has_runs(path.parent):
                path.unlink()

    @staticmethod
    def _has_runs(folder: Path) -> bool:
        return (folder / "config.yaml").exists() or any(path.is_dir() for path in folder.iterdir())

    @classmethod
    def _note(cls, folder: Path) -> None:
        paths = (*(folder / name for name in HYDRAS), folder, *folder.parents)
        cls._new.extend(path for path in paths if not path.exists())

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Note what Hydra will make."""
        with suppress(OmegaConfBaseException):  # Hydra reads the same key next, and raises
            self._note(Path(config.hydra.run.dir).absolute())

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Note what Hydra will make for all the jobs."""
        with suppress(OmegaConfBaseException):
            self._note(Path(config.hydra.sweep.dir).absolute())

    def on_job_start(self, config: DictConfig, *, task_function: Any, **kwargs: Any) -> None:
        """Note the job's folder, which is there already; it is new if nothing is in it."""
        type(self).started = True
        folder = Path(config.hydra.runtime.output_dir)
        self._note(folder)
        if config.hydra.mode.name == "MULTIRUN" and not any(folder.iterdir()):
            self._new.append(folder)
