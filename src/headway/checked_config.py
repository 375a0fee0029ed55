"""What a config describes, built as far as that needs neither data nor weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from headway.assembly import build_backbone, build_data
from headway.config.build import build
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
    return Checked(data, backbone, aggregations_to_compare(cfg))
