"""Imported by the template process before it forks trials; starts no thread, as none survives a fork."""

from __future__ import annotations

import gc
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


def warm() -> None:
    """Import it all, and do once what every run would else do anew."""
    for module in modules():
        importlib.import_module(module)
    from transformers.conversion_mapping import get_checkpoint_conversion_mapping

    from headway.tracking.record import commit, cpu_flags, freeze

    get_checkpoint_conversion_mapping("bert")  # type: ignore[no-untyped-call]  # compiles 1,000 patterns
    # What trials import is what is installed and checked out now, whatever is later.
    commit()
    cpu_flags()
    freeze()
    # A trial's collections go over its own objects alone: those of the template are no garbage, and to look
    # at them took a third of a second and a copy of their memory.
    gc.collect()
    gc.freeze()


warm()
