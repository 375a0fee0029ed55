import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from headway.data.tag_schemes import is_spans, paired, to_iob2

# A text as pieces: (type or None, words); pieces of one type may touch.
PIECES = st.lists(st.tuples(st.sampled_from([None, "PER", "LOC"]), st.integers(1, 4)), max_size=8)


def write(pieces, scheme):
    """The tags of a text's spans, written by the definitions of the schemes."""
    tags, before = [], None
    for name, length in pieces:
        if name is None:
            tags += ["O"] * length
        elif scheme == "IOB2":
            tags += [f"B-{name}"] + [f"I-{name}"] * (length - 1)
        elif scheme == "IOB1":
            tags += [f"{'B' if before == name else 'I'}-{name}"] + [f"I-{name}"] * (length - 1)
        elif length == 1:
            tags.append(f"S-{name}")
        else:
            tags += [f"B-{name}"] + [f"I-{name}"] * (length - 2) + [f"E-{name}"]
        before = name
    return tags


@given(PIECES, st.sampled_from(["IOB1", "IOB2", "BIOES"]))
def test_every_scheme_becomes_the_same_iob2(pieces, scheme):
    assert to_iob2(write(pieces, scheme), scheme) == write(pieces, "IOB2")


@given(st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]), max_size=12))
def test_iob1_reads_any_sequence_as_conlleval_does(tags):
    converted = to_iob2(tags, "IOB1")
    assert get_entities(converted) == get_entities(tags)
    assert to_iob2(converted, "IOB2") == converted  # what came out is strict


@given(st.lists(st.sampled_from(["O", "B-PER", "I-PER", "E-PER", "S-PER", "I-LOC", "E-LOC"]), max_size=8))
def test_bioes_is_read_strictly_or_refused(tags):
    try:
        converted = to_iob2(tags, "BIOES")
    except ValueError:
        return
    assert [tag[2:] for tag in converted] == [tag[2:] for tag in tags]
    assert to_iob2(converted, "IOB2") == converted


@pytest.mark.parametrize(
    ("tags", "scheme", "message"),
    [
        (["O", "I-PER"], "IOB2", "'I-PER' at word 1 cannot follow 'O' in IOB2"),
        (["I-PER"], "IOB2", "'I-PER' at word 0 cannot follow the start in IOB2"),
        (["B-PER", "I-LOC"], "IOB2", "'I-LOC' at word 1 cannot follow 'B-PER' in IOB2"),
        (["B-PER", "O"], "BIOES", "'O' at word 1 cannot follow 'B-PER' in BIOES"),
        (["E-PER"], "BIOES", "'E-PER' at word 0 cannot follow the start in BIOES"),
        (["B-PER", "S-PER"], "BIOES", "'S-PER' at word 1 cannot follow 'B-PER' in BIOES"),
        (["O", "B-PER"], "BIOES", "'B-PER' at word 1 leaves a span of BIOES open"),
        (["S-PER"], "IOB2", "'S-PER' at word 0 is no tag of IOB2"),
        (["NN"], "IOB1", "'NN' at word 0 is no tag of IOB1"),
        (["B-"], "IOB2", "'B-' at word 0 is no tag of IOB2"),
    ],
)
def test_an_impossible_tag_is_named_with_its_place(tags, scheme, message):
    with pytest.raises(ValueError, match=message):
        to_iob2(tags, scheme)


def test_types_may_hold_dashes():
    assert to_iob2(["I-creative-work", "I-creative-work"], "IOB1") == ["B-creative-work", "I-creative-work"]


def test_names_of_span_tags_are_paired():
    assert paired(["I-PER", "O", "B-LOC"]) == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


@pytest.mark.parametrize(
    ("tags", "spans"),
    [(["O", "B-PER"], True), (["O", "O"], False), ([], False), (["NN", "B-PER"], False), (["B-"], False)],
)
def test_span_tags_are_told_by_their_form(tags, spans):
    assert is_spans(tags) is spans
