"""The encoder gives one state a real token, the same in every layout."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from headway.models.encoder import Encoder
from headway.models.length_groups import filler_tokens
from headway.models.packed_attention import PACKED_FAMILIES
from headway.types import ConfigError

LENGTHS = (3, 5, 5, 5, 9, 20, 20)


@pytest.mark.parametrize("family", sorted(PACKED_FAMILIES))
class TestPacked:
    def test_states_equal_padded_and_transformers(self, family, tiny_model, make_batch, hf_states):
        batch = make_batch(LENGTHS)
        packed = Encoder(tiny_model(family)).eval()
        padded = Encoder(tiny_model(family), layout="padded").eval()
        assert (packed.layout, padded.layout) == ("packed", "padded")
        expected = hf_states(tiny_model(family), batch)
        assert_close(packed(batch), expected, atol=1e-5, rtol=1e-5)
        assert_close(padded(batch), expected, atol=1e-5, rtol=1e-5)

    def test_gradients_equal_padded(self, family, tiny_model, make_batch, gradients):
        batch = make_batch(LENGTHS)
        packed = gradients(Encoder(tiny_model(family)).eval(), batch)
        padded = gradients(Encoder(tiny_model(family), layout="padded").eval(), batch)
        packed = {name: grad for name, grad in packed.items() if "pooler" not in name}
        assert packed.keys() == padded.keys()
        for name, expected in padded.items():
            assert_close(
                packed[name], expected, atol=1e-5 * float(expected.abs().max().clamp(min=1)), rtol=1e-5
            )

    def test_equality_would_catch_contamination(self, family, tiny_model, make_batch):
        """Right positions but one group for the whole row, as when the groups were ignored."""
        batch = make_batch(LENGTHS)
        encoder = Encoder(tiny_model(family)).eval()
        positions = torch.cat([torch.arange(length) for length in LENGTHS]) + encoder._position_offset
        with torch.no_grad():
            contaminated = encoder.model(
                input_ids=batch.input_ids[None],
                position_ids=positions[None],
                window_groups=((sum(LENGTHS), 1),),
            ).last_hidden_state[0]
            alone = encoder.model(
                input_ids=batch.input_ids[None],
                position_ids=positions[None],
                window_groups=((3, 1), (5, 3), (9, 1), (20, 2)),
            ).last_hidden_state[0]
        assert (contaminated - alone).abs().max() > 0.1

    def test_a_window_does_not_see_its_neighbours(self, family, tiny_model, make_batch):
        batch = make_batch(LENGTHS)
        encoder = Encoder(tiny_model(family)).eval()
        other = make_batch(LENGTHS, seed=1)
        inside = slice(8, 13)  # the third window
        ids, types = other.input_ids.clone(), other.token_type_ids.clone()
        ids[inside], types[inside] = batch.input_ids[inside], batch.token_type_ids[inside]
        mixed = make_batch(LENGTHS, input_ids=ids, token_type_ids=types)
        with torch.no_grad():
            assert_close(encoder(mixed)[inside], encoder(batch)[inside], atol=1e-6, rtol=1e-6)
            assert (encoder(mixed)[:8] - encoder(batch)[:8]).abs().max() > 0.1

    def test_attention_without_groups_is_refused(self, family, tiny_model, make_batch):
        """A model that doesn't hand the groups down must stop, not attend over the whole row."""
        encoder = Encoder(tiny_model(family)).eval()
        ids = make_batch(LENGTHS).input_ids[None, :30]
        with pytest.raises(RuntimeError, match="window_groups"):
            encoder.model(input_ids=ids)
        with pytest.raises(RuntimeError, match="attention_mask"):
            encoder.model(input_ids=ids, attention_mask=torch.ones_like(ids))

    def test_attention_dropout_is_on_in_training_only(self, family, tiny_model, make_batch):
        off = {"hidden_dropout_prob": 0.0, "dropout": 0.0, "embedding_dropout": 0.0, "mlp_dropout": 0.0}
        on = {"attention_probs_dropout_prob": 0.5, "attention_dropout": 0.5}
        encoder = Encoder(tiny_model(family, **off, **on))
        batch = make_batch(LENGTHS)
        with torch.no_grad():
            assert (encoder(batch) - encoder(batch)).abs().max() > 0.1
            encoder.eval()
            assert_close(encoder(batch), encoder(batch), atol=0, rtol=0)

    def test_gradient_checkpointing_changes_nothing(self, family, tiny_model, make_batch, gradients):
        batch = make_batch(LENGTHS)
        plain, checkpointed = Encoder(tiny_model(family)), Encoder(tiny_model(family))
        if not plain.model.supports_gradient_checkpointing:
            pytest.skip(f"{family} has none")
        checkpointed.model.activation_checkpointing_enable({"use_reentrant": False})
        torch.manual_seed(1)
        expected = gradients(plain, batch)
        torch.manual_seed(1)
        found = gradients(checkpointed, batch)
        assert found.keys() == expected.keys()
        for name in expected:
            assert_close(found[name], expected[name])


