"""The name an encoding is kept under: a hash of everything that decides it, and of nothing else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from itertools import chain
from typing import TYPE_CHECKING

from headway.data.store import FORMAT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headway.data.encoding import EncodingSpec, Examples
    from headway.data.pieces import Tokenization


def hash_examples(examples: Examples) -> str:
    """Return the sha256 of what is encoded: two splits share it only if all their texts are the same.

    Args:
        examples: As `headway.data.encoding.encode` takes them.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    columns: dict[str, Sequence[str] | Sequence[Sequence[str]] | None] = {
        "text": examples.get("text"),
        "text_pair": examples.get("text_pair"),
        "tokens": examples.get("tokens"),
    }
    for name, column in columns.items():
        if column is None:
            continue
        digest.update(f"{name}:{len(column)};".encode())
        for value in column:
            # Each string goes in with its length, so that ["ab", "c"] and ["a", "bc"] differ.
            parts = [value] if isinstance(value, str) else value
            raw = [part.encode("utf-8", "surrogatepass") for part in parts]
            digest.update(f"{len(raw)}:".encode())
            digest.update(b"".join(chain.from_iterable((b"%d;" % len(part), part) for part in raw)))
    return digest.hexdigest()


def cache_key(tokenization: Tokenization, spec: EncodingSpec, *, data_hash: str) -> str:
    """Return the name of the cache folder that holds this encoding: a hash of all that decides it.

    Args:
        tokenization: What `headway.data.pieces.prepare` made of the tokenizer.
        spec: How it is encoded.
        data_hash: The `hash_examples` of what is encoded.

    Returns:
        64 hexadecimal digits, the same in every process.
    """
    decisive = asdict(spec)
    decisive.pop("subword_labels")  # decides labels, which are not stored
    parts = [str(FORMAT), json.dumps(decisive, sort_keys=True), data_hash, tokenization.fingerprint()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
