"""Manifests say what they must; the repository's own compose, and their metrics are the tasks'."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from headway.config.check import check_config, monitored
from headway.reproduction.manifest import FOLDER, manifests, read_manifest
from headway.types import ConfigError

ROOT = Path(__file__).parents[2]
OWN = manifests(ROOT / "experiments")
WHOLE = {
    "paper": "A et al. 2020, B", "table": "table 1", "model": "C", "ours": "", "overrides": ["data=r8"],
    "split": "test", "metric": "accuracy", "value": 0.978, "tolerance": 0.01, "higher_is_better": True,
    "seeds": [1, 2], "minutes": 3, "machine": "a laptop",
}  # fmt: skip


@pytest.fixture
def written(tmp_path):
    """(**changes) -> the file of a manifest; None leaves a key out."""

    def written(**changes):
        path = tmp_path / "mine.yaml"
        values = {name: value for name, value in {**WHOLE, **changes}.items() if value is not None}
        path.write_text(yaml.safe_dump(values))
        return path

    return written


def test_a_manifest_is_read(written):
    found = read_manifest(written())
    assert (found.name, found.value, found.seeds) == ("mine", 0.978, [1, 2])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"paper": None}, "`paper` must be given"),
        ({"valeu": 1}, r"`valeu` is not a key of a manifest \(did you mean 'value'\?\)"),
        ({"value": "high"}, "`value` must be of type float, got 'high'"),
        ({"value": float("nan")}, "`value` must be a finite number"),
        ({"tolerance": -0.1}, "`tolerance` must be >= 0, got -0.1"),
        ({"seeds": []}, "`seeds` must hold at least one"),
        ({"seeds": [1, 1]}, r"`seeds` must differ, got \[1, 1\]"),
        ({"seeds": ["a"]}, r"`seeds` must be of type list\[int\]"),
        ({"overrides": []}, "`overrides` must hold at least one"),
        ({"higher_is_better": 1}, "`higher_is_better` must be of type bool, got 1"),
        ({"minutes": True}, "`minutes` must be of type float, got True"),
    ],
)
def test_what_is_wrong_is_named(written, changes, message):
    with pytest.raises(ConfigError, match=message):
        read_manifest(written(**changes))


@pytest.mark.parametrize(("text", "message"), [("[1]", "must be a mapping, got list"), ("a: [", "in YAML")])
def test_a_file_that_is_none(tmp_path, text, message):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_manifest(path)


@pytest.mark.parametrize("folder", [None, "."])
def test_without_manifests(tmp_path, folder):
    with pytest.raises(ConfigError, match=f"needs manifests in experiments/{FOLDER}"):
        manifests(folder and tmp_path / folder)


@pytest.mark.parametrize(
    ("higher", "mean", "reached"),
    [
        (True, 0.968, True),
        (True, 0.9679, False),
        (True, 1.0, True),
        (False, 0.988, True),
        (False, 0.9881, False),
    ],
)
def test_the_mean_may_fall_short_by_the_tolerance(written, higher, mean, reached):
    assert read_manifest(written(higher_is_better=higher)).reached_by(mean) is reached


def test_what_is_promised_is_there():
    glue = {f"glue_{name}" for name in ("cola", "mnli", "mrpc", "qnli", "qqp", "rte", "sst2", "stsb")}
    assert set(OWN) == {"r8", "r52", "newsgroups", "conll2003_ner", "boolq"} | glue


@pytest.mark.parametrize("name", OWN)
def test_own_manifest_composes_and_binds(name, compose_config, monkeypatch):
    monkeypatch.setenv("HEADWAY_EXPERIMENTS", str(ROOT / "experiments"))
    manifest = read_manifest(OWN[name])
    cfg = compose_config(*manifest.overrides, f"seed={manifest.seeds[0]}")
    check_config(cfg)
    assert cfg["data"]["name"] in name
    assert manifest.split in cfg["score_splits"]
    if "/" not in manifest.metric:  # f1/<label> is known once the data are read
        cfg["task"]["monitor"] = manifest.metric
        assert monitored(cfg) == (f"val/{manifest.metric}", "max")