@pytest.fixture(scope="module")
def packed_and_padded(tiny_model):
    return [Encoder(tiny_model("bert"), layout=layout, trainable="none") for layout in ("packed", "padded")]


@settings(max_examples=25)
@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=8), seed=st.integers(0, 10))
def test_layouts_agree_for_any_lengths_in_any_order(lengths, seed, packed_and_padded, make_batch):
    packed, padded = (encoder(make_batch(lengths, seed=seed)) for encoder in packed_and_padded)
    assert packed.shape == (sum(lengths), 32)
    assert_close(packed, padded, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("layout", ["packed", "padded"])
def test_token_types_reach_a_model_that_takes_them(layout, tiny_model, make_batch):
    batch = make_batch(LENGTHS)
    zeros = make_batch(LENGTHS, token_type_ids=torch.zeros_like(batch.token_type_ids))
    none = make_batch(LENGTHS, token_type_ids=None)
    with torch.no_grad():
        bert = Encoder(tiny_model("bert"), layout=layout).eval()
        assert (bert(batch) - bert(zeros)).abs().max() > 0.1
        assert_close(bert(none), bert(zeros))
        distilbert = Encoder(tiny_model("distilbert"), layout=layout).eval()
        assert "token_type_ids" not in distilbert.inputs
        assert_close(distilbert(batch), distilbert(none))


def test_bf16_autocast_agrees_with_float32(tiny_model, make_batch):
    batch = make_batch(LENGTHS)
    encoder = Encoder(tiny_model("bert", initializer_range=0.02)).eval()
    with torch.no_grad():
        expected = encoder(batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = encoder(batch)
    assert found.is_floating_point()
    assert_close(found.float(), expected, atol=5e-2, rtol=5e-2)


def test_threads_do_not_mix_up_their_batches(tiny_model, make_batch):
    encoder = Encoder(tiny_model("bert"), trainable="none")
    batches = [make_batch([1 + i % 7, 8, 8 + i], seed=i) for i in range(16)]
    expected = [encoder(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(encoder, batches))
    for one, other in zip(found, expected, strict=True):
        assert_close(one, other)


class TestFrozen:
    def test_stays_in_eval_mode_without_gradients(self, tiny_model, make_batch):
        encoder = Encoder(tiny_model("bert"), trainable="none").train()
        batch = make_batch(LENGTHS)
        assert encoder.frozen
        assert not any(module.training for module in encoder.model.modules())
        states = encoder(batch)
        assert not states.requires_grad
        assert_close(states, encoder(batch), atol=0, rtol=0)

    def test_a_trained_one_has_dropout_from_the_start(self, tiny_model, make_batch):
        encoder = Encoder(tiny_model("bert"))  # the model comes in eval mode
        batch = make_batch(LENGTHS)
        assert (encoder(batch) - encoder(batch)).abs().max() > 0.01

    @pytest.mark.parametrize(
        ("family", "trained"),
        [
            ("bert", ("encoder.layer.1.", "pooler.")),
            ("distilbert", ("transformer.layer.1.",)),
            ("electra", ("encoder.layer.1.",)),
            ("roberta", ("encoder.layer.1.", "pooler.")),
            ("deberta-v2", ("encoder.layer.1.",)),
            ("modernbert", ("layers.3.", "final_norm.")),
        ],
    )
    def test_last_n_trains_the_top_and_nothing_below(
        self, family, trained, tiny_model, make_batch, gradients
    ):
        encoder = Encoder(tiny_model(family), trainable="last_n", last_n=1).train()
        names = {name for name, p in encoder.model.named_parameters() if p.requires_grad}
        assert names == {name for name, _ in encoder.model.named_parameters() if name.startswith(trained)}
        found = gradients(encoder, make_batch(LENGTHS))
        assert {name.removeprefix("model.") for name in found} == {n for n in names if "pooler" not in n}

    def test_last_n_keeps_dropout_above_and_none_below(self, tiny_model):
        model = Encoder(tiny_model("bert"), trainable="last_n", last_n=1).eval().train().model
        below = [*model.embeddings.modules(), *model.encoder.layer[0].modules()]
        assert not any(module.training for module in below)
        assert all(module.training for module in model.encoder.layer[1].modules())

    @pytest.mark.parametrize("last_n", [None, 0, 3])
    def test_last_n_out_of_range_is_refused(self, last_n, tiny_model):
        with pytest.raises(ConfigError, match=r"`backbone.last_n` must be in \[1, 2\]"):
            Encoder(tiny_model("bert"), trainable="last_n", last_n=last_n)

    def test_shared_layers_can_not_train_in_part(self, tiny_model):
        with pytest.raises(ConfigError, match="`backbone.trainable` must be all or none"):
            Encoder(tiny_model("albert"), trainable="last_n", last_n=1)


def test_unknown_words_are_refused(tiny_model):
    with pytest.raises(ConfigError, match="`backbone.trainable` must be one of"):
        Encoder(tiny_model("bert"), trainable="some")
    with pytest.raises(ConfigError, match="`backbone.layout` must be one of"):
        Encoder(tiny_model("bert"), layout="ragged")


@pytest.mark.parametrize(
    ("family", "limit"), [("bert", 40), ("distilbert", 40), ("roberta", 38), ("camembert", 38)]
)
@pytest.mark.parametrize("layout", ["packed", "padded"])
def test_max_positions_is_what_the_model_can_run(family, limit, layout, tiny_model, make_batch):
    encoder = Encoder(tiny_model(family), layout=layout, trainable="none")
    assert encoder.max_positions == limit
    assert encoder(make_batch([limit])).shape == (limit, 32)
    with pytest.raises((IndexError, RuntimeError)):
        encoder(make_batch([limit + 1]))


def test_pooler_is_dropped_where_the_head_has_no_use_for_it(tiny_model):
    encoder = Encoder(tiny_model("bert"))
    assert encoder.has_pooler
    encoder.keep_pooler(wanted=True)
    assert encoder.has_pooler
    encoder.keep_pooler(wanted=False)
    assert not any("pooler" in name for name, _ in encoder.named_parameters())
    with pytest.raises(ConfigError, match="`task.head.pooling` must be cls, mean or max"):
        encoder.pool(torch.zeros(2, 32))
    with pytest.raises(ConfigError, match="`task.head.pooling`"):
        Encoder(tiny_model("electra")).keep_pooler(wanted=True)


def test_a_packed_model_can_be_wrapped_again(tiny_model, make_batch):
    batch = make_batch(LENGTHS)
    model = tiny_model("bert")
    with torch.no_grad():
        states = [
            Encoder(model, layout=layout).eval()(batch) for layout in ("packed", "auto", "padded", "auto")
        ]
    for other in states[1:]:
        assert_close(other, states[0], atol=1e-5, rtol=1e-5)


def test_a_packed_model_saves_and_copies(tiny_model, make_batch, tmp_path):
    from transformers import AutoModel

    batch = make_batch(LENGTHS)
    encoder = Encoder(tiny_model("bert"), trainable="none")
    encoder.model.save_pretrained(tmp_path)
    assert "headway" not in (tmp_path / "config.json").read_text()
    again = Encoder(AutoModel.from_pretrained(tmp_path), trainable="none")
    assert_close(again(batch), encoder(batch))
    assert_close(copy.deepcopy(encoder)(batch), encoder(batch))


def test_packed_rows_come_in_few_lengths_at_little_cost():
    counts = range(1, 5000)
    assert all(0 <= filler_tokens(count) <= count / 16 for count in counts)
    assert len({count + filler_tokens(count) for count in counts}) < 250
