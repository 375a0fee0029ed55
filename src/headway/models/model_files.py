"""Which files of a pretrained model a run read."""

from __future__ import annotations

from pathlib import Path

CONFIGS = (".json", ".txt", ".model", ".tiktoken", ".jinja")
WEIGHTS = (".safetensors", ".bin")
"""In the order in which transformers looks for them."""


def model_files(name: str, revision: str | None = None) -> list[Path]:
    """Return the files that decide what a model and its tokenizer are.

    Args:
        name: A local folder, or a model on the hub that was loaded before.
        revision: Of the hub.

    Returns:
        Sorted by name; empty where the hub's cache doesn't hold the model.
    """
    folder = Path(name)
    if not folder.is_dir():
        found = _cached_snapshot(name, revision)
        if found is None:
            return []
        folder = found
    files = sorted(path for path in folder.iterdir() if path.is_file())
    kinds = [[path for path in files if path.suffix == suffix] for suffix in WEIGHTS]
    weights = next((found for found in kinds if found), [])
    return sorted([path for path in files if path.suffix in CONFIGS] + weights)


def _cached_snapshot(name: str, revision: str | None) -> Path | None:
    """Return the folder of the hub's cache, which is named after the commit; None: it isn't there."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None
