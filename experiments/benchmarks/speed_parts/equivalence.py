"""Hidden states and gradients of every packed family, padded rows against windows laid end to end."""

from __future__ import annotations

from typing import Any

from speed_parts.machine import machine
from speed_parts.options import Options, verdict
from speed_parts.rounds import Found, in_process

AIM = 1e-5
SIZES: dict[str, Any] = {
    "vocab_size": 500,
    "hidden_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "max_position_embeddings": 200,
    "pad_token_id": 1,
    "bos_token_id": 2,
    "cls_token_id": 2,
    "eos_token_id": 3,
    "sep_token_id": 3,
    "type_vocab_size": 2,
    "initializer_range": 0.1,
}
"""Weights wide enough that what one token sees of another matters to its state."""
OWN: dict[str, dict[str, Any]] = {
    "albert": {"embedding_size": 32},
    "deberta-v2": {
        "conv_kernel_size": 3,
        "norm_rel_ebd": "layer_norm",
        "pos_att_type": ["c2p", "p2c"],
        "position_biased_input": False,
        "position_buckets": 16,
        "relative_attention": True,
        "type_vocab_size": 0,
    },
    "electra": {"embedding_size": 32},
    "eurobert": {"num_key_value_heads": 2},
    "modernbert": {"local_attention": 16},
    "roc_bert": {"pronunciation_vocab_size": SIZES["vocab_size"], "shape_vocab_size": SIZES["vocab_size"]},
    "xmod": {"languages": ["en_XX"], "default_language": "en_XX"},
}


def random_batch(*, windows: int, longest: int, seed: int) -> Any:
    """Return windows of random tokens and lengths, as the collator makes them.

    Args:
        windows: How many.
        longest: Tokens.
        seed: Of the draw.
    """
    import torch

    from headway.types import Batch

    draw = torch.Generator().manual_seed(seed)
    lengths = torch.randint(3, longest + 1, (windows,), generator=draw).sort().values
    count = int(lengths.sum())
    return Batch(
        input_ids=torch.randint(5, SIZES["vocab_size"], (count,), generator=draw),
        token_type_ids=torch.randint(0, 2, (count,), generator=draw),
        cu_seq_lens=torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)]),
        lengths=tuple(lengths.tolist()),
        documents=torch.arange(windows),
        windows=torch.arange(windows),
        words=None,
        labels=None,
        weights=torch.ones(windows),
        normalizer=float(windows),
    )


def contend(_: str, settings: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Compare every family that is packed; runs in a process of its own.

    Args:
        settings: batches and threads.

    Returns:
        Family -> as `compare`.
    """
    import torch

    from headway.models.packed_attention import OWN_ATTENTION, PACKED_FAMILIES

    torch.set_num_threads(settings["threads"])
    families = sorted(PACKED_FAMILIES | OWN_ATTENTION.keys())
    return {family: compare(family, batches=settings["batches"]) for family in families}


def compare(family: str, *, batches: int) -> dict[str, float]:
    """Run a random model of one family on the same batches in both layouts.

    Args:
        family: config.model_type.
        batches: How many.

    Returns:
        The largest difference of states and the spread of states, and the largest difference of gradients, as
        a share of the largest gradient; the same two for first tokens alone ("first_states",
        "first_gradients"), where the last layer computes no others.
    """
    found = dict.fromkeys(("states", "gradients", "first_states", "first_gradients", "spread"), 0.0)
    for seed in range(batches):
        batch = random_batch(windows=24, longest=90, seed=seed)
        for first, before in ((False, ""), (True, "first_")):
            states, gradients = _states(family, "padded", batch, seed=seed, first=first)
            other_states, other_gradients = _states(family, "packed", batch, seed=seed, first=first)
            if gradients.keys() != other_gradients.keys():
                raise SystemExit(f"{family}: the layouts must give the same parameters gradients")
            largest = max(float(value.abs().max()) for value in gradients.values())
            apart = max(
                float((value - other_gradients[name]).abs().max()) for name, value in gradients.items()
            )
            differ = float((states - other_states).abs().max())
            found[f"{before}states"] = max(found[f"{before}states"], differ)
            found[f"{before}gradients"] = max(found[f"{before}gradients"], apart / largest)
            found["spread"] = max(found["spread"], float(states.std()))
    return found


def _states(family: str, layout: str, batch: Any, *, seed: int, first: bool) -> tuple[Any, dict[str, Any]]:
    """Return the states of a random model and the gradients of its parameters."""
    import torch
    from transformers import CONFIG_MAPPING, AutoModel

    from headway.models.encoder import Encoder
    from headway.models.packed_attention import OWN_ATTENTION

    torch.manual_seed(seed)
    config = CONFIG_MAPPING[family](**{**SIZES, **OWN.get(family, {})})
    model = AutoModel.from_config(config, attn_implementation=OWN_ATTENTION.get(family, "sdpa"))
    encoder = Encoder(model, layout=layout).eval()  # no dropout, gradients all the same
    encoder.keep_pooler(wanted=False)
    states = encoder(batch, first_only=first)
    target = torch.randn(states.shape, generator=torch.Generator().manual_seed(seed))
    ((states - target) ** 2).mean().backward()
    return states.detach(), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def measure(options: Options) -> Found:
    """Compare every family that is packed.

    Args:
        options: Of the command line.
    """
    batches = options.size(5, 1)
    state = machine(options.threads)
    found = in_process("equivalence", "all", settings={"batches": batches}, threads=options.threads)
    for family, row in found.items():
        print(
            f"equivalence {family:12} states {row['states']:.1e}  gradients {row['gradients']:.1e}",
            flush=True,
        )
    return {"machine": state, "families": found, "batches": batches}


def lines(found: Found) -> list[str]:
    """Return the page's section."""
    text = [
        f"Random models of 4 layers, fp32, {found['batches']} batches of 24 windows of 3 to 90 tokens. "
        "States: the largest difference of any state of a real token. Gradients: the largest difference of "
        "any parameter's gradient, as a share of the largest gradient. First tokens: the same where a head "
        "reads nothing else, so that the last layer of BERT's and DistilBERT's kin computes no other.",
        "",
        "| family | states | gradients | first tokens: states | gradients | spread of states | aim |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in found["families"].items():
        differences = [row[key] for key in ("states", "gradients", "first_states", "first_gradients")]
        cells = " | ".join(f"{value:.1e}" for value in differences)
        text.append(
            f"| {name} | {cells} | {row['spread']:.2f} | {verdict(max(differences), AIM, at_least=False)} |"
        )
    return text
