"""Hydra's grammar as dimensions: what each form means, and what is refused."""

from __future__ import annotations

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from headway.config.options import config_loader
from headway.sweeps.space import Dimension, grid, overrides_of, split, star
from headway.types import ConfigError


@pytest.fixture
def parsed():
    def parsed(*words):
        with config_loader() as loader:
            return split(OverridesParser.create(config_loader=loader).parse_overrides(list(words)))

    return parsed


@pytest.fixture
def one(parsed):
    def one(word):
        fixed, (dimension,) = parsed(word)
        assert fixed == []
        return dimension

    return one


def test_fixed_words_stay_as_they_were_written(parsed):
    fixed, dimensions = parsed("seed=7", "~logger", "+data.x={a: 1}", "optimizer.lr=1e-3,1e-4")
    assert fixed == ["seed=7", "~logger", "+data.x={a: 1}"]
    assert dimensions == [Dimension("optimizer.lr", ("0.001", "0.0001"))]


def test_of_two_words_for_a_key_the_later_counts(parsed):
    fixed, dimensions = parsed("seed=1,2", "seed=7", "data_seed=1", "data_seed=3,4")
    assert fixed == ["seed=7"]
    assert [each.key for each in dimensions] == ["data_seed"]


@pytest.mark.parametrize(
    ("word", "dimension"),
    [
        ("task/loss=focal,cross_entropy", Dimension("task/loss", ("focal", "cross_entropy"))),
        ("task/loss=choice(focal,cross_entropy)", Dimension("task/loss", ("focal", "cross_entropy"))),
        (
            "task/loss=glob(*,exclude=[bce,mse])",
            Dimension("task/loss", ("cross_entropy", "distill", "focal")),
        ),
        ("+x=1,1,2", Dimension("+x", ("1", "2"))),
        ("x='a b','c,d'", Dimension("x", ("'a b'", "'c,d'"))),
        ("x=[1,2],[3]", Dimension("x", ("[1,2]", "[3]"))),
        ("lr=interval(0.1,1)", Dimension("lr", None, 0.1, 1.0)),
        ("lr=tag(log,interval(1e-5,1e-3))", Dimension("lr", None, 1e-5, 1e-3, log=True)),
        ("n=int(interval(1,8))", Dimension("n", None, 1, 8, is_int=True)),
        ("n=tag(int,log,interval(1,64))", Dimension("n", None, 1, 64, is_int=True, log=True)),
        ("n=range(1,7,2)", Dimension("n", ("1", "3", "5"), 1, 5, 2, is_int=True)),
        ("n=range(0,0.3,0.1)", Dimension("n", ("0.0", "0.1", "0.2"), 0.0, 0.2, 0.1)),
    ],
)
def test_forms(one, word, dimension):
    assert one(word) == dimension


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("seeds=1,2", r"`seeds` must not be swept, got 1,2; write seeds=\[1,2\]"),
        ("sweep.n_jobs=1,2", "`sweep.n_jobs` must not be swept"),
        ("sweep=grid,optuna", "`sweep` must not be swept"),
        ("output_dir=a,b", "`output_dir` must not be swept"),
        (
            "optimizer.lr=tag(lg,interval(1,2))",
            r"`optimizer.lr` must have tags of .*'lg' \(did you mean 'log'\?\)",
        ),
        ("optimizer.lr=interval(2,1)", "`optimizer.lr` must be an interval of a smaller and a larger number"),
        ("optimizer.lr=tag(log,interval(0,1))", "`optimizer.lr` must be an interval of a smaller positive"),
        ("seed=tag(int,interval(0.5,2))", "`seed` must be an interval of whole numbers"),
        ("seed=tag(log,range(1,9,2))", "`seed` must be an interval, or a range of positive whole numbers"),
        ("seed=tag(log,choice(1,2))", "`seed` must be an interval or a range to be tagged"),
        ("task/loss=glob(zzz*)", "`task/loss` must have one value at least"),
    ],
)
def test_refused(parsed, word, message):
    with pytest.raises(ConfigError, match=message):
        parsed(word)


def test_a_grid_goes_through_the_last_key_first(parsed):
    _, dimensions = parsed("a=1,2", "b=x,y")
    assert [overrides_of(point) for point in grid(dimensions)] == [
        ("a=1", "b=x"), ("a=1", "b=y"), ("a=2", "b=x"), ("a=2", "b=y"),
    ]  # fmt: skip
    assert list(grid([])) == [{}]


def test_a_grid_of_an_interval_is_refused(parsed):
    _, dimensions = parsed("a=1,2", "b=interval(0,1)")
    with pytest.raises(ConfigError, match="`b` must be a choice or a range in a grid"):
        list(grid(dimensions))


def test_a_star_has_every_value_of_a_choice_and_the_ends_of_an_interval(parsed):
    _, dimensions = parsed("a=1,2,3", "b=interval(0,1)")
    assert list(star(dimensions)) == [
        {"a": "1", "b": 0.0}, {"a": "2", "b": 0.0}, {"a": "3", "b": 0.0}, {"a": "1", "b": 1.0},
    ]  # fmt: skip


def test_numbers_are_written_so_that_they_are_read_again():
    assert overrides_of({"lr": 3.3e-05, "n": 4, "loss": "focal"}) == ("lr=3.3e-05", "n=4", "loss=focal")
