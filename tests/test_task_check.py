"""Parts of a task that were made for another kind of answer are refused before anything is read."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from headway.assembly import build_data, build_evaluator
from headway.types import ConfigError, Gold, UnfitError

TASKS = {
    "classification": "data.label=a",
    "multilabel": "data.labels=[a,b]",
    "regression": "data.score=a",
    "entities": "data.text=null data.tokens=a data.tags=b data.scheme=IOB2",
    "words": "data.text=null data.tokens=a data.tags=b",
}
OWN = {
    "classification": {"cross_entropy", "focal", "argmax", "classification"},
    "multilabel": {"bce", "thresholds", "multilabel"},
    "regression": {"mse", "identity", "regression"},
    "entities": {"cross_entropy", "focal", "argmax", "spans", "entities", "words"},
    "words": {"cross_entropy", "focal", "argmax", "spans", "entities", "words"},
}
PARTS = {
    "loss": ("cross_entropy", "focal", "bce", "mse"),
    "decoding": ("argmax", "spans", "thresholds", "identity"),
    "metrics": ("classification", "multilabel", "regression", "entities", "words"),
}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("part", PARTS)
def test_a_part_fits_or_is_refused_by_its_key(task, part, compose_config):
    for option in PARTS[part]:
        words = (
            "data=files",
            "data.train=none.csv",
            f"task={task}",
            *TASKS[task].split(),
            "task.monitor=loss",
        )
        cfg = compose_config(*words, f"task/{part}={option}")
        if option in OWN[task]:
            assert build_data(cfg).target.role
            continue
        with pytest.raises(UnfitError, match=rf"`task\.{part}` must be one for data\."):
            build_data(cfg)


def test_iob1_by_document_is_refused(compose_config):
    """The sentence's first I- opens a span there; end to end, two spans would become one."""
    words = ("data=files", "data.train=x.conll", "task=entities", "data.text=null", "data.tokens=0")
    words += ("data.tags=1", "data.scheme=IOB1")
    assert build_data(compose_config(*words)).roles.scheme == "IOB1"
    with pytest.raises(UnfitError, match=r"`data\.source\.by_document` must be false with data\.scheme=IOB1"):
        build_data(compose_config(*words, "data.source.by_document=true"))


def test_thresholds_for_other_labels_are_refused_before_training(compose_config):
    words = ("data=files", "data.train=none.csv", "task=multilabel", "data.labels=[a,b]")
    cfg = compose_config(*words, "task.decoding.values=[0.5]")
    data = SimpleNamespace(label_names=("a", "b"), gold={"validation": Gold(np.array([[0, 1], [1, 0]]))})
    with pytest.raises(ConfigError, match=r"`task\.decoding\.values` must hold 2 thresholds"):
        build_evaluator(cfg, data, "validation")
