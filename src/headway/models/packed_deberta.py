"""DeBERTa-v2 over windows that lie end to end in one row.

Its attention adds to each score what the query says to the distance and what the key says to it, and doesn't
go through transformers' registered functions. Everything else (projections, feed-forward, norms) sees one
token at a time and runs on the whole row; the first layer's convolution sees a token's neighbours. So the
layers stay transformers' own, the attention inside them is replaced by one that computes each distinct length
as a dense block, and the convolution gets zeros between windows.

Scores by distance need no gather: a window of n tokens has 2n - 1 distances, the table's row of each is put
in the order of the distances, and what each pair of tokens reads is then a view of the products with these
rows. Only rows that the batch's longest window reads are projected, and once a layer; transformers projects
all of them for every window.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor
from transformers.activations import ACT2FN
from transformers.models.deberta_v2.modeling_deberta_v2 import (
    DisentangledSelfAttention,
    make_log_bucket_position,
)

from headway.models.length_groups import LengthGroups, join_groups, split_groups

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@lru_cache(maxsize=1024)
def distance_rows(
    length: int, *, span: int, buckets: int, largest: int, device: torch.device
) -> tuple[int, int, Tensor]:
    """Return the rows of the position table that a window's distances read.

    Args:
        length: Tokens of the window.
        span: Half the table's rows; row `span` is distance 0.
        buckets: Of logarithmic distances; below 1: each distance counts by itself.
        largest: Distance that the buckets reach to.
        device: Where the rows are used.

    Returns:
        The first row that is read, one past the last, and (2 * length - 1,) int64: the rows of the distances
        1 - length, ..., length - 1, less the first.

    Source: He et al. 2021, section 3.1, equation 3.
    """
    relative = torch.arange(1 - length, length)
    if buckets > 0 and largest > 0:
        relative = make_log_bucket_position(relative, buckets, largest).long()
    rows = (relative + span).clamp(0, 2 * span - 1)
    low, high = int(rows.min()), int(rows.max()) + 1
    return low, high, (rows - low).to(device)


def by_distance(products: Tensor) -> Tensor:
    """Return for each token and each other one the first's product with the row of their distance.

    Args:
        products: (count, num_heads, length, 2 * length - 1), of each token with the rows of the distances
            1 - length, ..., length - 1.

    Returns:
        (count, num_heads, length, length): [.., i, j] is products[.., i, length - 1 + j - i], the row of
        distance j - i. A view.
    """
    length = products.shape[-2]
    if length == 1:
        return products
    # Token i's first distance, -i, stands i places left of where token 0's stands: a step to the next token
    # is one number less than a row, which is what a cut of another width makes of the numbers.
    width = 2 * length - 2
    flat = products.flatten(-2)[..., length - 1 : length - 1 + length * width]
    return flat.view(*flat.shape[:-1], length, width)[..., :length]


class PackedDisentangledAttention(DisentangledSelfAttention):
    """transformers' attention, which takes LengthGroups for relative positions too: then of a flat row."""

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None,
        output_attentions: bool = False,
        query_states: Tensor | None = None,
        relative_pos: Tensor | LengthGroups | None = None,
        rel_embeddings: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend within each window.

        Args:
            hidden_states: (1, num_tokens, hidden_size), with LengthGroups.
            attention_mask: None, with LengthGroups.
            output_attentions: False, with LengthGroups.
            query_states: None, with LengthGroups.
            relative_pos: (length, count) of the runs of equally long windows; else as in transformers.
            rel_embeddings: (2 * span, hidden_size), the position table.

        Returns:
            (1, num_tokens, num_heads * head_size), and None for the weights.
        """
        if not isinstance(relative_pos, tuple):
            attended, weights = super().forward(  # type: ignore[no-untyped-call]
                hidden_states, attention_mask, output_attentions, query_states, relative_pos, rel_embeddings
            )
            return attended, weights
        rows = hidden_states[0]
        projected = [
            self._heads(project(rows)) for project in (self.query_proj, self.key_proj, self.value_proj)
        ]
        tables = self._tables(rel_embeddings, max(length for length, _ in relative_pos))
        # As in packed_attention.py: a CPU would compile a bf16 product anew for each shape.
        with torch.autocast(
            rows.device.type, enabled=rows.device.type != "cpu" and torch.is_autocast_enabled()
        ):
            if rows.device.type == "cpu":
                projected = [states.float() for states in projected]
                tables = [None if table is None else table.float() for table in tables]
            blocks = zip(*(split_groups(states, relative_pos) for states in projected), strict=True)
            attended = join_groups([self._block(query, key, value, tables) for query, key, value in blocks])
        return attended.to(rows.dtype).flatten(1).unsqueeze(0), None

    def _heads(self, rows: Tensor) -> Tensor:
        """Return (n, num_heads * head_size) as (n, num_heads, head_size)."""
        return rows.view(len(rows), self.num_attention_heads, -1)

    def _tables(self, rel_embeddings: Tensor | None, longest: int) -> list[Tensor | None]:
        """Return keys and queries by distance, (num_heads, head_size, 2 * longest - 1), None if unused."""
        if not self.relative_attention or rel_embeddings is None:
            return [None, None]
        low, high, rows = distance_rows(
            longest,
            span=self.pos_ebd_size,
            buckets=self.position_buckets,
            largest=self.max_relative_positions,
            device=rel_embeddings.device,
        )
        read = self.pos_dropout(rel_embeddings[low:high])
        keys = queries = None
        if "c2p" in self.pos_att_type:
            # What a query reads stands by key's distance to it: the other way round than the table.
            key_proj = self.key_proj if self.share_att_key else self.pos_key_proj
            keys = self._heads(key_proj(read)).index_select(0, rows.flip(0)).permute(1, 2, 0)
        if "p2c" in self.pos_att_type:  # what a key reads: query's distance to it, as in the table
            query_proj = self.query_proj if self.share_att_key else self.pos_query_proj
            queries = self._heads(query_proj(read)).index_select(0, rows).permute(1, 2, 0)
        return [keys, queries]

    def _block(self, query: Tensor, key: Tensor, value: Tensor, tables: list[Tensor | None]) -> Tensor:
        """Return (count * length, num_heads, head_size) for (count, length, num_heads, head_size) each.

        Source: He et al. 2021, section 3.1, equation 4.
        """
        count, length = query.shape[:2]
        used = sum(kind in self.pos_att_type for kind in ("c2p", "p2c"))
        scale = (query.shape[-1] * (1 + used)) ** -0.5
        query = query.transpose(1, 2) * scale
        key, value = key.transpose(1, 2), value.transpose(1, 2)  # (count, num_heads, length, head_size)
        scores = query @ key.transpose(-1, -2)
        keys, queries = (None if table is None else _middle(table, 2 * length - 1) for table in tables)
        if keys is not None:
            scores = scores + by_distance(query @ keys)
        if queries is not None:
            scores = scores + by_distance(key @ (queries * scale)).transpose(-1, -2)
        weights = self.dropout(torch.softmax(scores, dim=-1))
        attended: Tensor = weights @ value
        return attended.transpose(1, 2).reshape(count * length, self.num_attention_heads, -1)


def _middle(table: Tensor, width: int) -> Tensor:
    """Return the middle columns: a shorter window reads the distances around 0."""
    start = (table.shape[-1] - width) // 2
    return table[..., start : start + width]


def use_packed_deberta(model: PreTrainedModel) -> None:
    """Make a DeBERTa-v2's attention take flat rows too; parameters and their names stay as they are.

    Args:
        model: Changed in place; called without groups it computes what it did.
    """
    for module in model.modules():
        if type(module) is DisentangledSelfAttention:
            module.__class__ = PackedDisentangledAttention


def run_packed_deberta(
    model: PreTrainedModel, inputs: Mapping[str, Tensor], groups: LengthGroups, _: Tensor | None = None
) -> Tensor:
    """Return the last hidden states of windows that lie end to end.

    Args:
        model: After `use_packed_deberta`.
        inputs: input_ids, position_ids and, if there are, token_type_ids, each (1, num_tokens) int64.
        groups: (length, count) of the runs of equally long windows.
        _: What the registered attention needs on a GPU.

    Returns:
        (1, num_tokens, hidden_size) float.
    """
    encoder: Any = model.encoder
    embedded = model.get_submodule("embeddings")(**inputs)
    states, table = embedded, encoder.get_rel_embedding()
    for number, layer in enumerate(encoder.layer):
        states, _ = layer(states, None, relative_pos=groups, rel_embeddings=table)
        if number == 0 and encoder.conv is not None:
            places = _places(inputs["position_ids"][0], gap=encoder.conv.conv.padding[0])
            # A window of more tokens than there are positions, which only filler is, begins anew at 0.
            most = model.config.max_position_embeddings
            windows = sum(count * -(-length // most) for length, count in groups)
            states = _convolved(encoder.conv, embedded, states, places, windows=windows)
    return cast("Tensor", states)


def _places(positions: Tensor, *, gap: int) -> Tensor:
    """Return where tokens go if there is a gap before each window.

    Args:
        positions: (num_tokens,) int64, 0 where a window starts.
        gap: In tokens.
    """
    return torch.arange(len(positions), device=positions.device) + gap * (positions == 0).cumsum(0)


def _convolved(conv: Any, embedded: Tensor, states: Tensor, places: Tensor, *, windows: int) -> Tensor:
    """Return what transformers' ConvLayer does, with zeros between windows, where padded rows have them too.

    Args:
        conv: The layer.
        embedded: (1, num_tokens, hidden_size), what is convolved.
        states: (1, num_tokens, hidden_size), what it is added to.
        places: (num_tokens,) int64, of tokens among the zeros.
        windows: As many gaps as there are at most.

    Returns:
        (1, num_tokens, hidden_size).
    """
    rows = embedded[0]
    spread = rows.new_zeros(len(rows) + windows * conv.conv.padding[0], rows.shape[-1])
    spread = spread.index_copy(0, places, rows)
    out = conv.conv(spread.T.unsqueeze(0))[0].T.index_select(0, places).unsqueeze(0)
    out = ACT2FN[conv.conv_act](conv.dropout(out))
    normed: Tensor = conv.LayerNorm(states + out)
    return normed
