"""Whatever a command line or a file holds is taken or refused by a message; `make trust` looks longer."""

from __future__ import annotations

import pytest
from hypothesis import settings
from trust_parts import fuzz
from trust_parts.fuzz_inputs import SUFFIXES, damaged, good_file, leaves, overrides, rows_of_text
from trust_parts.works import compose, words_of

EXAMPLES = settings.default.max_examples


@pytest.mark.slow
def test_words_are_taken_or_refused(work, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    base = words_of("single", work)
    words = overrides(list(leaves(compose(*base))))
    fuzz.hunt(lambda more: fuzz.compose_or_refuse([*base, *more]), words, number=0, examples=EXAMPLES // 3)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_damaged_file_is_read_or_refused(work, tmp_path, suffix):
    (tmp_path / "bert").symlink_to(work / "bert")
    _, read = fuzz.reader(tmp_path, suffix)
    fuzz.hunt(lambda content: read(content) and None, damaged(good_file(suffix)), number=0, examples=EXAMPLES)


@pytest.mark.parametrize("suffix", fuzz.WRITERS)
def test_texts_come_back_as_they_were_written(tmp_path, suffix):
    _, read = fuzz.reader(tmp_path, suffix)
    write = fuzz.WRITERS[suffix]
    fuzz.hunt(
        lambda rows: fuzz.check_round_trip(read, write(rows), rows),
        rows_of_text(),
        number=0,
        examples=EXAMPLES,
    )
