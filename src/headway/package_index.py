"""Download a file from the package index that pip is configured with."""

from __future__ import annotations

import ast
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from headway.types import ConfigError, DataError

if TYPE_CHECKING:
    from types import TracebackType

    from pypi_simple import DistributionPackage, PyPISimple
    from requests import Session

PYPI = "https://pypi.org/simple/"
TIMEOUT = (15.0, 120.0)
"""Seconds to wait for a connection, and for the next bytes."""
_LOG = logging.getLogger(__name__)


def download(project: str, filename: str, target: Path, *, alternative: Path) -> str:
    """Write a project's file to `target`, from the first index that has it; the caller checks its content.

    Args:
        project: The project's name.
        filename: One of its files.
        target: Written to, over what is there.
        alternative: Where a user may put the file by hand; error messages name it.

    Returns:
        The host it came from.

    Raises:
        ConfigError: The indexes were reached and have no such file.
        DataError: An index could not be reached, and no other has the file.
    """
    import requests

    settings = pip_settings()
    indexes = _indexes(settings)
    failures: list[str] = []
    for index in indexes:
        try:
            if _download_from(index, project, filename, target=target, settings=settings):
                return _host(index)
        except requests.RequestException as error:
            failures.append(f"{_host(index)} ({type(error).__name__})")
    advice = f"point pip at an index that has it, or put the file at {alternative}"
    if failures:
        raise DataError(
            f"{filename} must come from the package index, got no answer from {', '.join(failures)}; "
            f"check the connection, {advice}"
        )
    hosts = ", ".join(_host(index) for index in indexes) or "no index over http(s)"
    raise ConfigError(
        f"`filename` of package {project} must be a file that the package index has, got {filename!r}, which "
        f"is not on {hosts}; correct the pin, {advice}"
    )


def pip_settings() -> dict[str, str]:
    """Return pip's settings, as `pip config list` resolves them from its files and the environment."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    # pip is asked because it alone knows where its files are and which of them wins.
    listing = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    found = re.findall(r"^(:env:|install|global)\.([a-z-]+)=(.*)$", listing.stdout, re.MULTILINE)
    settings: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        settings |= {key: str(ast.literal_eval(value)) for owner, key, value in found if owner == section}
    if listing.returncode != 0:  # an environment without pip
        names = {name: f"PIP_{name.upper().replace('-', '_')}" for name in _USED}
        settings = {name: os.environ[variable] for name, variable in names.items() if variable in os.environ}
    return settings


_USED = ("index-url", "extra-index-url", "cert", "proxy")


def _indexes(settings: dict[str, str]) -> list[str]:
    indexes = [settings.get("index-url", PYPI), *settings.get("extra-index-url", "").split()]
    # The Simple API is spoken over HTTP; indexes that are folders (file://) only pip can read.
    return [index for index in indexes if index.startswith(("http://", "https://"))]


def _download_from(
    index: str, project: str, filename: str, *, target: Path, settings: dict[str, str]
) -> bool:
    from pypi_simple import PyPISimple

    with _session(settings) as session, PyPISimple(index, session=session) as client:
        package = _find(client, project, filename)
        if package is None:
            return False
        _LOG.info("fetching %s from %s", filename, _host(index))
        # verify=False: the caller compares with the pin, which says more than the index's own digest.
        client.download_package(
            package, target, verify=False, progress=lambda size: _Bar(filename, size), timeout=TIMEOUT
        )
        return True


def _find(client: PyPISimple, project: str, filename: str) -> DistributionPackage | None:
    from pypi_simple import NoSuchProjectError

    try:
        page = client.get_project_page(project, timeout=TIMEOUT)
    except NoSuchProjectError:
        return None
    return next((package for package in page.packages if package.filename == filename), None)


@contextmanager
def _session(settings: dict[str, str]) -> Iterator[Session]:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    with requests.Session() as session:
        retries = Retry(total=3, connect=1, backoff_factor=0.5, status_forcelist=(502, 503, 504))
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retries))
        if "cert" in settings:
            session.verify = settings["cert"]
        if "proxy" in settings:
            session.proxies = {"http": settings["proxy"], "https": settings["proxy"]}
        yield session


def _host(index: str) -> str:
    """Return an index's host alone: its address may hold a password."""
    return urlsplit(index).hostname or "the index"


class _Bar:
    """A progress bar on stderr, where that is a terminal; what pypi-simple calls a ProgressTracker."""

    def __init__(self, description: str, size: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task(description, total=size)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self, increment: int) -> None:
        """Move the bar on by so many bytes."""
        self._progress.advance(self._task, increment)
