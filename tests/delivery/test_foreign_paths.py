"""What leads out of an export's folder is found."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from headway.delivery.foreign_paths import foreign_paths


def graph():
    weight = numpy_helper.from_array(np.ones((400, 4), dtype=np.float32), "w")
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 4]) for name in "xy")
    node = helper.make_node("Gemm", ["x", "w"], ["y"])
    return helper.make_model(helper.make_graph([node], "g", [x], [y], [weight]))


def test_a_whole_folder_leads_nowhere(tmp_path):
    onnx.save(graph(), tmp_path / "model.onnx")
    (tmp_path / "modeling_x.py").write_text("")
    config = {"_name_or_path": "bert-base", "auto_map": {"AutoModel": "modeling_x.Model"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"name_or_path": "bert", "auto_map": {"AutoTokenizer": [None, "modeling_x.T"]}})
    )
    assert foreign_paths(tmp_path) == []


def test_weights_in_another_file_are_found(tmp_path):
    onnx.save(
        graph(), tmp_path / "model.onnx", save_as_external_data=True, location="w.bin", size_threshold=0
    )
    assert foreign_paths(tmp_path) == ["model.onnx names another file that holds its weights"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"_name_or_path": "/home/me/model"}, "config.json: _name_or_path leads to '/home/me/model'"),
        ({"backbone": {"_name_or_path": "/x/y"}}, "config.json: _name_or_path leads to '/x/y'"),
        ({"vocab_file": "../vocab.txt"}, "config.json: vocab_file leads to '../vocab.txt'"),
        (
            {"auto_map": {"AutoModel": "someone/else--modeling.M"}},
            "auto_map.AutoModel leads to 'someone/else",
        ),
        ({"auto_map": {"AutoModel": "modeling.M"}}, "auto_map.AutoModel leads to 'modeling.M'"),
    ],
)
def test_keys_that_lead_out_are_found(config, message, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(config))
    (found,) = foreign_paths(tmp_path)
    assert message in found
