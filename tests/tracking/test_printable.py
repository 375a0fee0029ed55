"""What a terminal would act on is written out."""

from __future__ import annotations

import logging

import pytest

from headway.tracking.printable import PrintableFormatter, one_line, printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x9b2J", r"\x9b2J"),
        ("bell\x07 back\x08", r"bell\x07 back\x08"),
        ("over\rwritten", r"over\x0dwritten"),
        ("a\tb\nc", "a\tb\nc"),
        ("naïve 日本 ✓", "naïve 日本 ✓"),
    ],
)
def test_control_characters_are_written_out(text, expected):
    assert printable(text) == expected


def test_a_record_is_formatted_without_them():
    record = logging.LogRecord("name", logging.INFO, "path", 1, "label %s", ("\x1b[2J",), None)
    assert PrintableFormatter("%(levelname)s %(message)s").format(record) == r"INFO label \x1b[2J"


def test_what_is_put_into_a_message_begins_no_line():
    assert one_line("a\nerror: b\r\n") == r"a\nerror: b\x0d\n"
    record = logging.LogRecord("name", logging.INFO, "path", 1, "label %s\nof %d", ("a\nb", 3), None)
    assert PrintableFormatter().format(record) == "label a\\nb\nof 3"
    assert record.args == ("a\nb", 3)
