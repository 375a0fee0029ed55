"""What error messages say there is, against what Hydra itself lists."""

from __future__ import annotations

from headway.cli.known import group_options, groups
from headway.config.options import config_loader


def test_groups_are_those_that_hydra_lists():
    with config_loader() as loader:

        def below(parent):
            for name in loader.list_groups(parent):
                path = f"{parent}/{name}" if parent else name
                if path != "hydra":
                    yield path
                    yield from below(path)

        expected = sorted(name for name in below("") if loader.get_group_options(name))
        assert groups() == expected
        assert group_options("task/loss") == sorted(loader.get_group_options("task/loss"))
    assert "task/head" in expected
