"""A file's sha256 is its own, also after the file was replaced."""

from __future__ import annotations

import hashlib
import os

from headway.file_digests import file_sha256


def test_it_is_hashlibs_and_follows_a_change(tmp_path):
    path = tmp_path / "a.bin"
    for content in (b"before", b"after!"):  # of one length
        path.write_bytes(content)
        os.utime(path, ns=(0, content[0]))
        assert file_sha256(path) == hashlib.sha256(content).hexdigest()


def test_a_file_that_is_linked_to_is_read_once(tmp_path, monkeypatch):
    path, link = tmp_path / "a.bin", tmp_path / "b.bin"
    path.write_bytes(b"content")
    link.hardlink_to(path)
    digest = file_sha256(path)
    monkeypatch.setattr(hashlib, "file_digest", None)  # which would raise
    assert file_sha256(link) == digest
