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
