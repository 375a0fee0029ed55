"""What a user can get wrong on the way to a run: one message that names the key, status 2, nothing left.

`refused` (conftest) checks the status, that stderr is one line `error: ...` without a traceback, and that no
file or folder was made, changed or removed.
"""

from __future__ import annotations

import gzip
import json

import pytest

ROWS = "".join(f"the {'fox' if i % 2 else 'dog'} jumps {i},{'fox' if i % 2 else 'dog'}\n" for i in range(20))


@pytest.fixture
def train(refused, here, tiny_bert):
    """(*words) -> the message of a run of a tiny model on my.csv that is refused."""
    (here / "my.csv").write_text("text,label\n" + ROWS, encoding="utf-8")
    base = (
        *(
            "backbone=local",
            f"backbone.name={tiny_bert}",
            "data=files",
            "data.train=my.csv",
            "data.label=label",
        ),
        *(
            "data.max_length=16",
            "trainer.max_epochs=1",
            "trainer.accelerator=cpu",
            "trainer.precision=32-true",
        ),
        *("trainer.enable_progress_bar=false", "num_threads=1", "~logger"),
    )
    return lambda *words: refused("train", *base, *words)


# --- What the parts refuse before any data are read

VALUES = {
    "seed=-1": "`seed` must be a whole number in [0, ",
    "data_seed=-1": "`data_seed` must be",
    "num_threads=0": "`num_threads` must be",
    "name=../x": "`name` must name a folder in output_dir",
    "score_splits=[tset]": "got 'tset' (did you mean 'test'?)",
    "trainer.max_epochs=0": "`trainer.max_epochs` must be",
    "trainer.max_epochs=abc": "`trainer.max_epochs` must be",
    "trainer.limit_train_batches=2.0": "`trainer.limit_train_batches` must be",
    "trainer.devices=0": "`trainer.devices` must be",
    "trainer.accelerator=quantum": "`trainer.accelerator` must be one of",
    "trainer.precision=fp8": "`trainer.precision` must be one of",
    "+trainer.max_epoch=3": "`trainer.max_epoch` is not an argument of Trainer (did you mean 'max_epochs'?)",
    "+trainer.callbacks=[]": "`trainer.callbacks` must be left to headway",
    "batching.batch_size=0": "batching.batch_size must be",
    "batching.batch_size=abc": "`batching.batch_size` must be a whole number, got 'abc'",
    "batching=tokens batching.max_tokens=0": "batching.max_tokens must be",
    "batching=grouped batching.pool=0": "batching.pool must be",
    "optimizer.lr=0": "`optimizer.lr` must be",
    "optimizer.lr=nan": "`optimizer.lr` must be",
    "optimizer.lr=fast": "`optimizer.lr` must be a number, got 'fast'",
    "optimizer.layer_decay=1.5": "`optimizer.layer_decay` must be",
    "optimizer.betas=[0.9]": "optimizer.betas",
    "schedule.warmup_ratio=1.5": "`schedule.warmup_ratio` must be",
    "backbone.trainable=some": "`backbone.trainable` must be one of",
    "backbone.trainable=last_n": "`backbone.last_n` must be",
    "backbone.layout=loose": "`backbone.layout` must be one of",
    "task.monitor=f2": "`task.monitor` must be one of",
    "task=regression": "`data.score` must be set for this task, got data.label='label'",
    "data.score=label": "exactly one of data.label, data.labels, data.score, data.tags must be set",
    "data.label=null": "exactly one of",
    "data.text=null": "`data.text` or `data.tokens` must name a column",
    "data.text=[a,b]": "`data.text` must be text, a whole number or null, got ['a', 'b']",
    "data.validation_ratio=1.5": "`data.validation_ratio` must be in (0, 1)",
    "data.validation_ratio=0": "`data.validation_ratio` must be in (0, 1)",
    "data.test=my.csv data.test_ratio=0.1": "`data.test_ratio` must be null beside data.test",
    "data.split_seed=-1": "`data.split_seed` must be >= 0",
    "data.max_length=abc": "`data.max_length` must be a whole number, got 'abc'",
    "data.max_length=0": "data.max_length must be",
    "data.truncation=none": "data.truncation must be one of",
    "data.overlap=4": "data.overlap must be 0 for truncation=longest_first",
    "data.on_truncate=stop": "`data.on_truncate` must be",
    "data.on_empty=keep": "`data.on_empty` must be error or drop",
    "data.subword_labels=last": "data.subword_labels must be one of",
    "data.eval_batch_size=0": "`data.eval_batch_size` must be",
    "data.num_workers=-1": "`data.num_workers` must be",
    "data.scheme=IOB2": "`data.scheme` must be",
    "data.replace=abc": "`data.replace` must be a mapping, got 'abc'",
    "data.source.delimiter=ab": "`data.source.delimiter` must be",
    "data.source.encoding=utf9": "`data.source.encoding` must be an encoding",
    "data.source.format=xls": "`data.source.format` must be",
    "data.source._target_=os.system": "`data.source._target_` must be a class of headway.data",
    "task.head._target_=headway.models.heads.cls.ClsHed": "(did you mean 'ClsHead'?)",
    "+callbacks.mine._target_=subprocess.Popen": "`callbacks.mine._target_` must be a class of",
}


