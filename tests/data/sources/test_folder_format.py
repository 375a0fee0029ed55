import pytest

from headway.data.sources.folder_format import files_below, read_texts
from headway.types import DataError


def test_folders_are_classes_and_files_are_texts():
    files = [
        ("b/2.txt", b"two\n"),
        ("a/1.txt", "één".encode()),
        ("a/notes.md", b"-"),
        ("c.txt", b"-"),
        ("a/x/y.txt", b""),
    ]
    table = read_texts(files, origin="texts/")
    assert table.column("id") == ["a/1.txt", "b/2.txt"]
    assert table.column("label") == ["a", "b"]
    assert table.column("text") == ["één", "two\n"]
    assert table.where(1) == "texts/b/2.txt"
    assert table.select([1]).where(0) == "texts/b/2.txt"


def test_the_file_with_wrong_bytes_is_named():
    with pytest.raises(DataError, match=r"texts/a/1\.txt, line 2 must be utf-8 text"):
        read_texts([("a/1.txt", b"fine\n\xff")], origin="texts")


def test_a_folder_without_texts_is_an_error():
    with pytest.raises(DataError, match=r"texts must hold files <class>/<name>\.txt, got none"):
        read_texts([("1.txt", b"no class")], origin="texts")


def test_files_are_found_below_a_folder(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.txt").write_bytes(b"one")
    (tmp_path / "README.txt").write_bytes(b"-")
    assert dict(files_below(tmp_path)) == {"a/1.txt": b"one"}
