"""What a config describes, built as far as that needs neither data nor weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from headway.assembly import build_backbone, build_data
from headway.config.build import build, resolve
from headway.config.check import check_config
from headway.scoring import Candidates, aggregations_to_compare
from headway.teacher import check_teacher

if TYPE_CHECKING:
    from headway.data.text_data import TextData
    from headway.models.backbone import Backbone


class Checked(NamedTuple):
    """What a config describes, before anything is read.

    Attributes:
        data: The rows.
        backbone: The encoder.
        to_compare: Aggregations to choose from, or None.
    """

    data: TextData
    backbone: Backbone
    to_compare: Candidates | None


def checked(cfg: dict[str, Any]) -> Checked:
    """Build all that can be built without reading data or weights.

    Args:
        cfg: The resolved config, plain values.

    Raises:
        ConfigError: The first thing that is wrong.
    """
    check_config(cfg)
    data, backbone = build_data(cfg), build_backbone(cfg)
    check_teacher(cfg)
    for key in ("batching", "optimizer", "schedule"):
        build(cfg[key], key=key)
    _check_head(cfg)
    return Checked(data, backbone, aggregations_to_compare(cfg))


def _check_head(cfg: dict[str, Any]) -> None:
    """Let a head of headway's own check its values, before the model that it stands on is asked for."""
    from headway.models.heads.linear import LinearHead

    node = cfg["task"]["head"]
    if issubclass(resolve(node["_target_"], key="task.head"), LinearHead):
        build(node, key="task.head", hidden_size=1, num_labels=1, initializer_range=0.02)
