"""The last layer for first tokens alone: the same states and gradients as the whole layer's."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch.testing import assert_close

from headway.models.encoder import Encoder
from headway.models.fast_dropout import use_fast_dropout
from headway.models.first_token_places import LENGTH_STEP
from headway.models.first_tokens import BERT_LAYERS, DISTILBERT
from headway.models.head_calls import head_logits, pools
from headway.models.heads.cls import ClsHead

LENGTHS = (3, 3, 7, 7, 19, 31)
TRIMMED = sorted(BERT_LAYERS | {DISTILBERT})


@pytest.fixture
def without_dropout():
    """Config changes that switch dropout off in training mode, by the names that families give it."""
    names = ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout")
    return dict.fromkeys(names, 0.0)


def _weighted(states):
    return (states * torch.linspace(-1, 1, states.numel()).view_as(states)).sum()


@pytest.mark.parametrize("family", TRIMMED)
def test_states_and_gradients_of_every_family(family, tiny_model, make_batch, without_dropout):
    encoder = Encoder(tiny_model(family, **without_dropout))
    encoder.keep_pooler(wanted=False)
    assert encoder.trims
    batch = make_batch(LENGTHS)
    found, gradients = [], []
    for first_only in (False, True):
        encoder.zero_grad()
        states = encoder(batch, first_only=first_only)
        if not first_only:
            states = states.index_select(0, batch.cu_seq_lens[:-1])
        _weighted(states).backward()
        found.append(states.detach())
        gradients.append({name: p.grad for name, p in encoder.named_parameters()})
    assert found[0].std() > 0.1
    assert_close(found[1], found[0], atol=1e-5, rtol=0)
    largest = max(float(g.abs().max()) for g in gradients[0].values() if g is not None)
    for name, expected in gradients[0].items():
        if expected is None:
            assert gradients[1][name] is None, name
            continue
        assert gradients[1][name] is not None, name  # DistributedDataParallel waits for every one
        assert_close(gradients[1][name], expected, atol=1e-5 * largest, rtol=0, msg=name)


def test_other_windows_are_not_seen(tiny_model, make_batch):
    encoder = Encoder(tiny_model("bert"), trainable="none")
    batch = make_batch(LENGTHS)
    before = encoder(batch, first_only=True)
    other = batch.input_ids.clone()
    other[batch.cu_seq_lens[3] : batch.cu_seq_lens[4]] = 9  # the fourth window's tokens
    after = encoder(make_batch(LENGTHS, input_ids=other), first_only=True)
    changed = (before - after).abs().amax(dim=1) > 0
    assert changed.tolist() == [False, False, False, True, False, False]


@pytest.mark.parametrize("layout", ["packed", "grouped", "padded"])
def test_every_layout_gives_the_same_first_states(layout, tiny_model, make_batch):
    batch = make_batch(LENGTHS)
    expected = Encoder(copy.deepcopy(tiny_model("bert")), trainable="none", layout="padded")(batch)
    found = Encoder(tiny_model("bert"), trainable="none", layout=layout)(batch, first_only=True)
    assert found.shape == (len(LENGTHS), 32)
    assert_close(found, expected.index_select(0, batch.cu_seq_lens[:-1]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", ["modernbert", "albert", "deberta-v2"])
def test_families_with_other_layers_compute_them_whole(family, tiny_model, make_batch):
    encoder = Encoder(tiny_model(family), trainable="none")
    batch = make_batch(LENGTHS)
    assert not encoder.trims
    assert_close(encoder(batch, first_only=True), encoder(batch).index_select(0, batch.cu_seq_lens[:-1]))


def test_upper_layers_on_features(tiny_model, make_batch):
    encoder = Encoder(tiny_model("bert"), trainable="last_n", last_n=1).eval()
    batch = make_batch(LENGTHS)
    kept = make_batch(LENGTHS, features=encoder.frozen_states(batch))
    assert_close(encoder(kept, first_only=True), encoder(batch, first_only=True), atol=1e-5, rtol=0)


def test_gradient_checkpointing_gives_the_same_gradients(tiny_model, make_batch, without_dropout):
    found = []
    for checkpointing in (False, True):
        model = tiny_model("bert", **without_dropout)
        if checkpointing:
            model.activation_checkpointing_enable({"use_reentrant": False})
        encoder = Encoder(model)
        encoder.keep_pooler(wanted=False)
        _weighted(encoder(make_batch(LENGTHS), first_only=True)).backward()
        found.append([p.grad for p in encoder.parameters()])
    assert_close(found[1], found[0])


@pytest.mark.parametrize("fast", [False, True])
def test_attention_dropout_keeps_the_mean(fast, tiny_model, make_batch):
    """Dropout of the last layer's attention alone: its states' mean over draws is the state without it."""
    model = tiny_model("bert", attention_probs_dropout_prob=0.3, hidden_dropout_prob=0.0)
    if fast:
        use_fast_dropout(model)
    encoder = Encoder(model, trainable="last_n", last_n=1)
    layer = encoder.model.encoder.layer[-1]
    seen = []
    layer.attention.output.dense.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    batch = make_batch(LENGTHS)
    torch.manual_seed(0)
    for _ in range(600):
        encoder(batch, first_only=True)
    drawn, seen[:] = torch.stack(seen), []
    encoder.eval()(batch, first_only=True)
    error = (drawn.mean(0) - seen[0]).abs()
    assert (drawn[0] - seen[0]).abs().max() > 0.05
    assert (error <= 5 * drawn.std(0) / 600**0.5 + 1e-5).all()


@pytest.mark.parametrize("pooling", ["cls", "pooler", "mean", "max"])
def test_heads_logits_are_those_of_all_states(pooling, tiny_model, make_batch):
    encoder = Encoder(tiny_model("bert")).eval()
    head = ClsHead(pooling, hidden_size=32, num_labels=5, initializer_range=0.5).eval()
    batch = make_batch(LENGTHS)
    logits = head_logits(head, encoder, batch)
    assert_close(logits, head(encoder(batch), batch, encoder), atol=1e-5, rtol=0)


def test_a_head_that_pools_otherwise_is_given_all_states(tiny_model, make_batch):
    class SecondToken(ClsHead):
        def pool(self, states, batch, encoder):
            return states.index_select(0, batch.cu_seq_lens[:-1] + 1)

    encoder = Encoder(tiny_model("bert")).eval()
    head = SecondToken(hidden_size=32, num_labels=5).eval()
    batch = make_batch(LENGTHS)
    expected = head.classify(encoder(batch)[batch.cu_seq_lens[:-1] + 1])
    assert_close(head_logits(head, encoder, batch), expected)


def test_padded_lengths_are_few(tiny_model, make_batch):
    """A longest window of any length up to LENGTH_STEP is padded to it: products come in few shapes."""
    encoder = Encoder(tiny_model("bert"), trainable="none")
    shapes = set()
    encoder.model.encoder.layer[-1].attention.self.dropout.register_forward_hook(
        lambda _, inputs, __: shapes.add(tuple(inputs[0].shape))
    )
    for longest in range(1, LENGTH_STEP + 1):
        encoder(make_batch((longest,)), first_only=True)
    assert shapes == {(1, 4, LENGTH_STEP)}


def test_one_long_window_does_not_pad_many_short_ones(tiny_model, make_batch):
    encoder = Encoder(tiny_model("bert"), trainable="none")
    computed = []
    encoder.model.encoder.layer[-1].attention.self.dropout.register_forward_hook(
        lambda _, inputs, __: computed.append(inputs[0].shape[0] * inputs[0].shape[2])
    )
    lengths = (4,) * 200 + (40,)
    batch = make_batch(lengths)
    found = encoder(batch, first_only=True)
    assert sum(computed) <= 2 * sum(lengths) + LENGTH_STEP
    expected = encoder(batch).index_select(0, batch.cu_seq_lens[:-1])
    assert_close(found, expected, atol=1e-5, rtol=0)


class Adapter(torch.nn.Module):
    """What peft puts in a layer's place: it shows the weight of what it wraps."""

    def __init__(self, base):
        super().__init__()
        self.base = base
        self.extra = torch.nn.Linear(base.in_features, base.out_features)

    @property
    def weight(self):
        return self.base.weight

    @property
    def bias(self):
        return self.base.bias

    def forward(self, states):
        return self.base(states) + self.extra(states)


