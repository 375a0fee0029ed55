from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data.columns import canonical
from headway.data.roles import Roles
from headway.data.splits import content_keys, cut, drop_duplicates_of
from headway.types import ConfigError, DataError


@pytest.fixture(scope="module")
def rows(make_table):
    """Return a function: (texts, role, values) -> canonical table."""

    def make(texts, role, values):
        words = bool(texts) and isinstance(texts[0], list)
        return canonical(
            make_table({"x": texts, "y": values}),
            Roles(**{"tokens" if words else "text": "x", role: "y"}),
            replace={},
            on_empty="error",
            drop_unlabelled=False,
            require_target=True,
        )

    return make


def texts(count):
    return [f"text number {index}" for index in range(count)]


def test_every_class_gives_its_share(rows):
    labels = ["a"] * 500 + ["b"] * 100 + ["c"] * 50
    kept, part = cut(rows(texts(650), "label", labels), role="label", ratio=0.1, seed=0)
    assert Counter(part.column("label")) == {"a": 50, "b": 10, "c": 5}
    assert Counter(kept.column("label")) == {"a": 450, "b": 90, "c": 45}


@settings(max_examples=25, deadline=None)
@given(
    content=st.lists(st.tuples(st.integers(0, 12), st.sampled_from("abc")), min_size=2, max_size=60),
    ratio=st.floats(0.05, 0.95),
    seed=st.integers(0, 9),
)
def test_a_cut_loses_nothing_and_parts_no_equal_texts(rows, content, ratio, seed):
    table = rows([f"Text {number}" for number, _ in content], "label", [label for _, label in content])
    try:
        kept, part = cut(table, role="label", ratio=ratio, seed=seed)
    except DataError:
        return
    assert sorted(kept.lines.tolist() + part.lines.tolist()) == table.lines.tolist()
    assert np.all(np.diff(kept.lines) > 0)
    assert np.all(np.diff(part.lines) > 0)
    assert len(kept)
    assert len(part)
    assert not set(content_keys(kept)) & set(content_keys(part))


@settings(max_examples=25, deadline=None)
@given(
    labels=st.lists(st.sampled_from("aaaaaaabbbc"), min_size=20, max_size=80),
    ratio=st.floats(0.1, 0.9),
    seed=st.integers(0, 9),
)
def test_shares_are_right_to_the_row_where_texts_differ(rows, labels, ratio, seed):
    table = rows(texts(len(labels)), "label", labels)
    _, part = cut(table, role="label", ratio=ratio, seed=seed)
    counts, cut_counts = Counter(labels), Counter(part.column("label"))
    for label, count in counts.items():
        assert abs(cut_counts[label] - ratio * count) < 1 or cut_counts[label] == count - 1
        assert cut_counts[label] < count


def test_a_cut_depends_on_the_seed_alone(rows):
    table = rows(texts(100), "label", ["a", "b"] * 50)
    lines = [cut(table, role="label", ratio=0.2, seed=seed)[1].lines.tolist() for seed in (1, 1, 2)]
    assert lines[0] == lines[1] != lines[2]


def test_a_class_of_one_row_stays(rows):
    table = rows(texts(41), "label", ["a"] * 40 + ["rare"])
    for seed in range(20):
        kept, _ = cut(table, role="label", ratio=0.5, seed=seed)
        assert "rare" in kept.column("label")


def test_equal_texts_stay_together_whatever_their_case_blanks_and_label(rows):
    table = rows(["One text"] * 3 + [" one  TEXT"] * 3 + texts(60), "label", ["a", "b"] * 33)
    for seed in range(20):
        kept, part = cut(table, role="label", ratio=0.3, seed=seed)
        assert sum("one" in text.lower() for text in part.column("text")) in (0, 6)
        assert len(kept) + len(part) == 66


def test_words_are_grouped_too(rows):
    table = rows(
        [["a", "b"]] * 5 + [[f"w{index}"] for index in range(40)], "tags", [["N", "V"]] * 5 + [["N"]] * 40
    )
    for seed in range(10):
        _, part = cut(table, role="tags", ratio=0.3, seed=seed)
        assert part.column("tokens").count(["a", "b"]) in (0, 5)


def test_a_rare_label_is_on_both_sides(rows):
    labels = ["common"] * 90 + ["common,rare"] * 10
    kept, part = cut(rows(texts(100), "labels", labels), role="labels", ratio=0.2, seed=3)
    assert part.column("labels").count(["common", "rare"]) == 2
    assert kept.column("labels").count(["common", "rare"]) == 8


def test_scores_are_cut_from_their_whole_range(rows):
    scores = [str(value) for value in np.random.default_rng(0).permutation(200)]
    _, part = cut(rows(texts(200), "score", scores), role="score", ratio=0.1, seed=0)
    assert sorted(int(score) // 20 for score in part.column("score")) == sorted([*range(10)] * 2)


@pytest.mark.parametrize("ratio", [0, 1, -0.1, 1.5, float("nan")])
def test_a_ratio_is_between_0_and_1(rows, ratio):
    with pytest.raises(ConfigError, match=r"`data.test_ratio` must be in \(0, 1\), got"):
        cut(rows(texts(4), "label", list("abab")), role="label", ratio=ratio, seed=0, key="data.test_ratio")


def test_nothing_to_cut_is_an_error(rows):
    table = rows(["same"] * 4, "label", list("abab"))
    with pytest.raises(
        DataError, match="`data.validation_ratio` must leave .* 4 rows with 1 different inputs"
    ):
        cut(table, role="label", ratio=0.5, seed=0)


def test_train_rows_that_stand_in_other_splits_are_dropped(make_table):
    train = make_table({"q": ["a", "b", "c", None, "A"]})
    others = [make_table({"q": ["a", None]}), make_table({"q": ["c"]})]
    left, dropped = drop_duplicates_of(train, others, column="q")
    assert (left.lines.tolist(), dropped) == ([3, 5, 6], 2)


def test_lists_are_compared_too(make_table):
    train = make_table({"0": [["a", "b"], ["a b"]]})
    left, dropped = drop_duplicates_of(train, [make_table({"0": [["a", "b"]]})], column=0)
    assert (left.lines.tolist(), dropped) == ([3], 1)


def test_duplicates_need_a_column_of_every_split_and_leave_rows(make_table):
    train, test = make_table({"q": ["a"]}), make_table({"p": ["a"]}, origin="test.csv")
    with pytest.raises(DataError, match="`data.drop_duplicates_of` must be a column of test.csv"):
        drop_duplicates_of(train, [test], column="q")
    with pytest.raises(DataError, match="`data.drop_duplicates_of` must leave rows .* all 1 rows"):
        drop_duplicates_of(train, [train], column="q")


def test_pairs_are_known_by_both_texts(make_table):
    table = canonical(
        make_table({"p": ["a b", "a"], "q": ["c", "b c"], "y": ["x", "y"]}),
        Roles(text="p", text_pair="q", label="y"),
        replace={},
        on_empty="error",
        drop_unlabelled=False,
        require_target=True,
    )
    first, second = content_keys(table)
    assert first != second
