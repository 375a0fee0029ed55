import hashlib
import io
import zipfile

import pytest

from headway.data.sources.package import Package
from headway.types import ConfigError, DataError

FILENAME = "toy_set-1.0-py3-none-any.whl"


@pytest.fixture
def pin(tmp_path, monkeypatch):
    """An archive that lies in the cache, so that nothing is fetched."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("toy/all.csv", "split,text\ntrain,a\ntest,b\n")
        archive.writestr("toy/texts/good/1.txt", "fine")
        archive.writestr("toy/texts/bad/1.txt", "poor")
        archive.writestr("toy/inner.zip", b"")
    content = stream.getvalue()
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path))
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / FILENAME).write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return {"name": "toy-set", "version": "1.0", "filename": FILENAME, "sha256": sha256}


def test_a_member_is_read_into_a_table(pin):
    table = Package(**pin).read("toy/all.csv@split:test")
    assert table.column("text") == ["b"]
    assert table.where(0) == f"{FILENAME}:toy/all.csv, line 3"


def test_a_folder_of_texts_is_read(pin):
    table = Package(**pin, format="folder").read("toy/texts/")
    assert (table.column("label"), table.column("text")) == (["bad", "good"], ["poor", "fine"])
    assert table.where(0) == f"{FILENAME}:toy/texts/bad/1.txt"


def test_a_missing_member_is_an_error(pin):
    with pytest.raises(DataError, match=r"most similar: 'toy/all\.csv'"):
        Package(**pin).read("toy/al.csv")


def test_pin_and_options_are_checked_at_construction(pin):
    with pytest.raises(ConfigError, match="`sha256` of package toy-set must be"):
        Package(**{**pin, "sha256": "?"})
    with pytest.raises(ConfigError, match=r"`data\.source\.format` must be"):
        Package(**pin, format="xls")
