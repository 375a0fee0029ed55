"""What says help or refuses a config imports nothing that takes seconds: each command in a new process."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

import pytest

HEAVY = (
    "datasets", "huggingface_hub", "pandas", "pyarrow", "pytorch_lightning", "scipy", "sklearn", "tokenizers",
    "torch", "torchmetrics", "transformers",
)  # fmt: skip
CODE = """
import json, sys
from headway.cli.main import main
heavy, words = json.loads(sys.argv[1]), sys.argv[2:]
try:
    status = main(words)
except SystemExit as stop:
    status = stop.code
loaded = [name for name in heavy if name in sys.modules]
print(json.dumps({"status": status, "loaded": loaded}), file=sys.stderr)
"""
FILES = "data=files data.train=x.csv data.text=body data.label=topic"
HELP = [
    "--help", "--version", "train --help", "check --help", "evaluate --help", "predict --help",
    "serve --help",
    "report --help", "compare --help",
    "train --cfg job", "train --info defaults", f"check {FILES} --cfg job",
]  # fmt: skip
REFUSED = {
    # what doesn't compose
    "train data=r88": "`data` must be one of",
    "train optimizer.lrr=1": "`optimizer.lrr` is not a key",
    "train seed=abc": "`seed` must be a whole number",
    "train data=files": "`data.train` must be given",
    # keys, types and ranges of what is ours
    "train num_threads=0": "`num_threads` must be a whole number >= 1",
    "train trainer.max_epochs=0": "`trainer.max_epochs` must be a whole number >= 1",
    "train trainer.precision=fp8": "`trainer.precision` must be one of",
    "train trainer.profile=3": "`trainer.profile` must be true or false",
    "train task.monitor=f2": "`task.monitor` must be one of",
    # arguments and types of classes that need torch or Lightning
    "train +task.head.poling=mean": "not an argument of ClsHead (did you mean 'pooling'?)",
    "train task.head.dropout=much": "`task.head.dropout` must be a number, got 'much'",
    "train +task.loss.gama=2": "`task.loss.gama` is not an argument of CrossEntropy",
    "train +trainer.max_epoch=3": "not an argument of Trainer (did you mean 'max_epochs'?)",
    "train trainer.enable_progress_bar=abc": "`trainer.enable_progress_bar` must be true or false",
    "train +callbacks.checkpoint.save_lastt=true": "`callbacks.checkpoint.save_lastt` is not an argument of",
    "train task/loss=bce": "`task.loss` must be one for data.label, got BinaryCrossEntropy",
    "train task.head._target_=os.system": "`task.head._target_` must be a class of",
    # ranges that constructors check
    "train optimizer.lr=-1": "`optimizer.lr` must be a number in (0, 1], got -1",
    "train schedule.warmup_ratio=1.5": "`schedule.warmup_ratio` must be a number in [0, 1)",
    "train batching.batch_size=0": "batching.batch_size must be >= 1",
    "train backbone.layout=ragged": "`backbone.layout` must be one of",
    "train backbone.trainable=last_n": "`backbone.last_n` must be a whole number",
    "train data.max_length=0": "data.max_length must be",
    "train compare_aggregations=[mean]": "`compare_aggregations` must hold names of task/aggregation",
    "check optimizer.lr=-1": "`optimizer.lr` must be a number in (0, 1], got -1",
    # other verbs
    "evaluate nowhere": "nowhere",
    "predict nowhere -": "nowhere",
    "serve nowhere": "nowhere",
    "report nowhere": "nowhere",
    "compare nowhere nowhere": "nowhere",
}
WITH_FILES = {"num_threads", "trainer", "+trainer", "task", "+task", "optimizer", "schedule", "batching",
              "backbone", "data", "compare_aggregations", "+callbacks", "task/loss"}  # fmt: skip


def run(words, folder):
    environment = {**os.environ, "HEADWAY_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", CODE, json.dumps(HEAVY), *words]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    *errors, last = done.stderr.splitlines()
    # The processor's time, not the clock's: other work may run beside.
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(last), "\n".join(errors), seconds


@pytest.mark.slow
@pytest.mark.parametrize("words", HELP)
def test_help_imports_nothing_heavy(words, tmp_path):
    outcome, errors, seconds = run(words.split(), tmp_path)
    assert (outcome["status"] or 0, errors) == (0, "")
    assert outcome["loaded"] == []
    assert seconds < 3  # half a second on a quiet machine; imports of torch and Lightning alone take more


@pytest.mark.slow
@pytest.mark.parametrize("words", REFUSED)
def test_a_wrong_config_imports_nothing_heavy(words, tmp_path):
    verb, first, *_ = words.split()
    key = first.split("=")[0].split(".")[0]
    files = FILES.split() if key in WITH_FILES and not first.startswith("data=") else []
    outcome, errors, seconds = run([verb, *files, *words.split()[1:]], tmp_path)
    assert outcome["status"] == 2
    assert REFUSED[words] in errors
    assert outcome["loaded"] == []
    assert seconds < 3