@pytest.mark.parametrize("words", list(VALUES))
def test_values(words, train):
    assert VALUES[words] in train(*words.split(" "))


# --- What the data or the backbone don't have

DATA = {
    "data.train=mi.csv": "(did you mean 'my.csv'?)",
    "data.test=no.csv": "no.csv",
    "data.train=.": "name the folder that holds the classes",
    "data.label=lable": "`data.label` must be a column of my.csv (text, label), got 'lable' (did you",
    "data.text=txt": "`data.text` must be a column of my.csv",
    "data.id=label": "`data` must give each column one role, got 'label' more than once",
    "data.label_names=[dog,cat]": "my.csv, line 3: data.label must be one of dog, cat, got 'fox'",
    "data.label_names=[dog]": "`data.label_names` must hold 2 or more different names",
    "data.test=new_label.csv": "new_label.csv, line 2: data.label must be one of dog, fox, got 'cow'",
    "data.test=empty.csv": "empty.csv",
    "data.train=no_rows.csv": "no_rows.csv",
    "data.train=one_class.csv": "`data.label` must hold 2 or more different names in one_class.csv",
    "data.validation=one_class.csv": "`data.validation` must hold more than one value of data.label, got",
    "data.train=blank.csv": "blank.csv, line 3, column 'text'",
    "data.train=null.jsonl": "null.jsonl, line 2, column 'text'",
    "data.train=latin1.csv": "latin1.csv, line 3",
    "data.train=ragged.csv": "ragged.csv, line 3",
    "data.train=semicolons.csv": "data.source.delimiter",
    "data.train=broken.csv.gz": "broken.csv.gz",
    "data.train=my.csv@split:train": "the column before ':train' must be one of",
    "data.max_length=65": "data.max_length must be in [3, 64] for this backbone and single texts, got 65",
    "data.max_length=2": "data.max_length must be in [3, 64]",
    "data.truncation=only_second": "data.truncation must not be only_second without data.text_pair",
    "data.truncation=windows data.overlap=14": "data.overlap must be in [0, 14) for max_length=16, got 14",
    "data.max_length=4 data.on_truncate=error": "`data.max_length` must hold every document",
    "backbone.name=./nowhere": "`backbone.name` must be a folder or a model on the hub, got './nowhere'",
    "task/head=token": "`task.head` must label windows for data.label, got TokenHead; set task/head=cls",
    "task.head.pooling=median": "`task.head.pooling` must be one of",
    "task.head.dropout=1": "`task.head.dropout` must be",
    "task.loss.label_smoothing=1": "`task.loss.label_smoothing` must be",
    "task.loss.class_weights=[1]": "`task.loss.class_weights` must",
    "task/loss=focal task.loss.gamma=-1": "`task.loss.gamma` must be",
    "trainer.max_steps=-5": "`trainer.max_steps` must be",
}


@pytest.fixture
def files(here):
    texts = {
        "new_label.csv": "text,label\na cow,cow\na dog,dog\n",
        "empty.csv": "",
        "no_rows.csv": "text,label\n",
        "one_class.csv": "text,label\n" + "".join(f"a dog {i},dog\n" for i in range(8)),
        "blank.csv": "text,label\na dog,dog\n ,fox\n",
        "null.jsonl": '{"text": "a dog", "label": "dog"}\n{"text": null, "label": "fox"}\n',
        "ragged.csv": "text,label\na dog,dog\na fox,fox,3\n",
        "semicolons.csv": "text;label\na dog;dog\na fox;fox\n",
    }
    for name, text in texts.items():
        (here / name).write_text(text, encoding="utf-8")
    (here / "latin1.csv").write_bytes("text,label\na dog,dog\nun chien fâché,fox\n".encode("latin-1"))
    (here / "broken.csv.gz").write_bytes(gzip.compress(ROWS.encode())[:-20])


@pytest.mark.parametrize("words", list(DATA))
@pytest.mark.usefixtures("files")
def test_data(words, train):
    assert DATA[words] in train(*words.split(" "))


def test_words_and_tags_of_unequal_length(train, here):
    rows = [{"words": ["a", "dog"], "tags": ["O", "B-X"]}, {"words": ["a", "fox"], "tags": ["O"]}]
    (here / "tags.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    words = (
        "task=entities",
        "data.train=tags.jsonl",
        "data.text=null",
        "data.tokens=words",
        "data.label=null",
    )
    message = train(*words, "data.tags=tags", "data.scheme=IOB2")
    assert "tags.jsonl, line 2" in message
    assert "data.tags" in message or "'tags'" in message


def test_output_dir_that_is_a_file(train, here):
    assert "`output_dir` must be a folder in which a run can be made" in train("output_dir=my.csv")
    assert "`hydra.run.dir` must be a folder" in train("hydra.run.dir=my.csv/x")


def test_a_refused_run_keeps_the_folder_it_was_given(train, here):
    (here / "mine").mkdir()
    (here / "mine" / "notes.txt").write_text("mine", encoding="utf-8")
    (here / "void").mkdir()
    train("data.label=lable", "hydra.run.dir=mine")
    train("data.label=lable", "hydra.run.dir=void")
    train("data.label=lable", "hydra.run.dir=mine/deep/er")


def test_a_mistake_in_a_sweep_leaves_nothing(train):
    assert "`seed` must be a whole number in [0, " in train("-m", "seed=-1,1")
