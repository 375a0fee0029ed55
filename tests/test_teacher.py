"""A run learns from another run's answers, row by row, and refuses one that doesn't fit."""

from __future__ import annotations

import json
import logging
import shutil

import numpy as np
import pytest
import torch
from torch.nn.functional import log_softmax

import headway
from headway.assembly import build_backbone, build_data, build_loaders, encode_data
from headway.run import run
from headway.teacher import check_teacher, teacher_logits
from headway.types import ConfigError

pytestmark = pytest.mark.slow


@pytest.fixture
def student(finished_run, compose_config, tiny_bert, tmp_path):
    """(kind, *overrides) -> the config of a student of the finished run of that kind, on the same rows."""

    def composed(kind, *overrides, teacher=None):
        folder = finished_run(kind).file.parent
        source = json.loads(json.dumps(_overrides_of(kind)))
        suffix = finished_run(kind).file.suffix
        return compose_config(
            "backbone=local", f"backbone.name={tiny_bert}", "data=files", "data.max_length=24",
            "num_threads=1", "trainer.accelerator=cpu", "trainer.precision=32-true",
            "trainer.enable_progress_bar=false", "trainer.max_steps=4", "optimizer.lr=1e-3",
            "batching.batch_size=16", f"cache_dir={tmp_path / 'cache'}",
            f"data.train={folder / f'train{suffix}'}", f"data.test={folder / f'test{suffix}'}",
            "data.validation_ratio=0.25", *source, "task/loss=distill",
            f"task.loss.teacher={teacher or finished_run(kind).folder}", *overrides,
        )  # fmt: skip

    return composed


def _overrides_of(kind):
    return {
        "class": ["data.text=body", "data.label=topic", "data.truncation=windows", "data.overlap=4"],
        "entities": ["task=entities", "data.text=null", "data.tokens=0", "data.tags=1", "data.scheme=IOB2",
                     "data.truncation=windows", "data.overlap=4"],
        "words": ["task=words", "data.text=null", "data.tokens=words", "data.tags=tags"],
    }[kind]  # fmt: skip


def read(cfg):
    data, backbone = build_data(cfg), build_backbone(cfg)
    data.read()
    encode_data(data, backbone, backbone.load_tokenizer())
    return data


@pytest.mark.parametrize("kind", ["class", "entities", "words"])
class TestLogits:
    def test_they_are_the_teachers_of_the_same_rows(self, kind, student, finished_run):
        data = read(student(kind))
        found = teacher_logits(student(kind), data)
        teacher, table = headway.load(finished_run(kind).folder), data.tables["train"]
        column = "text" if kind == "class" else "tokens"
        offset = 0
        for row, content in enumerate(table.column(column)):
            documents = teacher.document_logits(teacher.encode({column: [content]}))
            rows = slice(offset, offset + len(documents.logits))
            offset = rows.stop
            expected = np.where(documents.seen[:, None], documents.logits, np.nan)
            np.testing.assert_allclose(found[rows], expected, atol=1e-5, err_msg=f"row {row}")
        assert offset == len(found)

    def test_a_batch_holds_them(self, kind, student):
        cfg = student(kind)
        loaders = build_loaders(cfg, read(cfg))
        batch = next(iter(loaders.train_dataloader()))
        assert batch.teacher_logits.shape == (len(batch.labels), 2 if kind == "words" else 3)
        assert next(iter(loaders.val_dataloader())).teacher_logits is None

    def test_a_run_trains_on_them(self, kind, student, tmp_path):
        result = run(student(kind), tmp_path / "run")
        assert np.isfinite(result.best_value)
        assert (result.folder / "model" / "headway.json").is_file()


def test_they_are_computed_once(student, caplog):
    cfg = student("class")
    data = read(cfg)
    with caplog.at_level(logging.INFO, logger="headway"):
        first = teacher_logits(cfg, data)
        again = teacher_logits(cfg, data)
    np.testing.assert_array_equal(first, again)
    lines = [
        record.getMessage() for record in caplog.records if "logits of the teacher" in record.getMessage()
    ]
    assert ["computed" in line for line in lines] == [True, False]


