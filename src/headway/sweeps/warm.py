"""Imported by the template process before it forks trials; starts no thread, as none survives a fork."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

FOREIGN = (
    "datasets",
    "pandas",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "safetensors.torch",
    "transformers.generation.utils",
    "transformers.modeling_utils",
    "transformers.models.bert.modeling_bert",
)
"""What a first training imports on its way, from reading a file to loading a BERT: 3 seconds a trial."""
OWN = ("headway.data", "headway.evaluation", "headway.models", "headway.tracking")
"""What configs build from, which a run else imports one by one."""


def modules() -> Iterator[str]:
    """Yield the names of all that is imported."""
    yield from FOREIGN
    for name in OWN:
        yield name
        for found in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            yield found.name
    yield from ("headway.run", "headway.sweeps.child", "headway.sweeps.report")


for module in modules():
    importlib.import_module(module)
