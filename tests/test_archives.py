import io
import stat
import tarfile
import zipfile

import pytest

from headway.archives import extract_folder, list_members, open_member, read_folder, read_member
from headway.types import DataError

FILES = {
    "pkg/a.txt": b"one",
    "pkg/data/b.txt": b"two",
    "pkg/data/more/c.txt": b"three",
    "pkg/database.txt": b"no",
}


def tarball(files, links=()):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        folder = tarfile.TarInfo("pkg/data")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(info)
    return stream.getvalue()


def wheel(files, links=()):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("pkg/data/", b"")
        for name, content in files.items():
            archive.writestr(name, content)
        for name in links:
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
    return stream.getvalue()


KINDS = {"my.tar.gz": tarball, "my.whl": wheel}


@pytest.fixture(params=KINDS)
def archive(request, tmp_path):
    """Write an archive of each kind."""

    def write(files=FILES, links=()):
        path = tmp_path / request.param
        path.write_bytes(KINDS[request.param](files, links))
        return path

    return write


def test_members_are_files_not_folders(archive):
    assert list_members(archive()) == list(FILES)


def test_a_member_is_read_and_seekable(archive):
    assert read_member(archive(), "pkg/data/b.txt") == b"two"
    with open_member(archive(), "pkg/data/b.txt") as stream:
        assert (stream.read(), stream.seek(0), stream.read(1)) == (b"two", 0, b"t")


@pytest.mark.parametrize("inner", KINDS)
def test_a_member_of_an_archive_within_is_read(archive, inner):
    path = archive({f"deep/{inner}": KINDS[inner](FILES)})
    assert read_member(path, f"deep/{inner}!pkg/a.txt") == b"one"
    with pytest.raises(
        DataError, match=rf"deep/{inner}: the member must be one of the 4 in it, got 'pkg/x\.txt'"
    ):
        read_member(path, f"deep/{inner}!pkg/x.txt")


def test_a_missing_member_names_similar_ones(archive):
    with pytest.raises(
        DataError, match=r"one of the 4 in it, got 'pkg/data/b\.csv'.*most similar: 'pkg/data/b\.txt'"
    ):
        read_member(archive(), "pkg/data/b.csv")


@pytest.mark.parametrize("prefix", ["pkg/data", "pkg/data/"])
def test_a_folder_is_read_with_what_is_below(archive, prefix):
    assert dict(read_folder(archive(), prefix)) == {"b.txt": b"two", "more/c.txt": b"three"}


def test_a_missing_folder_names_similar_ones(archive):
    with pytest.raises(
        DataError, match=r"the folder must be one of .* got 'pkg/date/'.*most similar: 'pkg/data/'"
    ):
        list(read_folder(archive(), "pkg/date"))


def test_a_folder_is_extracted_whole(archive, tmp_path):
    target = tmp_path / "deep" / "out"
    extract_folder(archive(), "pkg/data", target)
    found = {
        path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()
    }
    assert found == {"b.txt": b"two", "more/c.txt": b"three"}
    assert [path.name for path in target.parent.iterdir()] == ["out"]


def test_a_folder_that_another_process_extracted_stays(archive, tmp_path):
    target = tmp_path / "out"
    extract_folder(archive(), "pkg/data", target)
    (target / "mark").touch()
    extract_folder(archive(), "pkg/data", target)
    assert (target / "mark").exists()
    assert {path.name for path in tmp_path.iterdir()} == {archive().name, "out"}


@pytest.mark.parametrize("name", ["pkg/data/../../evil.txt", "pkg/data//evil.txt", "pkg/data/c:evil.txt"])
def test_nothing_is_written_outside(archive, tmp_path, name):
    path = archive({**FILES, name: b"evil"})
    with pytest.raises(DataError, match="must be a plain file below 'pkg/data/'"):
        extract_folder(path, "pkg/data", tmp_path / "out")
    assert [child.name for child in tmp_path.iterdir()] == [path.name]


def test_links_are_not_followed(archive, tmp_path):
    path = archive(FILES, links=["pkg/data/link"])
    with pytest.raises(DataError, match="'pkg/data/link' must be a plain file"):
        extract_folder(path, "pkg/data", tmp_path / "out")
    with pytest.raises(DataError, match="got 'pkg/data/link'"):
        read_member(path, "pkg/data/link")
    assert not (tmp_path / "out").exists()


def test_a_damaged_archive_is_an_error(archive):
    path = archive()
    path.write_bytes(b"not an archive")
    with pytest.raises(DataError, match="must be a whole archive, got a damaged one"):
        list_members(path)


def test_an_archive_is_known_by_its_suffix(tmp_path):
    (tmp_path / "my.rar").touch()
    with pytest.raises(DataError, match=r"my\.rar: an archive must end in one of"):
        list_members(tmp_path / "my.rar")
