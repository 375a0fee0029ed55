"""From files to encoded splits: labels are learned once and frozen; what is cut off is said or refused."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import yaml

from headway.data.sources.files import Files
from headway.data.targets import ClassTarget, MultiTarget, ScoreTarget, TagTarget
from headway.data.text_data import TextData
from headway.types import IGNORE_INDEX, ConfigError, DataError

CONF = Path(__file__).parents[2] / "conf" / "data"


def _arguments(path):
    values = yaml.safe_load((CONF / path).read_text(encoding="utf-8"))
    return {name: value for name, value in values.items() if name not in ("_target_", "defaults")}


@pytest.fixture
def make(tmp_path):
    """Return a function: (files, target, **keys of the data node) -> TextData."""

    def make(files, target=None, **keys):
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        arguments = {
            **_arguments("default.yaml"),
            "name": "mine",
            "source": Files(**_arguments("source/files.yaml")),
            "train": str(tmp_path / "train.csv"),
            "cache_dir": str(tmp_path / "cache"),
            "target": target or ClassTarget(),
            "label": None if target else "label",
            **keys,
        }
        for split in ("validation", "test"):
            if f"{split}.csv" in files:
                arguments[split] = str(tmp_path / f"{split}.csv")
        return TextData(**arguments)

    return make


ANIMALS = "text,label\n" + "\n".join(f"the quick fox number {i},{'ab'[i % 2]}" for i in range(20)) + "\n"
OTHERS = "text,label\na dog,b\nthe lazy dog over the fox,a\n"
FILES = {"train.csv": ANIMALS, "validation.csv": OTHERS}


def _encode(data, tokenizer, *, token_type_ids=True, model_limit=128):
    data.encode(tokenizer, token_type_ids=token_type_ids, model_limit=model_limit)


def test_labels_are_learned_from_train_and_splits_follow(make, wordpiece_tokenizer):
    data = make(FILES)
    data.read()
    assert data.label_names == ("a", "b")
    assert data.gold["validation"].values.tolist() == [1, 0]
    assert data.class_counts == [10, 10]
    _encode(data, wordpiece_tokenizer)
    assert data.labels("validation").tolist() == [1, 0]
    assert {name: encoded.num_documents for name, encoded in data.encoded.items()} == {
        "train": 20,
        "validation": 2,
    }
    expected = wordpiece_tokenizer("the lazy dog over the fox")["input_ids"]
    validation = data.encoded["validation"]
    assert validation.input_ids[validation.offsets[1] :].tolist() == expected


def test_a_declared_order_of_labels_is_kept(make):
    data = make(FILES, label_names=["b", "a"])
    data.read()
    assert data.gold["validation"].values.tolist() == [0, 1]


def test_an_undeclared_label_in_another_split_names_the_line(make):
    data = make({**FILES, "validation.csv": "text,label\na dog,b\na fox,c\n"})
    with pytest.raises(DataError, match=r"validation\.csv, line 3: data\.label must be one of a, b, got 'c'"):
        data.read()


def test_a_validation_of_one_class_is_refused(make):
    data = make({**FILES, "validation.csv": "text,label\na dog,b\na fox,b\n"})
    with pytest.raises(DataError, match=r"data\.validation` must hold more than one value of data\.label"):
        data.read()


def test_warnings_are_logged(make, caplog):
    data = make({**FILES, "validation.csv": OTHERS + "the quick fox number 3,b\n"})
    with caplog.at_level(logging.WARNING):
        data.read()
    assert "warning: 1 of 3 rows of validation are in train too" in caplog.text


def test_token_types_follow_the_model(make, wordpiece_tokenizer):
    data = make(FILES)
    data.read()
    _encode(data, wordpiece_tokenizer, token_type_ids=False)
    assert data.encoded["train"].token_type_ids is None
    _encode(data, wordpiece_tokenizer, token_type_ids=True)
    assert len(data.encoded["train"].token_type_ids) == data.encoded["train"].num_tokens


def test_what_is_cut_off_is_said(make, wordpiece_tokenizer, caplog):
    data = make(FILES, max_length=5)
    data.read()
    with caplog.at_level(logging.INFO):
        _encode(data, wordpiece_tokenizer)
    assert data.reports["validation"].truncated_documents == 1
    assert "validation: 1 of 2 (50.0%) documents truncated" in caplog.text


def test_cutting_off_may_be_refused(make, wordpiece_tokenizer):
    data = make(FILES, max_length=5, on_truncate="error")
    data.read()
    with pytest.raises(
        ConfigError, match=r"data\.max_length` must hold every document .*got 5: 20 documents"
    ):
        _encode(data, wordpiece_tokenizer)


def test_windows_cut_nothing_off(make, wordpiece_tokenizer):
    data = make(FILES, max_length=5, on_truncate="error", truncation="windows")
    data.read()
    _encode(data, wordpiece_tokenizer)
    assert data.encoded["train"].num_windows > data.encoded["train"].num_documents


def test_a_max_length_above_the_model_is_refused(make, wordpiece_tokenizer):
    data = make(FILES, max_length=128)
    data.read()
    with pytest.raises(ConfigError, match=r"data\.max_length must be in \[3, 64\]"):
        _encode(data, wordpiece_tokenizer, model_limit=64)


def test_the_cache_gives_the_same_and_keeps_apart_what_differs(make, wordpiece_tokenizer, tmp_path):
    def tokens(**keys):
        data = make(FILES, **keys)
        data.read()
        _encode(data, wordpiece_tokenizer)
        return data.encoded["train"].input_ids.tolist()

    first = tokens()
    kept = sorted((tmp_path / "cache" / "encoded").iterdir())
    assert tokens() == first
    assert sorted((tmp_path / "cache" / "encoded").iterdir()) == kept
    assert len(tokens(max_length=5)) < len(first)


def test_several_labels(make, wordpiece_tokenizer):
    files = {"train.csv": "text,labels\na dog,x\na fox,\nthe dog,x;y\n"}
    data = make(
        files | {"validation.csv": files["train.csv"]}, MultiTarget(), labels="labels", label_delimiter=";"
    )
    data.read()
    _encode(data, wordpiece_tokenizer)
    assert data.labels("train").tolist() == [[1, 0], [0, 0], [1, 1]]
    assert data.class_counts == ([2, 1], 3)


def test_columns_of_0_and_1_name_the_labels(make):
    files = {"train.csv": "text,zebra,ant\na dog,1,0\na fox,0,1\n"}
    data = make(files | {"validation.csv": files["train.csv"]}, MultiTarget(), labels=["zebra", "ant"])
    data.read()
    assert data.label_names == ("zebra", "ant")
    assert data.gold["train"].values.tolist() == [[1, 0], [0, 1]]


def test_scores(make, wordpiece_tokenizer):
    files = {"train.csv": "text,score\na dog,1.5\na fox,-2\n"}
    data = make(files | {"validation.csv": files["train.csv"]}, ScoreTarget(), score="score")
    data.read()
    _encode(data, wordpiece_tokenizer)
    assert data.label_names == ()
    assert data.class_counts is None
    assert data.labels("train").tolist() == [1.5, -2]
    assert data.labels("train").dtype == np.float32


@pytest.mark.parametrize("subword_labels", ["first", "all"])
def test_tags(make, wordpiece_tokenizer, subword_labels):
    files = {"train.csv": "tokens,tags\nGermany beat championship,B-LOC O O\nthe dog,O O\n"}
    data = make(
        files | {"validation.csv": files["train.csv"]},
        TagTarget(),
        text=None,
        tokens="tokens",
        tags="tags",
        scheme="IOB2",
        subword_labels=subword_labels,
    )
    data.read()
    _encode(data, wordpiece_tokenizer)
    assert data.label_names == ("O", "B-LOC", "I-LOC")
    assert data.class_counts == [4, 1, 0]
    labels = data.labels("train")
    pieces = len(wordpiece_tokenizer.tokenize("germany beat championship the dog"))
    assert pieces > 5
    assert (labels != IGNORE_INDEX).sum() == (5 if subword_labels == "first" else pieces)


def test_one_split_alone_with_labels_that_are_known(make):
    data = make({**FILES, "test.csv": OTHERS})
    data.read_one("test", ("b", "a"))
    assert list(data.tables) == ["test"]
    assert data.gold["test"].values.tolist() == [0, 1]


def test_a_split_that_training_cut_off_is_cut_the_same_again(make):
    trained, scored = make({"train.csv": ANIMALS}), make({"train.csv": ANIMALS})
    trained.read()
    scored.read_one("validation", trained.label_names)
    assert scored.tables["validation"].column("text") == trained.tables["validation"].column("text")
    scored.read_one("train", trained.label_names)
    assert scored.tables["train"].column("text") == trained.tables["train"].column("text")


def test_a_split_that_is_not_there_names_its_key(make):
    with pytest.raises(ConfigError, match=r"data\.test` must be given to score that split, got null"):
        make(FILES).read_one("test", ("a", "b"))


@pytest.mark.parametrize(
    ("key", "value"), [("on_truncate", "ignore"), ("eval_batch_size", 0), ("num_workers", -1)]
)
def test_values_out_of_range_name_their_key(make, key, value):
    with pytest.raises(ConfigError, match=rf"data\.{key}` must be .*, got {value!r}"):
        make(FILES, **{key: value})
