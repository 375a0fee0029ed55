"""The limits of max_length, overlap and truncation."""

import pytest

from headway.data.encoding import EncodingSpec, encode, validate
from headway.data.pieces import prepare
from headway.types import ConfigError


def make_spec(**changes):
    values = {
        "max_length": 32,
        "truncation": "windows",
        "overlap": 0,
        "subword_labels": "first",
        "token_type_ids": True,
    }
    return EncodingSpec(**{**values, **changes})


@pytest.fixture
def template(wordpiece_tokenizer):
    """[CLS] a [SEP], and [CLS] a [SEP] b [SEP]."""
    return prepare(wordpiece_tokenizer).template


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"truncation": "longest"}, r"data\.truncation must be one of longest_first.*got 'longest'"),
        ({"subword_labels": "last"}, r"data\.subword_labels must be one of first, all, got 'last'"),
        ({"max_length": 0}, r"data\.max_length must be a whole number of tokens >= 1, got 0"),
        ({"max_length": 12.5}, r"data\.max_length must be a whole number.*got 12\.5"),
        ({"max_length": True}, r"data\.max_length must be a whole number.*got True"),
        ({"max_length": "128"}, r"data\.max_length must be a whole number.*got '128'"),
        ({"overlap": -1}, r"data\.overlap must be a whole number of tokens >= 0, got -1"),
        (
            {"overlap": 8, "truncation": "only_first"},
            r"data\.overlap must be 0 for truncation=only_first, got 8; set data\.truncation=windows",
        ),
    ],
)
def test_values_are_checked_at_construction(changes, message):
    with pytest.raises(ConfigError, match=message):
        make_spec(**changes)


@pytest.mark.parametrize(
    ("changes", "pair", "message"),
    [
        ({"max_length": 2}, False, r"data\.max_length must be in \[3, 512\].*got 2; raise it"),
        ({"max_length": 4}, True, r"data\.max_length must be in \[5, 512\].*pairs, got 4; raise it"),
        ({"max_length": 513}, False, r"data\.max_length must be in \[3, 512\].*got 513; lower it"),
        (
            {"overlap": 40},
            False,
            r"data\.overlap must be in \[0, 30\) for max_length=32, got 40; lower overlap",
        ),
        ({"overlap": 30}, False, r"data\.overlap must be in \[0, 30\)"),
        ({"overlap": 28}, True, r"data\.overlap must be in \[0, 28\)"),
        (
            {"truncation": "only_second"},
            False,
            r"data\.truncation must not be only_second without data\.text_pair",
        ),
    ],
)
def test_what_does_not_fit_the_tokenizer_or_the_model(template, changes, pair, message):
    with pytest.raises(ConfigError, match=message):
        validate(make_spec(**changes), template, pair=pair, model_limit=512)


@pytest.mark.parametrize(
    ("changes", "pair"),
    [
        ({"max_length": 3}, False),
        ({"max_length": 5}, True),
        ({"max_length": 512}, False),
        ({"overlap": 29}, False),
        ({"overlap": 27}, True),
        ({"truncation": "only_second"}, True),
    ],
)
def test_the_last_values_that_fit(template, changes, pair):
    validate(make_spec(**changes), template, pair=pair, model_limit=512)


def test_no_limit_of_the_model(template):
    validate(make_spec(max_length=100_000), template, pair=False, model_limit=None)
    with pytest.raises(ConfigError, match=r"data\.max_length must be >= 3"):
        validate(make_spec(max_length=1), template, pair=False, model_limit=None)


def test_encode_checks_too(wordpiece_tokenizer):
    with pytest.raises(ConfigError, match=r"data\.overlap must be in \[0, 30\)"):
        encode(wordpiece_tokenizer, {"text": ["a"]}, make_spec(overlap=31))
