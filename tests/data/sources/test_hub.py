"""The Hub is faked at its border, datasets.load_dataset; what stands behind it are real data set objects."""

from importlib import import_module
from pathlib import Path
from unittest.mock import Mock

import datasets
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from headway.data.columns import canonical
from headway.data.roles import Roles
from headway.data.sources.hub import Hub
from headway.data.targets import ClassTarget, MultiTarget, ScoreTarget, TagTarget
from headway.types import ConfigError, DataError

CONF = Path(__file__).parents[3] / "conf" / "data"
TEXT, NUMBER = Value("string"), Value("int32")
TARGETS = {target.role: target for target in (ClassTarget(), MultiTarget(), ScoreTarget(), TagTarget())}
ENTITIES = ["O", "B-person", "I-person", "B-location", "I-location"]


@pytest.fixture
def hub(monkeypatch):
    """Put rows on the faked Hub: a function of rows and features; gives the list of calls made."""

    def put(rows, features=None):
        calls = []

        def load_dataset(path, name=None, *, split=None, revision=None):
            calls.append((path, name, split, revision))
            return Dataset.from_dict(rows, features=features and Features(features))

        monkeypatch.setattr(datasets, "load_dataset", load_dataset)
        return calls

    return put


@pytest.fixture
def broken_hub(monkeypatch):
    """Make the faked Hub raise: a function of the error."""
    return lambda error: monkeypatch.setattr(datasets, "load_dataset", Mock(side_effect=error))


def test_the_split_asked_for_is_loaded(hub):
    calls = hub({"text": ["a"]})
    table = Hub("nyu-mll/glue", "mnli", "abc").read("validation_matched")
    assert calls == [("nyu-mll/glue", "mnli", "validation_matched", "abc")]
    assert table.where(0) == "nyu-mll/glue/mnli/validation_matched, row 1"


def test_plain_values_become_text(hub):
    rows = {
        "text": ["NA", None, "007"],
        "class": [1, -1, 0],
        "hidden": [None, 0, 1],
        "score": [3.8, 5.0, None],
        "number": [7, None, -1],
        "flag": [True, False, None],
        "names": [[1, 0], [], None],
        "words": [["a", "b"], None, []],
    }
    features = {
        "text": TEXT,
        "class": ClassLabel(names=["neg", "pos"]),
        "hidden": ClassLabel(names=["neg", "pos"]),
        "score": Value("float32"),
        "number": NUMBER,
        "flag": Value("bool"),
        "names": List(ClassLabel(names=["joy", "anger"])),
        "words": List(TEXT),
    }
    hub(rows, features)
    table = Hub("some/set").read("train")
    assert {name: table.column(name) for name in table.column_names} == {
        "text": ["NA", None, "007"],
        "class": ["pos", None, "neg"],
        "hidden": [None, "neg", "pos"],
        "score": ["3.8", "5", None],  # not 3.799999952316284, what float32 is as float64
        "number": ["7", None, "-1"],
        "flag": ["true", "false", None],
        "names": [["anger", "joy"], [], None],
        "words": [["a", "b"], None, []],
    }


def test_slices_and_picked_rows_keep_their_values(monkeypatch):
    features = Features(
        {"names": List(ClassLabel(names=["a", "b", "c"])), "class": ClassLabel(names=["x", "y"])}
    )
    rows = {"names": [[0], [1, 2], None, [2]], "class": [0, 1, 0, 1]}
    whole = datasets.concatenate_datasets([Dataset.from_dict(rows, features=features)] * 2)
    for picked in ([3, 1], range(1, 4), range(2, 7), [7, 7, 0]):
        monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: whole.select(picked))  # noqa: B023
        table = Hub("some/set").read("train[1:4]")
        expected = [whole[index] for index in picked]
        assert table.column("class") == ["xy"[row["class"]] for row in expected]
        assert table.column("names") == [
            row["names"] and ["abc"[n] for n in row["names"]] for row in expected
        ]


def test_what_is_neither_is_kept(hub):
    hub({"nested": [{"a": 1}], "text": ["x"]})
    assert Hub("some/set").read("train").column("nested") == [{"a": 1}]


def test_an_empty_split_is_an_error(hub):
    hub({"text": []}, {"text": TEXT})
    with pytest.raises(DataError, match="some/set/train must hold at least one row, got none"):
        Hub("some/set").read("train")


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (datasets.exceptions.DatasetNotFoundError("Dataset 'x' doesn't exist on the Hub"), "check the names"),
        (ConnectionError("Couldn't reach 'x' on the Hub (offline)"), "data=files reads a local copy"),
        (ValueError('Unknown split "dev". Should be one of [train].'), "choose one of those"),
        (
            RuntimeError("Dataset scripts are no longer supported, but found x.py"),
            "revision=refs/convert/parquet",
        ),
    ],
)
def test_what_cannot_be_loaded_is_named_with_advice(broken_hub, error, advice):
    broken_hub(error)
    with pytest.raises(ConfigError, match="`data.source` must name .* got name='x'.*split='dev'") as caught:
        Hub("x").read("dev")
    assert str(error) in str(caught.value)
    assert advice in str(caught.value)


def test_a_bug_keeps_its_traceback(broken_hub):
    broken_hub(TypeError("a bug"))
    with pytest.raises(TypeError, match="a bug"):
        Hub("x").read("train")


def test_a_local_folder_is_not_taken_for_the_hub(hub, tmp_path, monkeypatch):
    hub({"text": ["a"]})
    (tmp_path / "imdb").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="`data.source.name` must be a data set of the Hub, got 'imdb'"):
        Hub("imdb").read("train")


