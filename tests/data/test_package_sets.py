"""The data sets that come in packages: their yamls bind, and what they fetch is what DATA.md's table says."""

import inspect
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from headway.config.build import build
from headway.data.sources.files import Files
from headway.data.sources.package import Package
from headway.data.targets import ClassTarget, MultiTarget, ScoreTarget, TagTarget
from headway.data.text_data import TextData

CONF = Path(__file__).parents[2] / "conf"
# Rows of the official splits, validation with train where it is cut from it; "all" where test is cut too.
ROWS = {
    "r8": {"train": 5485, "test": 2189},
    "r52": {"train": 6532, "test": 2568},
    "newsgroups": {"train": 11293, "test": 7528},
    "bbc": {"all": 2225},
    "movie_reviews": {"all": 1500},
    "movie_sentences": {"all": 4000},
    "boolq": {"train": 9427, "test": 3270},
    # 21046 and 2573, each less one message that is empty
    "disaster": {"train": 21045, "validation": 2572, "test": 2629},
    "movie_valence": {"all": 10605},
    "conll2003_ner": {"train": 14041, "validation": 3250, "test": 3453},
    "conll2003_pos": {"train": 14041, "validation": 3250, "test": 3453},
}
NUM_LABELS = {"r8": 8, "r52": 52, "newsgroups": 20, "bbc": 5, "disaster": 37, "movie_valence": 0}
NUM_LABELS |= {"conll2003_ner": 9, "conll2003_pos": 45}
TARGETS = {target.role: target for target in (ClassTarget, MultiTarget, ScoreTarget, TagTarget)}


def data_node(name, cache_dir, *overrides):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose(overrides=[f"+data={name}", f"+cache_dir={cache_dir}", *overrides])
    node = OmegaConf.to_container(cfg.data, resolve=True)
    assert isinstance(node, dict)
    return node


def data_of(node):
    (role,) = [role for role in TARGETS if node[role] is not None]
    return build(node, key="data", target=TARGETS[role]())


def parameters(function):
    return set(inspect.signature(function).parameters)


@pytest.mark.parametrize("name", ROWS)
def test_every_set_composes_and_binds(name, tmp_path):
    node = data_node(name, tmp_path)
    data = data_of(node)
    assert isinstance(data, TextData)
    assert isinstance(data.source, Package)
    assert node["name"] == name


def test_every_argument_stands_in_yaml(tmp_path):
    node = data_node("r8", tmp_path)
    assert parameters(TextData) == (set(node) | {"target"}) - {"_target_"}
    assert parameters(Package) == set(node["source"]) - {"_target_"}
    assert parameters(Files) == set(data_node("files", tmp_path, "data.train=my.csv")["source"]) - {
        "_target_"
    }


def test_your_own_file_is_bound_by_the_words_of_the_readme(tmp_path):
    overrides = (
        "data.train=my.csv@part:train",
        "data.text=body",
        "data.label=topic",
        "data.source.delimiter=semicolon",
    )
    data = data_of(data_node("files", tmp_path, *overrides))
    assert isinstance(data.source, Files)
    assert data.source.delimiter == "semicolon"
    assert (data.rules.train, data.roles.text, data.roles.label) == ("my.csv@part:train", "body", "topic")


@pytest.mark.download
@pytest.mark.parametrize("name", ROWS)
def test_every_set_has_the_rows_that_are_published(name, tmp_path):
    data = data_of(data_node(name, tmp_path))
    data.read()
    rows = {split: len(table) for split, table in data.tables.items()}
    expected = ROWS[name]
    if "validation" not in expected:
        rows["train"] += rows.pop("validation")
    assert (rows if "all" not in expected else {"all": sum(rows.values())}) == expected
    assert len(data.label_names) == NUM_LABELS.get(name, 2)


@pytest.mark.download
def test_conll_is_read_by_document(tmp_path):
    data = data_of(data_node("conll2003_ner", tmp_path, "data.source.by_document=true"))
    data.read()
    assert {split: len(table) for split, table in data.tables.items()} == {
        "train": 946,
        "validation": 216,
        "test": 231,
    }


@pytest.mark.download
@pytest.mark.parametrize("name", ["bbc", "boolq", "movie_valence"])
def test_no_text_stands_in_two_splits(name, tmp_path):
    data = data_of(data_node(name, tmp_path))
    data.read()
    texts = [set(table.column("text")) for table in data.tables.values()]
    assert not texts[0] & texts[-1]
    assert (
        not texts[0] & texts[1] or name == "boolq"
    )  # its questions repeat within train, with other passages
