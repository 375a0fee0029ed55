"""A file is read as the training file was, where it is of the same format."""

from __future__ import annotations

import pytest

from headway.assembly import build_data
from headway.delivery.file_options import reading_options, training_options
from headway.types import ConfigError

TRAINED = {"format": "csv", "delimiter": "semicolon", "header": False}


def trained_with(compose_config, *overrides):
    return training_options(build_data(compose_config("data=files", "data.label=label", *overrides)))


def test_training_options_are_what_is_no_default(compose_config):
    assert trained_with(compose_config, "data.train=a.csv") == {"format": "csv"}
    assert trained_with(compose_config, "data.train='a.tsv.gz@split:train'") == {"format": "tsv"}
    semicolons = ("data.train=a.csv", "data.source.delimiter=semicolon", "data.source.header=false")
    assert trained_with(compose_config, *semicolons) == TRAINED
    assert trained_with(compose_config, "data.train=a.txt", "data.source.format=lines") == {"format": "lines"}
    assert trained_with(compose_config, "data.train=a_folder") == {}


def test_a_package_says_nothing_of_the_users_files(compose_config):
    assert training_options(build_data(compose_config("data=r8"))) == {}


@pytest.mark.parametrize(
    ("file", "form", "given", "expected"),
    [
        ("a.csv", None, {}, ("csv", "semicolon", False)),
        ("a.csv.gz", None, {"delimiter": ","}, ("csv", ",", False)),
        ("a.tsv", None, {}, ("tsv", None, True)),
        ("a.txt", None, {}, ("csv", "semicolon", False)),
        ("a.txt", "lines", {}, ("lines", None, True)),
        ("-", None, {}, ("jsonl", None, True)),
        ("-", "csv", {"header": True}, ("csv", "semicolon", True)),
    ],
)
def test_reading_follows_training_and_then_the_command(file, form, given, expected):
    options = reading_options(file, form=form, trained=TRAINED, given=given)
    assert (options.format, options.delimiter, options.header) == expected


def test_options_that_do_not_go_together_are_refused():
    with pytest.raises(ConfigError, match="`data.source.delimiter` must be left out for the format jsonl"):
        reading_options("a.jsonl", form=None, trained=TRAINED, given={"delimiter": ","})
