import gzip
import io

import pytest

from headway.data.sources.text_lines import decode_lines
from headway.types import DataError


def lines(content, **options):
    return list(decode_lines(io.BytesIO(content), origin="my.txt", **options))


def test_line_ends_stay_and_a_byte_order_mark_goes():
    assert lines(b"\xef\xbb\xbfa\r\nb\n\nc") == ["a\r\n", "b\n", "\n", "c"]


def test_only_line_ends_end_lines():
    assert lines("a\u2028b\x0cc\x85d\n".encode()) == ["a\u2028b\x0cc\x85d\n"]


def test_any_line_end_counts_where_asked():
    assert lines(b"a\rb\r\nc\n", newline="") == ["a\r", "b\r\n", "c\n"]


def test_wrong_bytes_are_named_by_line_even_far_into_a_block():
    content = b"good\n" * 5000 + b"caf\xe9\n" + b"good\n"
    with pytest.raises(DataError, match=r"my\.txt, line 5001 must be utf-8 text, got the byte 0xe9 after 3"):
        lines(content)


def test_the_encoding_is_the_one_that_was_set():
    assert lines("café\n".encode("cp1252"), encoding="cp1252") == ["café\n"]
    assert lines("café\nthé\n".encode("utf-16"), encoding="utf-16") == ["café\n", "thé\n"]


def test_lines_that_are_not_in_the_encoding_may_have_another():
    content = "£1\n".encode() + "£2\n".encode("cp1252")
    assert lines(content, fallback_encoding="cp1252") == ["£1\n", "£2\n"]


def test_a_line_in_neither_encoding_is_an_error():
    with pytest.raises(DataError, match=r"line 2 must be utf-8 or cp1252 text, got the byte 0x81"):
        lines(b"a\nb\x81\n", fallback_encoding="cp1252")


def test_nul_is_an_error():
    with pytest.raises(DataError, match=r"my\.txt, line 2 must be text, got a NUL character after 1"):
        lines(b"a\nb\0c\n")


def test_a_truncated_gzip_stream_is_an_error():
    whole = gzip.compress(b"".join(b"%d\n" % number for number in range(50_000)))
    with pytest.raises(DataError, match=r"my\.txt must be a whole gzip file"):
        list(decode_lines(gzip.GzipFile(fileobj=io.BytesIO(whole[:-20])), origin="my.txt"))


def test_the_stream_is_left_open():
    stream = io.BytesIO(b"a\nb\n")
    next(decode_lines(stream, origin="my.txt"))
    assert not stream.closed
