"""Options of a group as nodes, the user's own folder among them."""

from __future__ import annotations

import pytest

from headway.config.options import option_nodes
from headway.types import ConfigError

GROUP = "task/aggregation"


def test_every_option_is_there_with_its_arguments():
    nodes = option_nodes(GROUP, key="x")
    assert {"mean_logits", "max_logits", "majority_vote", "top_k_mean", "word_farthest"} <= set(nodes)
    assert nodes["top_k_mean"] == {
        "_target_": "headway.evaluation.aggregation.top_k_mean.TopKMean",
        "k": 2,
    }


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(
        ConfigError, match=r"`compare_aggregations` must hold names .* \(did you mean 'max_logits'\?\)"
    ):
        option_nodes(GROUP, ["mean_logits", "max_logit"], key="compare_aggregations")


def test_an_option_of_the_users_folder_is_one_of_them(tmp_path, monkeypatch):
    folder = tmp_path / "experiments" / "task" / "aggregation"
    folder.mkdir(parents=True)
    (folder / "top_three.yaml").write_text("defaults: [top_k_mean, _self_]\nk: 3\n")
    monkeypatch.setenv("HEADWAY_EXPERIMENTS", str(tmp_path / "experiments"))
    assert option_nodes(GROUP, ["top_three"], key="x")["top_three"]["k"] == 3
