"""After a training whose weights were shared out over devices (FSDP): a whole model to score and to keep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.built_run import build_run

if TYPE_CHECKING:
    from headway.built_run import BuiltRun
    from headway.data.text_data import TextData
    from headway.models.backbone import Backbone

FSDP = "fsdp"


def is_sharded(cfg: dict[str, Any]) -> bool:
    """Say whether a run's weights are shared out.

    Args:
        cfg: The resolved config.
    """
    return str(cfg["trainer"].get("strategy") or "").startswith(FSDP)


def whole_again(
    cfg: dict[str, Any], folder: Path, built: BuiltRun, *, data: TextData, backbone: Backbone
) -> BuiltRun:
    """Return a whole model and a trainer that scores it; its weights come from the best checkpoint.

    What FSDP trained holds parts of tensors only, in this process's share.

    Args:
        cfg: The resolved config.
        folder: The run's folder.
        built: What trained.
        data: Read and encoded.
        backbone: The encoder's description.

    Returns:
        The same run, with another module and trainer.
    """
    scoring = {**cfg, "trainer": {**cfg["trainer"], "strategy": "ddp"}, "logger": None}
    whole = build_run(scoring, folder, data, backbone)
    whole.module.loss_chain.load_state_dict(built.module.loss_chain.state_dict())
    return replace(built, module=whole.module, trainer=whole.trainer, loaders=whole.loaders)
