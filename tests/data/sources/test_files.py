import gzip

import pytest

from headway.data.sources.files import Files, iter_records
from headway.types import ConfigError, DataError


@pytest.fixture
def csv_file(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("split,text\ntrain,a\ntest,b\ntrain,c\n")
    return path


def test_a_file_is_read_into_a_table(csv_file):
    table = Files().read(str(csv_file))
    assert table.column("text") == ["a", "b", "c"]
    assert table.where(2) == f"{csv_file}, line 4"


def test_rows_of_a_split_are_taken(csv_file):
    table = Files().read(f"{csv_file}@split:train")
    assert table.column("text") == ["a", "c"]
    assert table.where(1) == f"{csv_file}, line 4"


def test_a_compressed_file_is_read(tmp_path):
    path = tmp_path / "mine.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "a"}\n'))
    assert Files().read(str(path)).column("text") == ["a"]


def test_parquet_rows_are_called_rows(tmp_path):
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / "mine.parquet"
    pa.parquet.write_table(pa.table({"text": ["a", "b"]}), path)
    assert Files().read(str(path)).where(1) == f"{path}, row 2"


def test_a_folder_of_texts_is_read_without_a_format(tmp_path):
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "1.txt").write_text("fine")
    for source in (Files(), Files(format="folder")):
        table = source.read(str(tmp_path))
        assert (table.column("text"), table.column("label")) == (["fine"], ["good"])
    with pytest.raises(DataError, match="a folder has no columns to select by"):
        Files().read(f"{tmp_path}@split:train")


def test_a_folder_is_no_csv_file(tmp_path):
    with pytest.raises(DataError, match="must be a csv file, got a folder"):
        Files(format="csv").read(str(tmp_path))


def test_a_missing_file_names_its_nearest_neighbour(csv_file):
    with pytest.raises(
        DataError, match=r"mine\.cvs must be an existing file, got none \(did you mean 'mine\.csv'\?\)"
    ):
        Files().read(str(csv_file.with_name("mine.cvs")))


def test_a_missing_folder_is_said_to_be_missing(tmp_path):
    with pytest.raises(DataError, match="got none, nor its folder"):
        Files().read(str(tmp_path / "no" / "mine.csv"))


def test_a_path_may_start_at_home(csv_file, monkeypatch):
    monkeypatch.setenv("HOME", str(csv_file.parent))
    monkeypatch.setenv("USERPROFILE", str(csv_file.parent))
    assert len(Files().read("~/mine.csv")) == 3


def test_a_file_without_rows_is_an_error(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("text,label\n")
    with pytest.raises(DataError, match=r"mine\.csv must hold at least one row, got none"):
        Files().read(str(path))


def test_records_of_a_file_can_be_streamed(csv_file):
    records = iter_records(csv_file)
    assert next(records) == (2, {"split": "train", "text": "a"})
    records.close()


def test_an_unknown_suffix_is_an_error(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("a\n")
    with pytest.raises(ConfigError, match=r"`data\.source\.format` must be set for 'mine\.txt'"):
        list(iter_records(path))