@pytest.mark.parametrize(
    ("arguments", "key"),
    [({"name": ""}, "name"), ({"name": 3}, "name"), ({"name": "x", "config": 3}, "config")],
)
def test_arguments_are_text(arguments, key):
    with pytest.raises(ConfigError, match=f"`data.source.{key}` must be text"):
        Hub(**arguments)


def _pair(first, second, names):
    features = {first: TEXT, second: TEXT, "label": ClassLabel(names=names), "idx": NUMBER}
    return {first: ["a", "b"], second: ["c", "d"], "label": [0, len(names) - 1], "idx": [0, 1]}, features


def _single(column, names, *, idx=False):
    features = {column: TEXT, "label": ClassLabel(names=names)} | ({"idx": NUMBER} if idx else {})
    return {column: ["a", "b"], "label": [0, len(names) - 1]} | ({"idx": [0, 1]} if idx else {}), features


def _entities():
    features = {"id": TEXT, "tokens": List(TEXT), "ner_tags": List(ClassLabel(names=ENTITIES))}
    return {"id": ["0", "1"], "tokens": [["a", "b"], ["c"]], "ner_tags": [[1, 2], [0]]}, features


SCORED = (
    {"sentence1": ["a", "b"], "sentence2": ["c", "d"], "label": [3.8, 5.0], "idx": [0, 1]},
    {"sentence1": TEXT, "sentence2": TEXT, "label": Value("float32"), "idx": NUMBER},
)
EMOTIONS = (
    {"text": ["a", "b"], "labels": [[1, 0], [2]], "id": ["eeb", "ed0"]},
    {"text": TEXT, "labels": List(ClassLabel(names=["admiration", "anger", "neutral"])), "id": TEXT},
)
NLI = ["entailment", "neutral", "contradiction"]
SPANS = ("O", "B-person", "I-person")
# What each set looks like on the Hub, and the names that are learned from two of its rows.
SETS = {
    "sst2": (_single("sentence", ["negative", "positive"], idx=True), ("negative", "positive")),
    "cola": (_single("sentence", ["unacceptable", "acceptable"], idx=True), ("acceptable", "unacceptable")),
    "mrpc": (
        _pair("sentence1", "sentence2", ["not_equivalent", "equivalent"]),
        ("equivalent", "not_equivalent"),
    ),
    "mnli": (_pair("premise", "hypothesis", NLI), ("contradiction", "entailment")),
    "qqp": (_pair("question1", "question2", ["not_duplicate", "duplicate"]), ("duplicate", "not_duplicate")),
    "qnli": (_pair("question", "sentence", NLI[:1] + ["not_entailment"]), ("entailment", "not_entailment")),
    "rte": (_pair("sentence1", "sentence2", NLI[:1] + ["not_entailment"]), ("entailment", "not_entailment")),
    "stsb": (SCORED, ()),
    "ag_news": (_single("text", ["World", "Sports", "Business", "Sci/Tech"]), ("Sci/Tech", "World")),
    "imdb": (_single("text", ["neg", "pos"]), ("neg", "pos")),
    "go_emotions": (EMOTIONS, ("admiration", "anger", "neutral")),
    "conll2003_hub": (_entities(), SPANS),
    "wnut17": (_entities(), SPANS),
}
SPLITS = {"mnli": "validation_matched", "ag_news": None, "imdb": None}


@pytest.mark.parametrize("name", SETS)
def test_every_set_is_read_by_its_yaml(hub, name):
    (rows, features), names = SETS[name]
    calls = hub(rows, features)
    with initialize_config_dir(str(CONF.parent), version_base="1.3"):
        node = OmegaConf.to_container(compose(f"data/{name}"))["data"]
    source = dict(node["source"])
    module, _, cls = source.pop("_target_").rpartition(".")
    roles = Roles(**{key: node[key] for key in Roles.__dataclass_fields__})
    roles.validate(replace=node["replace"], on_empty=node["on_empty"])
    table = canonical(
        getattr(import_module(module), cls)(**source).read(node["train"]),
        roles,
        replace=node["replace"],
        on_empty=node["on_empty"],
        drop_unlabelled=node["drop_unlabelled"],
        require_target=True,
    )
    target = TARGETS[roles.target]
    assert target.learn(table, label_names=None) == names
    assert len(target.encode(table, names).values) == (3 if roles.target == "tags" else 2)
    assert calls == [(source["name"], source["config"], "train", source["revision"])]
    assert node["name"] == name
    assert node["validation"] == SPLITS.get(name, "validation")
    assert node["test"] == (None if source["name"] == "nyu-mll/glue" else "test")


def test_every_yaml_of_the_hub_is_tested():
    from_hub = {
        path.stem for path in CONF.glob("*.yaml") if "source: hub" in path.read_text(encoding="utf-8")
    }
    assert from_hub == {*SETS, "hub"}


def test_any_set_of_the_hub_is_named_on_the_command_line(hub):
    calls = hub({"body": ["a"], "topic": [1]}, {"body": TEXT, "topic": ClassLabel(names=["x", "y"])})
    with initialize_config_dir(str(CONF.parent), version_base="1.3"):
        node = compose("data/hub", overrides=["data.source.name=some/set", "data.source.config=small"])[
            "data"
        ]
    assert node.train == "train"
    arguments = {key: value for key, value in node.source.items() if key != "_target_"}
    assert Hub(**arguments).read("test[:1]").column("topic") == ["y"]
    assert calls == [("some/set", "small", "test[:1]", None)]
