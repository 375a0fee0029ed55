"""Fine-tune encoder-only transformers and know what the number means."""

from headway.version import __version__

__all__ = ["__version__"]
