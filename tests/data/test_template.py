"""Where special tokens stand."""

import pytest
from tokenizers import Tokenizer, models, processors

from headway.data.pieces import prepare
from headway.data.template import Frame, Part, template_of
from headway.types import ConfigError

NOTHING = Part((), ())


def with_template(tokenizer, single, pair):
    """Return a copy of the tokenizer's backend with another post-processor."""
    changed = Tokenizer.from_str(prepare(tokenizer).backend.to_str())
    pieces = [(token, changed.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    changed.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=pieces)
    return changed


def test_wordpiece(wordpiece_tokenizer):
    cls, sep = wordpiece_tokenizer.cls_token_id, wordpiece_tokenizer.sep_token_id
    template = prepare(wordpiece_tokenizer).template
    assert template.single == Frame(
        Part((cls,), (0,)), NOTHING, Part((sep,), (0,)), first_type=0, second_type=0
    )
    assert template.pair == Frame(
        Part((cls,), (0,)), Part((sep,), (0,)), Part((sep,), (1,)), first_type=0, second_type=1
    )


def test_roberta_has_two_separators_and_one_token_type(roberta_tokenizer):
    cls, sep = roberta_tokenizer.cls_token_id, roberta_tokenizer.sep_token_id
    template = prepare(roberta_tokenizer).template
    assert template.pair == Frame(
        Part((cls,), (0,)), Part((sep, sep), (0, 0)), Part((sep,), (0,)), first_type=0, second_type=0
    )


def test_special_tokens_at_the_end_with_a_type_of_their_own(wordpiece_tokenizer):
    """As XLNet's."""
    tokenizer = with_template(
        wordpiece_tokenizer, "$A:0 [SEP]:0 [CLS]:2", "$A:0 [SEP]:0 $B:1 [SEP]:1 [CLS]:2"
    )
    cls, sep = wordpiece_tokenizer.cls_token_id, wordpiece_tokenizer.sep_token_id
    template = template_of(tokenizer)
    assert template.single == Frame(NOTHING, NOTHING, Part((sep, cls), (0, 2)), first_type=0, second_type=0)
    assert template.pair.suffix == Part((sep, cls), (1, 2))


def test_no_special_tokens(wordpiece_tokenizer):
    template = template_of(with_template(wordpiece_tokenizer, "$A", "$A $B:1"))
    assert template.single == Frame(NOTHING, NOTHING, NOTHING, first_type=0, second_type=0)
    assert template.num_special(pair=True) == 0


@pytest.mark.parametrize("pair", [False, True])
def test_counts_what_the_tokenizer_counts(tokenizer, pair):
    template = prepare(tokenizer).template
    assert template.num_special(pair) == tokenizer.num_special_tokens_to_add(pair)


def test_a_vocabulary_that_lacks_the_probes():
    backend = Tokenizer(models.BPE(vocab={"日": 0, "本": 1}, merges=[]))
    assert backend.encode("a the 1 x").ids == []
    assert template_of(backend).num_special(pair=False) == 0


def test_texts_in_another_order_are_refused(wordpiece_tokenizer):
    with pytest.raises(ConfigError, match="backbone must have a tokenizer that puts special tokens around"):
        template_of(with_template(wordpiece_tokenizer, "[CLS] $A [SEP]", "[CLS] $B $A [SEP]"))


def test_padding_and_truncation_that_a_call_left_behind_do_not_matter(wordpiece_tokenizer):
    template = prepare(wordpiece_tokenizer).template
    wordpiece_tokenizer("a", truncation=True, max_length=3, padding="max_length")
    before = wordpiece_tokenizer.backend_tokenizer.to_str()
    assert prepare(wordpiece_tokenizer).template == template
    assert wordpiece_tokenizer.backend_tokenizer.to_str() == before


def test_slow_tokenizer_is_refused():
    class Slow:
        is_fast = False

    with pytest.raises(ConfigError, match="backbone must have a fast tokenizer.*got Slow"):
        prepare(Slow())
