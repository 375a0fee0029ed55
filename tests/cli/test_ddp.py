"""`headway train trainer=ddp` with two gloo processes: the weights, scores and files of one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
import torch
import yaml
from safetensors.torch import load_file

from headway.processes import RANK_VARIABLES, WORLD_VARIABLES

pytestmark = pytest.mark.slow


@pytest.fixture
def command(here, plain_bert):
    """(*words) -> what a short training without dropout ends with; each in a process of its own."""
    labels = ("fox", "dog", "goalkeeper")
    for name, count in (("my.csv", 46), ("test.csv", 13)):  # odd numbers, so that shares differ
        rows = [f"{'the ' * (i % 7)}{labels[i % 3]} jumps over {i},{labels[i % 3]}\n" for i in range(count)]
        (here / name).write_text("text,label\n" + "".join(rows), encoding="utf-8")
    words = [
        "backbone=local", f"backbone.name={plain_bert}", "task.head.dropout=0", "data=files",
        "data.train=my.csv", "data.test=test.csv", "data.label=label", "data.max_length=16",
        "data.validation_ratio=0.2", "trainer.accelerator=cpu", "trainer.max_epochs=2",
        "trainer.precision=32-true", "trainer.enable_progress_bar=false", "num_threads=1",
        "optimizer.lr=1e-3", f"cache_dir={here / 'cache'}",
    ]  # fmt: skip
    alone = {n: v for n, v in os.environ.items() if n not in (*RANK_VARIABLES, *WORLD_VARIABLES)}

    def command(*more, status=0, launcher=(), **variables):
        run = [sys.executable, *launcher, "-m", "headway.cli.main", "train", *words, *more]
        environment = {**alone, "OMP_NUM_THREADS": "1", **variables}
        done = subprocess.run(
            run,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            env=environment,
            start_new_session=True,
        )
        assert done.returncode == status, done.stderr
        return done

    return command


def weights(run):
    state = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    # Softmax cancels the biases of keys: their gradient is rounding alone, and Adam makes whole steps of it.
    return {name: value for name, value in state.items() if not name.endswith("key.bias")}


def test_two_processes_are_one(command, here):
    command("batching.batch_size=12", "hydra.run.dir=one")
    done = command("batching.batch_size=6", "trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2",
                   "trainer.max_epochs=2", "hydra.run.dir=two")  # fmt: skip
    assert "2 processes, each of 1 thread" in done.stdout
    one, two = here / "one", here / "two"
    records = [json.loads((run / "record.json").read_text()) for run in (one, two)]
    assert [record["numerics"]["processes"] for record in records] == [1, 2]
    assert [record["status"] for record in records] == ["finished", "finished"]
    assert records[0]["schedule"] == records[1]["schedule"]
    assert records[0]["monitor"]["epoch"] == records[1]["monitor"]["epoch"]
    first, second = weights(one), weights(two)
    assert first.keys() == second.keys()
    assert max(float((first[name] - second[name]).abs().max()) for name in first) < 5e-6
    for split, metrics in records[0]["metrics"].items():
        assert records[1]["metrics"][split] == pytest.approx(metrics, abs=1e-6)
    for split in ("validation", "test"):
        tables = [pq.read_table(run / "predictions" / f"{split}.parquet") for run in (one, two)]
        assert tables[0]["id"] == tables[1]["id"]
        assert tables[0]["prediction"] == tables[1]["prediction"]
    files = [sorted(str(path.relative_to(run)) for path in run.rglob("*")) for run in (one, two)]
    assert files[0] == files[1]
    artifact = load_file(two / "model" / "model.safetensors")
    name, value = next((n, v) for n, v in artifact.items() if n.endswith("word_embeddings.weight"))
    (trained,) = [v for n, v in second.items() if n.endswith("word_embeddings.weight")]
    assert torch.equal(value, trained), name


def test_features_are_not_kept_and_the_log_says_so(command, here):
    done = command("trainer.devices=2", "backbone.trainable=none", "hydra.run.dir=two")
    assert "features of frozen layers are not kept: 2 processes train" in done.stdout
    assert json.loads((here / "two" / "record.json").read_text())["features"] is None


def test_a_process_that_is_refused_ends_them_all(command, here):
    done = command("trainer.devices=2", "data.max_length=1000", "hydra.run.dir=two", status=2)
    assert "error: data.max_length must be in [3, 64]" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (here / "two" / "config.yaml").exists()


def test_a_process_that_dies_is_named(command, here):
    (here / "dying.py").write_text(
        "import os\nimport pytorch_lightning as pl\n\n\n"
        "class Dies(pl.Callback):\n"
        "    def on_train_epoch_end(self, trainer, pl_module):\n"
        "        if trainer.global_rank == 1:\n"
        "            os.kill(os.getpid(), 9)\n",
        encoding="utf-8",
    )
    done = command("trainer.devices=2", "+callbacks.dies={_target_: dying.Dies}",
                   "hydra.run.dir=two", status=1,
                   HEADWAY_ALLOW_MODULES="dying")  # fmt: skip
    assert "error: process 1 of 2 ended with status -9, and the training with it" in done.stderr
    record = json.loads((here / "two" / "record.json").read_text())
    assert (record["status"], record["process"]["exit_status"]) == ("failed", 1)


@pytest.mark.parametrize("preset", ["ddp", "fsdp"])
def test_presets_say_what_they_are(preset, compose_config):
    cfg = compose_config("data=r8", f"trainer={preset}")
    assert cfg["trainer"]["strategy"] == preset
    assert yaml.safe_dump(cfg)


def test_torchrun_starts_them_just_as_well(command, here):
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2")
    shared = ("trainer.devices=2", "batching.batch_size=6")
    refused = command(*shared, launcher=launcher, status=1)
    assert "`hydra.run.dir` must be given where torchrun or srun starts several processes" in refused.stderr
    command(*shared, "hydra.run.dir=by_torchrun", launcher=launcher)
    command(*shared, "hydra.run.dir=by_headway")
    runs = here / "by_torchrun", here / "by_headway"
    first, second = (json.loads((run / "record.json").read_text())["results"] for run in runs)
    assert first["weights"] == second["weights"]
    assert first["predictions"] == second["predictions"]
    log = (runs[0] / "run.log").read_text()
    assert log.count("epoch 1/2") == 1


@pytest.mark.parametrize("stop", ["os.kill(os.getpid(), signal.SIGTERM)", "os.killpg(0, signal.SIGTERM)"])
def test_a_training_that_was_stopped_goes_on(command, here, stop):
    (here / "stopping.py").write_text(
        "import os\nimport signal\nimport pytorch_lightning as pl\n\n\n"
        "class Stops(pl.Callback):\n"
        "    def on_train_batch_end(self, trainer, *_):\n"
        "        if trainer.global_rank == 0 and trainer.global_step == 4 and 'STOP' in os.environ:\n"
        f"            {stop}\n",  # of a group, as Ctrl-C, timeout and schedulers send it, all get one
        encoding="utf-8",
    )
    words = ("trainer.devices=2", "batching.batch_size=6", "+callbacks.stops={_target_: stopping.Stops}")
    variables = {"HEADWAY_ALLOW_MODULES": "stopping"}
    command(*words, "hydra.run.dir=whole", **variables)
    done = command(*words, "hydra.run.dir=cut", status=143, STOP="1", **variables)
    assert "stopped by SIGTERM after step 4" in done.stderr
    assert json.loads((here / "cut" / "record.json").read_text())["process"]["exit_status"] == 143
    done = command(*words, "hydra.run.dir=cut", **variables)
    assert "4 optimizer steps are taken" in done.stdout
    whole, cut = (json.loads((here / name / "record.json").read_text()) for name in ("whole", "cut"))
    assert cut["results"]["loss_chain"][-1] == whole["results"]["loss_chain"][-1]
    assert cut["results"]["weights"] == whole["results"]["weights"]
    assert cut["metrics"] == whole["metrics"]
