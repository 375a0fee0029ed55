"""What a run read is told by hashes: of files as they are, of splits as they came out."""

from __future__ import annotations

import hashlib

import pytest

from headway.assembly import build_data
from headway.data.fingerprints import data_files, split_digests
from headway.data.sources.files import Files
from headway.data.sources.package import Package


@pytest.fixture
def read(tmp_path, compose_config):
    """(rows of train, *overrides) -> a data set that was read."""

    def read(rows, *overrides):
        for name, lines in (("train", rows), ("test", ["c,fox", "d,dog"])):
            (tmp_path / f"{name}.csv").write_text("body,topic\n" + "\n".join(lines) + "\n")
        cfg = compose_config(
            "data=files", f"data.train={tmp_path / 'train.csv'}", f"data.validation={tmp_path / 'test.csv'}",
            "data.text=body", "data.label=topic", *overrides,
        )  # fmt: skip
        data = build_data(cfg)
        data.read()
        return data

    return read


def test_files_are_those_that_were_read(read, tmp_path):
    found = data_files(read(["a,fox", "b,dog"]))
    assert found == {
        str(tmp_path / name): hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        for name in ("train.csv", "test.csv")
    }


def test_a_split_is_its_texts_and_answers_in_order(read):
    first = split_digests(read(["a,fox", "b,dog"]))
    assert {split: each["rows"] for split, each in first.items()} == {"train": 2, "validation": 2}
    assert split_digests(read(["a,fox", "b,dog"])) == first
    others = [["b,dog", "a,fox"], ["a,dog", "b,fox"], ["A,fox", "b,dog"]]  # order, answers, a text
    shas = {split_digests(read(rows))["train"]["sha256"] for rows in others}
    assert len(shas | {first["train"]["sha256"]}) == 4


def test_what_the_config_changes_counts(read):
    rows = ["a,fox", "b,dog"]
    plain, replaced = read(rows), read(rows, "+data.replace={body:{a:z}}")
    assert data_files(plain) == data_files(replaced)
    assert split_digests(plain)["train"] != split_digests(replaced)["train"]


def test_a_folder_of_texts_has_a_hash_a_file(tmp_path):
    for name in ("fox/1.txt", "dog/2.txt", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    found = Files().digests(str(tmp_path))
    assert found == {
        f"{tmp_path}/{name}": hashlib.sha256(name.encode()).hexdigest() for name in ("dog/2.txt", "fox/1.txt")
    }


def test_an_archive_is_its_pin():
    sha = "0" * 64
    source = Package(name="x", version="1", filename="x-1.zip", sha256=sha)
    assert source.digests("any.csv") == {"x-1.zip": sha}
