"""Whole runs of a tiny BERT on files made here, by the composed config (long: they share their fixtures)."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

from headway.cli.main import main
from headway.run import run
from headway.types import ConfigError

pytestmark = pytest.mark.slow

FAST = (
    "backbone=local",
    "data=files",
    "num_threads=1",
    "trainer.accelerator=cpu",
    "trainer.precision=32-true",
    "trainer.enable_progress_bar=false",
    "data.max_length=24",
    "task.head.dropout=0",
    "batching.batch_size=16",
    "score_splits=[validation]",
)
ANIMALS = ("dog", "fox", "goalkeeper", "farmer")


@pytest.fixture
def overrides(tmp_path, plain_bert):
    return [*FAST, f"backbone.name={plain_bert}", f"cache_dir={tmp_path / 'cache'}"]


@pytest.fixture
def train(tmp_path, overrides, compose_config):
    """Return a function: (train file, *overrides) -> the result of a run that validates on the same file."""

    def train(file, *more, folder="run"):
        # In this order, so that `more` may name other files.
        words = [f"data.train={file}", f"data.validation={file}", *more]
        return run(compose_config(*overrides, *words), tmp_path / folder)

    return train


@pytest.fixture
def write(tmp_path):
    """Return a function: (name, header, rows) -> a csv file."""

    def write(name, header, rows):
        path = tmp_path / name
        with path.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([header, *rows])
        return path

    return write


@pytest.fixture
def animals(write):
    rows = [(f"the {ANIMALS[i % 4]} jumps over number {i}", ANIMALS[i % 4]) for i in range(64)]
    return write("animals.csv", ("text", "label"), rows)


LABEL = ("data.label=label", "task.monitor=accuracy")


def _checkpoint(result, name="best"):
    return torch.load(result.folder / "checkpoints" / f"{name}.ckpt", map_location="cpu", weights_only=True)


def _record(result):
    return json.loads((result.folder / "record.json").read_text())


def _encoder_weights(result):
    state = load_file(result.folder / "model" / "model.safetensors")
    return {name.removeprefix("encoder."): value for name, value in state.items() if "encoder." in name[:8]}


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_learns_one_class_a_document(train, animals, precision):
    result = train(
        animals, *LABEL, "optimizer.lr=5e-3", "trainer.max_epochs=10", f"trainer.precision={precision}"
    )
    assert result.metrics["validation"]["accuracy"] == 1
    assert result.best_value == 1


@pytest.mark.parametrize("batching", ["grouped", "tokens"])
def test_learns_with_every_way_of_batching(train, animals, compose_config, tmp_path, overrides, batching):
    words = [word for word in overrides if not word.startswith("batching.")]
    words += [f"data.train={animals}", f"data.validation={animals}", *LABEL, f"batching={batching}"]
    words += ["optimizer.lr=5e-3", "trainer.max_epochs=15"]
    # Here length gives the class away: batches of one length in a large pool would be batches of one class.
    words += (
        ["batching.max_tokens=200"] if batching == "tokens" else ["batching.pool=2", "batching.batch_size=16"]
    )
    assert run(compose_config(*words), tmp_path / "run").metrics["validation"]["accuracy"] == 1


def test_learns_several_labels_a_document(train, write):
    rows = []
    for number in range(64):
        chosen = [animal for bit, animal in enumerate(ANIMALS) if number >> bit & 1]
        rows.append((f"number {number} {' '.join(chosen)}", ";".join(chosen)))
    result = train(
        write("several.csv", ("text", "labels"), rows),
        "task=multilabel",
        "data.labels=labels",
        "data.label_delimiter=';'",
        "optimizer.lr=5e-3",
        "trainer.max_epochs=25",
        "task.head.pooling=mean",
    )
    assert result.metrics["validation"]["subset_accuracy"] == 1


def test_learns_a_number_a_document(train, write):
    rows = [(f"number {i} of a {ANIMALS[i % 4]}", 2 - i % 4) for i in range(64)]
    result = train(
        write("scores.csv", ("text", "score"), rows),
        "task=regression",
        "data.score=score",
        "optimizer.lr=5e-3",
        "trainer.max_epochs=25",
        "task.head.pooling=mean",
    )
    assert result.metrics["validation"]["pearson"] > 0.95


SPANS = {
    "Peter Blackburn": "B-PER I-PER",
    "Germany": "B-LOC",
    "the Czech Republic": "O B-LOC I-LOC",
    "the company": "O O",
}


def _sentences(tags):
    """64 sentences of two phrases, the second one's tags depending on its own words alone."""
    phrases = list(SPANS.items())
    for number in range(64):
        (first, one), (second, two) = phrases[number % 4], phrases[number // 4 % 4]
        words = f"{first} beat {second} in {ANIMALS[number // 16]}"
        yield (
            words,
            (f"{one} O {two} O O" if tags == "spans" else " ".join(word[0] for word in words.split())),
        )


WORDS = (
    "data.text=null",
    "data.tokens=tokens",
    "data.tags=tags",
    "optimizer.lr=5e-3",
    "trainer.max_epochs=20",
)


def test_learns_entities(train, write):
    file = write("spans.csv", ("tokens", "tags"), _sentences("spans"))
    result = train(file, "task=entities", "data.scheme=IOB2", *WORDS)
    assert result.metrics["validation"]["entity_f1"] == 1


@pytest.mark.parametrize("subword_labels", ["first", "all"])
def test_learns_a_tag_a_word(train, write, subword_labels):
    file = write("words.csv", ("tokens", "tags"), _sentences("initials"))
    result = train(file, "task=words", f"data.subword_labels={subword_labels}", *WORDS)
    assert result.metrics["validation"]["accuracy"] == 1


def test_max_steps_in_the_middle_of_an_epoch_ends_the_schedule_and_is_validated(train, animals):
    result = train(animals, *LABEL, "trainer.max_steps=6", "optimizer.lr=5e-3", "task.monitor=loss")
    last = _checkpoint(result, "last")
    assert _record(result)["total_steps"] == last["global_step"] == 6
    assert last["lr_schedulers"][0]["_last_lr"][0] == 0
    # Loss falls, so the epoch of the last two steps is the best: it was validated.
    assert _record(result)["monitor"]["epoch"] == 2
    assert _checkpoint(result)["global_step"] == 6


@pytest.mark.parametrize(
    ("words", "steps"),
    [
        (("trainer.accumulate_grad_batches=3",), 2 * 2),
        (("trainer.limit_train_batches=0.5",), 2 * 2),
        (("trainer.limit_train_batches=1",), 2 * 1),
        (("batching.drop_last=true", "batching.batch_size=24"), 2 * 2),
        (("trainer.accumulate_grad_batches=3", "trainer.limit_train_batches=2", "trainer.max_steps=2"), 2),
    ],
)
def test_the_steps_announced_are_those_taken(train, animals, words, steps):
    result = train(animals, *LABEL, "trainer.max_epochs=2", *words)
    assert _record(result)["total_steps"] == _checkpoint(result, "last")["global_step"] == steps


def test_accumulated_steps_are_the_steps_of_one_batch(train, animals):
    common = (*LABEL, "trainer.max_epochs=3", "optimizer.lr=1e-3", "optimizer.eps=1e-4")
    whole = train(animals, *common, "batching.batch_size=24", folder="whole")
    cut = train(animals, *common, "batching.batch_size=6", "trainer.accumulate_grad_batches=4", folder="cut")
    assert _record(whole)["total_steps"] == _record(cut)["total_steps"] == 9
    for name, weight in _checkpoint(whole, "last")["state_dict"].items():
        torch.testing.assert_close(_checkpoint(cut, "last")["state_dict"][name], weight, rtol=1e-3, atol=1e-5)


def test_the_same_seed_gives_the_same_run_to_the_bit(train, animals, tiny_bert):
    common = (*LABEL, "trainer.max_epochs=1", f"backbone.name={tiny_bert}", "task.head.dropout=0.1")
    first, again = (train(animals, *common, folder=folder) for folder in ("first", "again"))
    other = train(animals, *common, "data_seed=7", folder="other")
    states = [_checkpoint(result, "last")["state_dict"] for result in (first, again, other)]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    assert not all(torch.equal(value, states[2][name]) for name, value in states[0].items())


def _kinds(value):
    if isinstance(value, dict):
        return set().union(*(_kinds(inner) for pair in value.items() for inner in pair))
    if isinstance(value, list | tuple):
        return set().union(*map(_kinds, value)) if value else set()
    return {type(value)}


def test_a_checkpoint_holds_tensors_and_scalars_only(train, animals):
    result = train(animals, *LABEL, "trainer.max_epochs=2", "callbacks=early_stopping")
    for name in ("best", "last"):
        kinds = _kinds(_checkpoint(result, name))
        assert kinds <= {torch.Tensor, str, int, float, bool, type(None)}, kinds


def test_the_artifact_holds_the_weights_of_the_best_epoch(train, animals):
    # A rate that undoes what was learned: the first epoch is the best, the last one another.
    result = train(animals, *LABEL, "optimizer.lr=1.0", "trainer.max_epochs=3", "schedule=constant")
    epoch = _record(result)["monitor"]["epoch"] - 1
    best = _checkpoint(result)
    assert best["epoch"] == epoch
    state = {
        name.removeprefix("encoder.model."): value
        for name, value in best["state_dict"].items()
        if name.startswith("encoder.model.")
    }
    artifact = _encoder_weights(result)
    assert set(artifact) == set(state)
    assert all(torch.equal(artifact[name], value) for name, value in state.items())


def test_a_validation_metric_depends_on_neither_batches_nor_the_order_of_rows(train, animals, write):
    lines = animals.read_text().splitlines()
    order = np.random.default_rng(0).permutation(64) + 1
    shuffled = write("shuffled.csv", ("text", "label"), [lines[i].split(",") for i in order])
    common = (*LABEL, "trainer.max_steps=3", "data.max_length=6", "data.truncation=windows", "data.overlap=1")
    expected = train(animals, *common, folder="expected").metrics["validation"]
    assert 0 < expected["accuracy"] < 1
    assert expected["coverage"] == 1
    for number, change in enumerate(
        ["data.eval_batch_size=1", "data.eval_batch_size=7", f"data.validation={shuffled}"]
    ):
        assert train(animals, *common, change, folder=str(number)).metrics["validation"] == pytest.approx(
            expected, abs=1e-6
        )


def test_early_stopping_ends_a_training_that_no_longer_improves(train, animals):
    result = train(animals, *LABEL, "callbacks=early_stopping", "optimizer.lr=1e-9", "trainer.max_epochs=9")
    assert _record(result)["monitor"]["epoch"] == 1
    assert _checkpoint(result, "last")["epoch"] == 2  # two validations without improvement


def test_a_frozen_backbone_is_left_as_it_was(train, animals, plain_bert):
    frozen = ("backbone.trainable=none", "keep_features=false")
    result = train(animals, *LABEL, *frozen, "optimizer.lr=1e-2", "trainer.max_epochs=2")
    before = AutoModel.from_pretrained(plain_bert).state_dict()
    for name, weight in _encoder_weights(result).items():
        assert torch.equal(weight, before[name]), name
    head = _checkpoint(result, "last")["optimizer_states"][0]["state"]
    assert len(head) == 2  # the head's weight and bias


def test_of_the_last_layer_alone_nothing_below_changes(train, animals, plain_bert):
    result = train(animals, *LABEL, "backbone.trainable=last_n", "backbone.last_n=1", "optimizer.lr=1e-2")
    before = AutoModel.from_pretrained(plain_bert).state_dict()
    changed = {
        name for name, weight in _encoder_weights(result).items() if not torch.equal(weight, before[name])
    }
    assert changed
    assert all(name.startswith("encoder.layer.1.") for name in changed)


def test_layers_learn_at_their_own_rates(train, animals):
    result = train(
        animals, *LABEL, "optimizer.layer_decay=0.5", "optimizer.lr=8e-3", "optimizer.head_lr=1e-2"
    )
    groups = _checkpoint(result, "last")["optimizer_states"][0]["param_groups"]
    rates = {group["name"].removesuffix("/no_decay"): group["initial_lr"] for group in groups}
    expected = {"encoder/0": 2e-3, "encoder/1": 4e-3, "encoder/2": 8e-3, "head": 1e-2}
    assert {name: rates[name] for name in expected} == pytest.approx(expected)


def test_a_loss_that_is_not_a_number_ends_the_command_with_status_1(
    tmp_path, plain_bert, overrides, animals, capsys
):
    folder = tmp_path / "broken"
    model = AutoModel.from_pretrained(plain_bert)
    with torch.no_grad():
        model.embeddings.LayerNorm.weight[0] = float("nan")
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(plain_bert).save_pretrained(folder)
    status = main(
        ["train", *overrides, f"backbone.name={folder}", f"data.train={animals}", *LABEL[:1]]
        + [f"output_dir={tmp_path / 'outputs'}"]
    )
    assert status == 1
    assert "the training loss is nan in epoch 0, batch 0 (optimizer step 0)" in capsys.readouterr().err


def test_a_run_that_diverges_after_its_last_step_keeps_no_best_checkpoint(train, animals):
    from headway.types import TrainingError

    with pytest.raises(TrainingError, match="not finite|training loss is"):
        train(
            animals,
            *LABEL,
            "optimizer.lr=1.0",
            "optimizer.eps=1e-38",
            "trainer.gradient_clip_val=null",
            "optimizer.weight_decay=1e38",
            "schedule=constant",
            "trainer.max_epochs=3",
        )


class TestAggregationsAtTheEnd:
    @pytest.fixture
    def long(self, write):
        """Documents of several windows of which one names the animal."""
        rows = [
            (" ".join(["number"] * (7 * i % 40) + [ANIMALS[i % 4]] + ["the"] * (11 * i % 40)), ANIMALS[i % 4])
            for i in range(48)
        ]
        return write("long.csv", ("text", "label"), rows)

    WINDOWS = (
        "data.label=label",
        "data.truncation=windows",
        "data.overlap=4",
        "trainer.max_epochs=2",
        "optimizer.lr=1e-3",
    )

    def test_the_best_on_validation_is_kept_and_scored(self, train, long):
        words = (*self.WINDOWS, f"data.test={long}", "score_splits=[validation,test]")
        result = train(long, *words, "compare_aggregations=all")
        table = json.loads((result.folder / "aggregations.json").read_text())
        values = {name: each["metrics"]["f1_macro"] for name, each in table["candidates"].items()}
        assert len(values) >= 5
        assert values[table["chosen"]] == max(values.values()) == result.best_value
        assert result.metrics["validation"]["f1_macro"] == result.best_value
        # Both splits are the same file: what scores one must score the other.
        assert result.metrics["test"] == pytest.approx(result.metrics["validation"])
        spec = json.loads((result.folder / "model" / "headway.json").read_text())
        assert spec["aggregation"] == table["candidates"][table["chosen"]]["aggregation"]
        record = json.loads((result.folder / "record.json").read_text())
        assert record["aggregation"] == spec["aggregation"]
        assert record["monitor"]["value"] == result.best_value

    def test_comparing_changes_nothing_of_the_training(self, train, long):
        plain = train(long, *self.WINDOWS, folder="plain")
        compared = train(long, *self.WINDOWS, "compare_aggregations=[mean_logits]", folder="compared")
        assert compared.metrics == plain.metrics
        assert not (plain.folder / "aggregations.json").exists()
        weights = [load_file(each.folder / "model" / "model.safetensors") for each in (plain, compared)]
        assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])

    @pytest.mark.parametrize(
        ("asked", "message"),
        [
            ("[mean_logit]", "`compare_aggregations` must hold names of task/aggregation"),
            ("word_farthest", "`task.aggregation` must be one for whole documents"),
            ("[]", "`compare_aggregations` must be null, all, or names"),
            ("3", "`compare_aggregations` must be null, all, or names"),
        ],
    )
    def test_a_wrong_name_stops_before_data_are_read(self, train, asked, message, tmp_path):
        with pytest.raises(ConfigError, match=message):
            train(tmp_path / "no such file.csv", "data.label=label", f"compare_aggregations={asked}")

    def test_drawn_windows_train_on_part_of_each_document(self, train, long):
        """Batches of 16 windows: 48 documents with a window each make 3 steps an epoch, all windows more."""
        drawn = train(long, *self.WINDOWS, "data.train_windows=1", folder="drawn")
        all_of_them = train(long, *self.WINDOWS, folder="all")
        steps = [
            json.loads((each.folder / "record.json").read_text())["total_steps"]
            for each in (drawn, all_of_them)
        ]
        assert steps[0] == 6 < steps[1]

    def test_what_counts_the_same_changes_the_gradient(self, train, long):
        losses = [
            _first_loss(train(long, *self.WINDOWS, f"data.loss_weight={by}", folder=by))
            for by in ("label", "document", "window")
        ]
        assert losses[0] == losses[1] != losses[2]


def _first_loss(result):
    with (result.folder / "metrics.csv").open() as stream:
        return next(row["train/loss"] for row in csv.DictReader(stream) if row["train/loss"])
