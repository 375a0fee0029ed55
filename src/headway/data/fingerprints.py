"""What a run read: the sha256 of its files, and of each split as it came out of them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from headway.data.cache_key import hash_examples
from headway.data.tables import examples_of

if TYPE_CHECKING:
    from headway.data.text_data import TextData
    from headway.types import Gold


def data_files(data: TextData) -> dict[str, str]:
    """Return the sha256 of every file that the splits were read from.

    Args:
        data: Read.

    Returns:
        Name, as the config has it -> 64 hexadecimal digits; empty where the source has no `digests`.
    """
    digests = getattr(data.source, "digests", None)
    found: dict[str, str] = {}
    for spec in (data.rules.train, data.rules.validation, data.rules.test):
        if spec is not None and digests is not None:
            found |= digests(spec)
    return found


def split_digests(data: TextData) -> dict[str, dict[str, Any]]:
    """Return the number of rows and the sha256 of each split, after all that the config does to it.

    Args:
        data: Read.

    Returns:
        Split -> `rows` and `sha256`, of the texts and the answers in order.
    """
    return {
        split: {"rows": len(table), "sha256": _digest(hash_examples(examples_of(table)), data.gold[split])}
        for split, table in data.tables.items()
    }


def _digest(texts: str, gold: Gold) -> str:
    digest = hashlib.sha256(texts.encode())
    for values in (gold.values, gold.word_offsets):
        if values is not None:
            digest.update(f"{values.dtype.str}{values.shape}".encode())
            digest.update(values.tobytes())
    return digest.hexdigest()
