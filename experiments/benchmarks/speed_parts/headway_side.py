"""headway as a contender: the config that its command composes, and the run that its command makes of it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from speed_parts.clocks import counted_seconds
from speed_parts.machine import peak_mib
from speed_parts.works import Work


def compose(*overrides: str) -> dict[str, Any]:
    """Return the resolved config of `headway train` with some overrides, as plain values."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_module
    from omegaconf import OmegaConf

    from headway.config.search_path import register

    register()
    with initialize_config_module("headway.conf", version_base="1.3"):
        cfg = hydra_compose("train", overrides=list(overrides))
    plain: Any = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    return plain  # type: ignore[no-any-return]


def model_folder() -> str:
    """Return the folder of all-MiniLM-L6-v2, unpacked from its package by headway."""
    from headway.assembly import build_backbone

    return build_backbone(compose("backbone=minilm")).folder_or_name()


def throughput(work: Work, overrides: list[str], *, threads: int, cache: str) -> dict[str, float]:
    """Train as `headway train` does, and return what the last epoch came to.

    Args:
        work: Its last epoch is timed, the others warm up.
        overrides: Beside those of the work.
        threads: CPU threads.
        cache: Folder of encoded data.

    Returns:
        samples_per_second, seconds and peak_mib.
    """
    from headway.run import run

    with tempfile.TemporaryDirectory() as name:
        clock, folder = Path(name) / "marks.json", Path(name) / "run"
        cfg = compose(
            *work.overrides(),
            *overrides,
            f"num_threads={threads}",
            f"cache_dir={cache}",
            "+callbacks.clock._target_=speed_parts.clocks.LightningClock",
            f"+callbacks.clock.path={clock}",
        )
        folder.mkdir()
        run(cfg, folder)
        marks = json.loads(clock.read_text(encoding="utf-8"))
    seconds = counted_seconds(marks, epochs=work.epochs)
    with Path(work.train).open(encoding="utf-8") as rows:
        count = sum(1 for _ in rows)
    return {"samples_per_second": count / seconds, "seconds": seconds, "peak_mib": peak_mib()}
