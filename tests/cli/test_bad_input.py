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


# --- What does not compose: keys, groups, options, types and Hydra's grammar

NOT_COMPOSED = {
    "optimizer.lrr=1": "`optimizer.lrr` is not a key of the config (did you mean 'lr'?); under `optimizer` there are",
    "sed=1": "`sed` is not a key of the config (did you mean 'seed'?)",
    "dta=r8": "`dta` is not a key of the config (did you mean 'data'?)",
    "seed.x=1": "`seed.x` is not a key of the config: `seed` has none",
    "task.head.poling=mean": "(did you mean 'pooling'?)",
    "task=entities task.head.pooling=mean": "`task.head.pooling` is not a key of the config; under `task.head`",
    "task/hed=cls": "`task/hed` is not a group of the config (did you mean 'task/head'?)",
    "data=r88": "`data` must be one of ['ag_news', ",
    "data=rr8": "got 'rr8' (did you mean 'r8'?); choose one of these",
    "task/head=tokens": "`task/head` must be one of ['cls', 'token'], got 'tokens' (did you mean 'token'?)",
    "data/source=hubb": "`data/source` must be one of",
    "batching=[random]": "`batching` must be one of",
    "backbone=5": "`backbone` must be one of",
    "optimizer=null": "`optimizer` must be one of ['adamw'], got 'null'; choose one of these",
    "logger=null": "or ~logger for none",
    "data=files": "`data.train` must be given, got nothing; add data.train=<value>",
    "data=hub data.test=test": "`data.source.name` must be given",
    "data=default": "`data.name` must be given",
    "backbone=local": "`backbone.name` must be given",
    "~optimizer": "`optimizer` must be given",
    "seed=abc": "`seed` must be a whole number, got 'abc'",
    "seed=1.5": "`seed` must be a whole number, got '1.5'",
    "seed=null": "`seed` must be a whole number, got 'null'",
    "num_threads=two": "`num_threads` must be a whole number or null, got 'two'",
    "score_splits=test": "`score_splits` must be a list, got 'test'",
    "seed=1,2": "`seed` must be one value, got 1,2; write 'seed=[1,2]' for a list, or add -m",
    "seed=range(1,3)": "`seed` must be one value",
    "+seed=3": "`+seed` must be a new key, but `seed` is there already; write seed=<value>",
    "+my_key=3": "`my_key` is not a key of the config",
    "my.csv": "`my.csv` must be written key=value",
    "=5": "must be written key=value",
    "data.text='a": '`data.text` must be a value that Hydra can read, got "data.text=\'a"',
    "data.labels=[a": "`data.labels` must be a value that Hydra can read",
    "seed==5": "`seed` must be a value that Hydra can read",
    "name=${nope}": "must refer to keys that there are, got ${nope}",
    "data.max_length=${optimiser.lr}": "`data.max_length` must refer to keys that there are, got ${optimiser.lr}",
    "seed=${seed}": "`seed` must be resolved",
    "seed=${oc.env:NOT_SET_ANYWHERE}": "`seed` must be resolved, but",
    "experiment=demo": "`experiment` must be the name of a file under experiments/experiment/, but there is no folder",
    "-cn nope": "`--config-name` must be a config that is there, got 'nope'",
    "-cd /nowhere": "`--config-dir` must be a folder",
    "--cfg job --multirun": "the options must go together",
    "-m seed=1,abc": "`seed` must be a whole number, got 'abc'",
    "-m optimizer.lrr=1,2": "`optimizer.lrr` is not a key of the config (did you mean 'lr'?)",
    "-m data=r8,rr8": "(did you mean 'r8'?)",
    "-m name=a,../b": "`name` must name a folder in output_dir, got '../b'",
}


@pytest.mark.parametrize("words", [words for words in NOT_COMPOSED if words != "-m name=a,../b"])
def test_what_does_not_compose(words, refused):
    assert NOT_COMPOSED[words] in refused("train", *words.split(" "))


def test_a_flag_that_is_none_is_shown_the_flags(headway, here):
    outcome = headway("train", "--cgf", "job")
    assert outcome.status == 2
    assert "unrecognized arguments: --cgf" in outcome.err
    assert list(here.iterdir()) == []


def test_experiments_of_the_users_own(refused, here):
    folder = here / "experiments" / "experiment"
    folder.mkdir(parents=True)
    files = {
        "typo": "# @package _global_\nsede: 3\n",
        "wrong": "# @package _global_\nseed: abc\n",
        "inner": "# @package _global_\noptimizer:\n  lrr: 3\n",
        "group": "# @package _global_\ndefaults:\n  - override /data: r88\n",
        "broken": "# @package _global_\nname: [a\nseed: 3\n",
    }
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    assert "(did you mean 'typo'?)" in refused("train", "experiment=tipo")
    message = refused("train", "experiment=typo")
    assert "`sede` (in experiment/typo) is not a key of the config (did you mean 'seed'?)" in message
    assert "`seed` must be a whole number, got 'abc' in experiment/wrong" in refused(
        "train", "experiment=wrong"
    )
    assert "`optimizer.lrr` is not an argument of AdamW (did you mean 'lr'?)" in refused(
        "train", "experiment=inner"
    )
    assert "`data` must be one of" in (message := refused("train", "experiment=group"))
    assert "got 'r88' in experiment/group" in message
    message = refused("train", "experiment=broken")
    assert "broken.yaml, line 3: must be YAML" in message


# --- What the parts refuse before any data are read

VALUES = {
    "seed=-1": "`seed` must be a whole number in [0, ",
    "data_seed=-1": "`data_seed` must be",
    "num_threads=0": "`num_threads` must be",
    "name=../x": "`name` must name a folder in output_dir",
    "score_splits=[tset]": "`score_splits` must hold names of ['train', 'validation', 'test'], got 'tset' (did you mean 'test'?)",
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
    "data.train=.": "data.source.format",
    "data.label=lable": "`data.label` must be a column of my.csv (text, label), got 'lable' (did you mean 'label'?)",
    "data.text=txt": "`data.text` must be a column of my.csv",
    "data.id=label": "my.csv, line 4, column 'label' must hold a name of its own in every row",
    "data.label_names=[dog,cat]": "my.csv, line 3: data.label must be one of dog, cat, got 'fox'",
    "data.label_names=[dog]": "`data.label_names` must hold 2 or more different names",
    "data.test=new_label.csv": "new_label.csv, line 2: data.label must be one of dog, fox, got 'cow'",
    "data.test=empty.csv": "empty.csv",
    "data.train=no_rows.csv": "no_rows.csv",
    "data.train=one_class.csv": "`data.label` must hold 2 or more different names in one_class.csv, got ['dog']",
    "data.validation=one_class.csv": "`data.validation` must hold more than one value of data.label, got only 'dog'",
    "data.train=blank.csv": "blank.csv, line 3, column 'text'",
    "data.train=null.jsonl": "null.jsonl, line 2, column 'text'",
    "data.train=latin1.csv": "latin1.csv, line 3",
    "data.train=ragged.csv": "ragged.csv, line 3",
    "data.train=semicolons.csv": "data.source.delimiter",
    "data.train=broken.csv.gz": "broken.csv.gz",
    "data.train=my.csv@split:train": "the column before ':train' must be one of ['text', 'label'], got 'split'",
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
    assert "got 'lable'" in train("-m", "data.label=lable,label")
    assert NOT_COMPOSED["-m name=a,../b"] in train("-m", "seed=-1,1", "name=../b")
