"""A logger whose package is missing is refused with the extra that brings it."""

from __future__ import annotations

import sys

import pytest

from headway.config.check_logger import PACKAGES, check_logger
from headway.types import ConfigError


class Nowhere:
    """A finder that finds nothing, as where a package isn't installed."""

    def find_spec(self, name, path=None, target=None):
        return None


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "wandb"])
def test_the_extra_is_named(name, compose_config, monkeypatch):
    cfg = compose_config("data=r8", f"logger={name}")
    monkeypatch.setattr(sys, "meta_path", [Nowhere()])
    monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(ConfigError, match=rf"`logger` must be .* got {name}, .* 'headway\[{name}\]'"):
        check_logger(cfg)


@pytest.mark.parametrize("words", [["logger=csv"], ["~logger"]])
def test_these_need_nothing(words, compose_config, monkeypatch):
    cfg = compose_config("data=r8", *words)
    monkeypatch.setattr(sys, "meta_path", [Nowhere()])
    check_logger(cfg)


def test_every_option_is_known(compose_config):
    names = {option: compose_config("data=r8", f"logger={option}")["logger"]["_target_"].rpartition(".")[2]
             for option in PACKAGES.values()}  # fmt: skip
    assert names == {option: name for name, option in PACKAGES.items()}
