"""What a run's folder says of it is whole, is JSON or YAML, and holds no secret."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import yaml

from headway.tracking.record import environment, redact, redact_word, write_config, write_json, write_text

SECRET = "s3cr3t-value"
REDACTED = "<redacted>"


@pytest.mark.parametrize(
    "key",
    ["token", "hf_token", "HF_TOKEN", "password", "db_passwd", "api_key", "apikey", "API_KEY", "secret",
      "client_secret", "secret_key", "aws_access_key_id", "private_key", "credentials", "auth",
     "passphrase", "pwd"],
)  # fmt: skip
def test_a_secret_is_known_by_its_key(key, tmp_path):
    cfg = {"logger": {"_target_": "x.Y", key: SECRET, "nested": [{key: SECRET}], "project": "mine"}}
    overrides = [f"+logger.{key}={SECRET}", f"++logger={{project:mine,{key}:{SECRET}}}", "optimizer.lr=1e-3"]
    write_config(tmp_path, cfg, overrides)
    for name in ("config.yaml", "overrides.yaml"):
        text = (tmp_path / name).read_text()
        assert SECRET not in text
        assert REDACTED in text
        assert "mine" in text
    assert yaml.safe_load((tmp_path / "overrides.yaml").read_text())[2] == "optimizer.lr=1e-3"
    assert cfg["logger"][key] == SECRET  # the run goes on with it


@pytest.mark.parametrize(
    "value",
    [12345, ["a", "b"], {"user": "x"}],
)
def test_a_secret_need_not_be_text(value):
    assert redact({"api_key": value}) == {"api_key": REDACTED}


@pytest.mark.parametrize("value", [None, "", False, True])
def test_what_says_nothing_stays(value):
    assert redact({"token": value}) == {"token": value}


def test_a_login_in_an_address_is_a_secret(tmp_path):
    write_config(tmp_path, {"uri": f"https://me:{SECRET}@host/x"}, [f"+uri=https://me:{SECRET}@host/x"])
    assert yaml.safe_load((tmp_path / "config.yaml").read_text()) == {"uri": f"https://{REDACTED}@host/x"}
    assert SECRET not in (tmp_path / "overrides.yaml").read_text()


@pytest.mark.parametrize(
    "values",
    [
        {"data": {"tokens": "words", "tags": "0", "subword_labels": "first"}},
        {"data": {"source": {"rename": {"token": "tokens"}}, "replace": {"auth": {"1": "yes"}}}},
        {"backbone": {"name": "minilm"}, "task": {"head": {"pooling": "cls"}}},
        {"url": "https://host/x@y"},
    ],
)
def test_ordinary_keys_stay(values):
    assert redact(values) == values


@pytest.mark.parametrize(
    "word",
    ["data.tokens=words", "data.source.rename.token=tokens", "data.source.rename={token: tokens}", "seed=1",
     "data=files", "--multirun", "token"],
)  # fmt: skip
def test_ordinary_words_stay(word):
    assert redact_word(word) == word


def test_the_command_line_in_the_record_holds_no_secret(monkeypatch):
    """record.json keeps sys.argv beside overrides.yaml."""
    monkeypatch.setattr(sys, "argv", ["headway train", f"+logger.api_key={SECRET}", "seed=1"])
    found = environment()
    assert found["argv"] == ["headway train", f"+logger.api_key={REDACTED}", "seed=1"]
    assert SECRET not in json.dumps(found)
    assert found["packages"]["torch"]
    assert found["num_threads"] >= 1


def test_json_has_no_nan(tmp_path):
    values = {"a": float("nan"), "b": [float("inf"), 1.0], 3: np.float64("-inf"), "c": {"d": np.float64(0.5)}}
    write_json(tmp_path / "deep" / "metrics.json", values)

    def refuse(constant):
        raise AssertionError(constant)

    text = (tmp_path / "deep" / "metrics.json").read_text()
    assert json.loads(text, parse_constant=refuse) == {
        "a": None,
        "b": [None, 1.0],
        "3": None,
        "c": {"d": 0.5},
    }


def test_a_failure_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "before")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "half \ud800")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