def _adapt(model):
    own = model.encoder.layer[-1].attention.self
    own.value = Adapter(own.value)


def _hook(model):
    model.encoder.layer[-1].attention.register_forward_hook(lambda _, __, out: (out[0] * 2, *out[1:]))


def _own_forward(model):
    attention = model.encoder.layer[-1].attention
    forward = attention.forward
    attention.forward = lambda *inputs, **named: tuple(
        each if each is None else each * 2 for each in forward(*inputs, **named)
    )


def _shorten(model):
    model.encoder.layer = model.encoder.layer[:1]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("change", [_adapt, _hook, _own_forward, _shorten])
def test_what_was_put_into_the_last_layer_is_not_passed_by(change, when, tiny_model, make_batch):
    model = tiny_model("bert")
    if when == "before":
        change(model)
    encoder = Encoder(model, layout="packed").eval()
    if when == "after":
        change(model)
    batch = make_batch(LENGTHS)
    found = encoder(batch, first_only=True)
    assert_close(found, encoder(batch).index_select(0, batch.cu_seq_lens[:-1]), atol=1e-5, rtol=0)


def test_weights_of_half_width_take_the_whole_layer(tiny_model, make_batch):
    encoder = Encoder(tiny_model("bert").to(torch.bfloat16)).eval()
    batch = make_batch(LENGTHS)
    assert not encoder.trims
    assert encoder(batch, first_only=True).dtype == torch.bfloat16


def test_bf16_autocast_is_as_near_to_fp32_as_the_whole_layer(tiny_model, make_batch):
    encoder = Encoder(tiny_model("bert")).eval()
    batch = make_batch(LENGTHS)
    exact = encoder(batch, first_only=True)
    with torch.autocast("cpu", torch.bfloat16):
        found = encoder(batch, first_only=True)
        whole = encoder(batch).index_select(0, batch.cu_seq_lens[:-1])
    assert found.dtype == whole.dtype
    assert (found - exact).abs().mean() <= 1.2 * (whole - exact).abs().mean()


@pytest.mark.parametrize("copy_of", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_computes_with_its_own_weights(copy_of, tiny_model, make_batch):
    encoder = Encoder(tiny_model("bert")).eval()
    other = copy_of(encoder)
    batch = make_batch(LENGTHS)
    before = encoder(batch, first_only=True)
    with torch.no_grad():
        encoder.model.encoder.layer[-1].output.dense.weight.zero_()
    assert_close(other(batch, first_only=True), before)
    assert not torch.allclose(encoder(batch, first_only=True), before)


def test_a_pooling_of_the_users_own_is_not_kept_as_features():
    class Dense(ClsHead):
        def pool_first(self, first, encoder):
            return torch.tanh(first)

    plain, own = (kind(hidden_size=8, num_labels=2) for kind in (ClsHead, Dense))
    assert pools(plain)
    assert not pools(own)
    plain.pool = lambda states, *_: states
    assert not pools(plain)