def test_labels_in_another_order_are_put_in_the_datas(student):
    usual, turned = student("class"), student("class", "data.label_names=[ship,earn,grain]")
    found = teacher_logits(turned, read(turned))
    np.testing.assert_array_equal(found, teacher_logits(usual, read(usual))[:, [2, 0, 1]])


class TestRefused:
    def test_no_run(self, student, tmp_path):
        with pytest.raises(ConfigError, match=r"`task.loss.teacher` must be the folder of a finished run"):
            check_teacher(student("class", teacher=tmp_path))

    def test_none_given(self, student):
        cfg = student("class")
        cfg["task"]["loss"]["teacher"] = None
        with pytest.raises(ConfigError, match=r"`task.loss.teacher` must be the folder"):
            check_teacher(cfg)

    def test_another_kind_of_answer(self, student, finished_run):
        with pytest.raises(
            ConfigError, match=r"`task.loss.teacher` must have learned data.label.*data.score"
        ):
            check_teacher(student("class", teacher=finished_run("score").folder))

    def test_other_labels(self, student, finished_run):
        cfg = student("words", teacher=finished_run("entities").folder)
        message = r"must know the labels.*lacks \['lower', 'upper'\] and has \['B-NAME', 'I-NAME', 'O'\]"
        with pytest.raises(ConfigError, match=message):
            teacher_logits(cfg, read(cfg))

    def test_other_columns(self, student, finished_run):
        cfg = student("class", teacher=finished_run("pair").folder)
        with pytest.raises(
            ConfigError, match=r"`task.loss.teacher` must read \['text'\].*\['text', 'text_pair'\]"
        ):
            teacher_logits(cfg, read(cfg))

    def test_a_damaged_teacher(self, student, finished_run, tmp_path):
        folder = shutil.copytree(finished_run("class").folder / "model", tmp_path / "model")
        path = folder / "model.safetensors"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        cfg = student("class", teacher=folder)
        with pytest.raises(headway_error(), match="model.safetensors must be as headway wrote it"):
            teacher_logits(cfg, read(cfg))

    @pytest.mark.parametrize("kind", ["labels", "score"])
    def test_tasks_without_one_right_class(self, kind, compose_config, finished_run):
        task = {"labels": ["task=multilabel", "data.labels=[even,third]"],
                "score": ["task=regression", "data.score=length"]}[kind]  # fmt: skip
        cfg = compose_config(
            "data=files",
            "data.train=x.csv",
            "data.text=body",
            *task,
            "task/loss=distill",
            "task.loss.teacher=x",
        )
        with pytest.raises(ConfigError, match="`task.loss` must be one for data"):
            build_data(cfg)


def headway_error():
    from headway.types import HeadwayError

    return HeadwayError


def distance(folder, teacher, rows):
    """Mean KL divergence of a run's answers from the teacher's."""
    found, wanted = (
        torch.from_numpy(model.document_logits(model.encode({"text": rows})).logits)
        for model in (headway.load(folder), teacher)
    )
    found, wanted = log_softmax(found, -1), log_softmax(wanted, -1)
    return float((wanted.exp() * (wanted - found)).sum(-1).mean())


def test_a_student_with_a_teacher_comes_closer_to_it(student, finished_run, tmp_path):
    longer = ("trainer.max_steps=60", "trainer.max_epochs=40", "optimizer.lr=3e-3", "schedule.warmup_ratio=0")
    teacher = headway.load(finished_run("class").folder)
    distances = {}
    for alpha in (0.0, 1.0):
        cfg = student("class", *longer, f"task.loss.alpha={alpha}", "task.loss.temperature=1.0")
        folder = run(cfg, tmp_path / f"alpha{alpha}").folder
        distances[alpha] = distance(folder, teacher, read(cfg).tables["train"].column("text"))
    assert distances[1.0] < 0.7 * distances[0.0]
