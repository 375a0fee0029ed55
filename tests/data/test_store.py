"""The encoded form on disk: complete or absent, intact or rebuilt, by several writers at once."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from headway.data.store import Encoded, cached, load, offsets_of, save
from headway.types import ConfigError, DataError


def make_encoded(words=True):
    """Return three windows of two documents, the second with one window."""
    columns = {
        "words": np.array([-1, 0, 1, -1, -1, 1, -1, -1, -1], np.int32),
        "first_pieces": np.array([0, 1, 1, 0, 0, 0, 0, 0, 0], bool),
        "num_words": np.array([2, 0]),
        "word_seen": np.array([True, True]),
    }
    return Encoded(
        input_ids=np.arange(9, dtype=np.int32),
        token_type_ids=None if words else np.zeros(9, np.int8),
        offsets=np.array([0, 4, 7, 9]),
        documents=np.array([0, 0, 1]),
        lengths=np.array([5, 2]),
        lost=np.array([1, 0]),
        **(columns if words else {}),
    )


def assert_same(one, other):
    fields = Encoded.__dataclass_fields__
    for name in fields:
        ours, theirs = getattr(one, name), getattr(other, name)
        assert (ours is None) == (theirs is None), name
        if ours is not None:
            assert ours.dtype == theirs.dtype, name
            np.testing.assert_array_equal(ours, theirs)


def test_what_follows_from_the_columns():
    encoded = make_encoded()
    assert (encoded.num_tokens, encoded.num_windows, encoded.num_documents) == (9, 3, 2)
    assert encoded.window_lengths.tolist() == [4, 3, 2]
    assert encoded.windows_per_document.tolist() == [2, 1]
    assert encoded.truncated.tolist() == [True, False]
    assert encoded.word_offsets.tolist() == [0, 2, 2]
    assert make_encoded(words=False).word_offsets is None
    assert offsets_of([]).tolist() == [0]


@pytest.mark.parametrize("words", [True, False])
def test_load_gives_what_was_saved_as_read_only_maps(tmp_path, words):
    save(make_encoded(words), tmp_path / "deep" / "key")
    loaded = load(tmp_path / "deep" / "key")
    assert_same(loaded, make_encoded(words))
    assert isinstance(loaded.input_ids, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        loaded.input_ids[0] = 1


def test_empty_columns_survive(tmp_path):
    empty = Encoded(*(np.zeros(0, np.int32), None, np.zeros(1, np.int64)), *(np.zeros(0, np.int64),) * 3)
    save(empty, tmp_path / "key")
    assert_same(load(tmp_path / "key"), empty)


def test_cached_builds_once(tmp_path):
    calls = []

    def build():
        calls.append(1)
        return make_encoded()

    first = cached("key", build, cache_dir=tmp_path / "new")
    second = cached("key", build, cache_dir=tmp_path / "new")
    other = cached("other key", build, cache_dir=tmp_path / "new")
    assert len(calls) == 2
    for encoded in (first, second, other):
        assert_same(encoded, make_encoded())


def flip_a_byte(folder):
    path = folder / "input_ids.npy"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)


def cut_a_file(folder):
    path = folder / "offsets.npy"
    path.write_bytes(path.read_bytes()[:-4])


def change_the_format(folder):
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps({**meta, "format": 0}))


DAMAGES = [
    flip_a_byte,
    cut_a_file,
    change_the_format,
    lambda folder: (folder / "lengths.npy").unlink(),
    lambda folder: (folder / "meta.json").unlink(),
    lambda folder: (folder / "meta.json").write_text("{"),
    lambda folder: (folder / "meta.json").write_text("[]"),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_refused_by_load_and_rebuilt_by_cached(tmp_path, damage):
    cached("key", make_encoded, cache_dir=tmp_path)
    damage(tmp_path / "key")
    with pytest.raises(DataError, match="key must hold intact arrays"):
        load(tmp_path / "key")
    assert_same(cached("key", make_encoded, cache_dir=tmp_path), make_encoded())
    assert_same(load(tmp_path / "key"), make_encoded())
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("damaged", [False, True])
def test_several_writers_at_once(tmp_path, damaged):
    if damaged:
        cached("key", make_encoded, cache_dir=tmp_path)
        flip_a_byte(tmp_path / "key")
    barrier = Barrier(8)

    def build():
        barrier.wait(10)  # all have found nothing before the first one writes
        return make_encoded()

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: cached("key", build, cache_dir=tmp_path), range(8)))
    for encoded in results:
        assert_same(encoded, make_encoded())
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_failed_build_leaves_nothing(tmp_path):
    def build():
        raise DataError("row 7")

    with pytest.raises(DataError, match="row 7"):
        cached("key", build, cache_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cache_dir must be a folder that can be written"):
        cached("key", make_encoded, cache_dir=tmp_path / "file")


def test_save_never_overwrites(tmp_path):
    save(make_encoded(), tmp_path / "key")
    with pytest.raises(FileExistsError, match="key"):
        save(make_encoded(words=False), tmp_path / "key")
    assert_same(load(tmp_path / "key"), make_encoded())
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
