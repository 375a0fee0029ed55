"""What does not compose: keys, groups, options, types and Hydra's grammar, in words and in the user's files.

`refused` (conftest) checks the status, that stderr is one line `error: ...` without a traceback, and that no
file or folder was made, changed or removed.
"""

from __future__ import annotations

import pytest

NOT_COMPOSED = {
    "optimizer.lrr=1": "`optimizer.lrr` is not a key of the config (did you mean 'lr'?); under `optimizer`",
    "sed=1": "`sed` is not a key of the config (did you mean 'seed'?)",
    "dta=r8": "`dta` is not a key of the config (did you mean 'data'?)",
    "seed.x=1": "`seed.x` is not a key of the config: `seed` has none",
    "task.head.poling=mean": "(did you mean 'pooling'?)",
    "task=entities task.head.pooling=mean": "`task.head.pooling` is not a key of the config; under",
    "task/hed=cls": "`task/hed` is not a group of the config (did you mean 'task/head'?)",
    "data=r88": "`data` must be one of ['ag_news', ",
    "data=rr8": "got 'rr8' (did you mean 'r8'?); choose one of these",
    "task/head=tokens": "`task/head` must be one of ['cls', 'token'], got 'tokens' (did you mean 'token'?)",
    "data/source=hubb": "`data/source` must be one of",
    "batching=[randm]": "`batching` must be one of",
    "backbone=5": "`backbone` must be one of",
    "optimizer=null": "`optimizer` must be one of ['adamw'], got 'null'; choose one of these",
    "logger=null": "or ~logger for none",
    "data=files": "`data.train` must be given, got nothing; add data.train=<value>",
    "data=hub data.test=test": "`data.source.name` must be given",
    "data=default": "`data.name` must be given",
    "backbone=local": "`backbone.name` must be given",
    "~optimizer": "`optimizer` must be given",
    "~backbone=0": "`backbone` must be one of",
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
    "=5": "a word must be key=value, got '=5'",
    "data.text='a": '`data.text` must be a value that Hydra can read, got "data.text=\'a"',
    "data.labels=[a": "`data.labels` must be a value that Hydra can read",
    "seed==5": "`seed` must be a value that Hydra can read",
    "name=${nope}": "must refer to keys that there are, got ${nope}",
    "data.max_length=${optimiser.lr}": "keys that there are, got ${optimiser.lr} (did you mean 'optimizer'?)",
    "seed=${seed}": "`seed` must be resolved",
    "seed=${oc.env:NOT_SET_ANYWHERE}": "`seed` must be resolved, but",
    "experiment=demo": "`experiment` must be the name of a file under experiments/experiment/, but",
    "-cn nope": "`--config-name` must be a config that is there, got 'nope'",
    "-cd /nowhere": "`--config-dir` must be a folder",
    "--cfg job --multirun": "the options must go together",
    "-m seed=1,abc": "`seed` must be a whole number, got 'abc'",
    "-m optimizer.lrr=1,2": "`optimizer.lrr` is not a key of the config (did you mean 'lr'?)",
    "-m data=r8,rr8": "(did you mean 'r8'?)",
}


@pytest.mark.parametrize("words", list(NOT_COMPOSED))
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
    assert "got 'r88'" in message
    message = refused("train", "experiment=broken")
    assert "broken.yaml, line 3: must be YAML" in message
