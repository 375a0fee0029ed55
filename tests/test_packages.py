import hashlib
import io
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from headway.packages import PackagePin, cache_folder, extract_folder, fetch
from headway.types import ConfigError, DataError

FILENAME = "toy_set-1.0-py3-none-any.whl"


def wheel(text=b"text,label\nx,y\n"):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("toy_set/all.csv", text)
        archive.writestr("toy_set/model/config.json", b"{}")
    return stream.getvalue()


CONTENT = wheel()
PIN = PackagePin("toy-set", "1.0", FILENAME, hashlib.sha256(CONTENT).hexdigest())


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder that is laid out as an index, and counts what was asked for."""

    def do_GET(self):
        self.server.asked.append(self.path)
        super().do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A package index on this machine that pip is configured with; `asked` lists the paths asked for."""
    root = tmp_path / "index"
    (root / "simple" / "toy-set").mkdir(parents=True)
    (root / "simple" / "toy-set" / "index.html").write_text(f'<a href="/files/{FILENAME}">{FILENAME}</a>')
    (root / "files").mkdir()
    (root / "files" / FILENAME).write_bytes(CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root)))
    server.asked, server.root = [], root
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://user:secret@127.0.0.1:{server.server_port}/simple/")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def test_an_archive_is_fetched_once(index, cache):
    path = fetch(PIN, cache)
    assert path == cache / FILENAME
    assert path.read_bytes() == CONTENT
    asked = len(index.asked)
    assert fetch(PIN, cache) == path
    assert len(index.asked) == asked == 2
    assert [child.name for child in cache.iterdir()] == [FILENAME]


def test_a_damaged_file_is_fetched_anew(index, cache):
    path = fetch(PIN, cache)
    path.write_bytes(CONTENT[:-1] + b"x")
    assert fetch(PIN, cache).read_bytes() == CONTENT


def test_another_content_is_refused_and_not_kept(index, cache):
    (index.root / "files" / FILENAME).write_bytes(wheel(b"other"))
    with pytest.raises(
        ConfigError, match=rf"`sha256` of package toy-set must be that of {FILENAME}, got {PIN.sha256}"
    ):
        fetch(PIN, cache)
    assert list(cache.iterdir()) == []


def test_several_may_fetch_at_once(index, cache):
    threads = [threading.Thread(target=fetch, args=(PIN, cache)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [child.read_bytes() for child in cache.iterdir()] == [CONTENT]


@pytest.mark.parametrize("what", ["project", "file"])
def test_what_the_index_lacks_is_named_without_passwords(index, cache, what):
    page = index.root / "simple" / "toy-set" / "index.html"
    page.write_text("<a href='/files/other.whl'>other-1.0-py3-none-any.whl</a>")
    if what == "project":
        page.unlink()
        page.parent.rmdir()
    with pytest.raises(
        ConfigError, match="`filename` of package toy-set must be a file .* not on 127.0.0.1"
    ) as caught:
        fetch(PIN, cache)
    assert "secret" not in str(caught.value)
    assert str(cache / FILENAME) in str(caught.value)


def test_an_extra_index_is_asked_too(index, cache, monkeypatch):
    url = f"http://127.0.0.1:{index.server_port}/simple/"
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{index.server_port}/empty/")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"file:///nowhere {url}")
    assert fetch(PIN, cache).read_bytes() == CONTENT


def test_an_index_out_of_reach_says_what_to_do(cache, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    with pytest.raises(
        DataError, match=r"got no answer from 127\.0\.0\.1.*check the connection.*put the file at"
    ):
        fetch(PIN, cache)
    assert list(cache.iterdir()) == []


def test_the_file_may_be_put_there_by_hand(cache, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    cache.mkdir()
    (cache / FILENAME).write_bytes(CONTENT)
    assert fetch(PIN, cache) == cache / FILENAME


def test_a_folder_is_extracted_once(cache, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    cache.mkdir()
    (cache / FILENAME).write_bytes(CONTENT)
    folder = extract_folder(PIN, "toy_set/model/", cache)
    assert (folder / "config.json").read_bytes() == b"{}"
    (cache / FILENAME).unlink()
    assert extract_folder(PIN, "toy_set/model", cache) == folder


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path / "packages"
    monkeypatch.delenv("HEADWAY_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "headway" / "packages"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"sha256": "abc"},
            "`sha256` of package toy-set must be 64 lower-case hexadecimal digits, got 'abc'",
        ),
        (
            {"filename": "toy.exe"},
            "`filename` of package toy-set must be a plain file name that ends in one of",
        ),
        ({"filename": "../toy.whl"}, "`filename` of package toy-set must be a plain file name"),
    ],
)
def test_a_wrong_pin_is_an_error_at_construction(change, message):
    with pytest.raises(ConfigError, match=message):
        PackagePin(**{**vars(PIN), **change})
