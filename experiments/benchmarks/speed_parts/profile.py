"""Where a training step's time goes: torch's profiler over some steps of `headway train`, by kind of work."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from speed_parts.machine import machine
from speed_parts.options import Options
from speed_parts.rounds import Found, in_process
from speed_parts.works import Work, sentence_like

WAYS = {"bf16": [], "fp32": ["trainer.precision=32-true"]}
OWNERS = (  # the first name found on the way up from a kernel decides
    ("DroppedAttention", "attention"),
    ("scaled_dot_product", "attention"),
    ("_Dropped", "dropout"),
    ("native_dropout", "dropout"),
    ("_fused_adamw", "optimizer"),
    ("Optimizer.zero_grad", "optimizer"),
    ("clip_grad", "clipping"),
    ("_foreach_norm", "clipping"),
    ("linalg_vector_norm", "clipping"),
    ("_foreach_mul_", "clipping"),
)
KERNELS = (
    ("batches", ("DataLoader",)),
    ("autograd's own", ("autograd::engine", "Backward", "AccumulateGrad")),
    ("matrix products", ("aten::mm", "aten::addmm", "mkldnn::_linear_pointwise", "aten::mkldnn_linear")),
    ("normalisation", ("layer_norm",)),
    ("activation", ("gelu",)),
    ("embeddings", ("embedding", "index_select", "index_add")),
    ("casts between fp32 and bf16", ("aten::_to_copy", "aten::copy_", "aten::to")),
    ("putting windows together", ("aten::cat", "aten::split", "aten::narrow", "aten::slice")),
)


class StepProfiler(pl.Callback):
    """Profiles some steps, and writes the seconds of each kind of work.

    Args:
        path: The file.
        first: Steps before.
        steps: Steps profiled.
    """

    def __init__(self, path: str, *, first: int, steps: int) -> None:
        self.path, self.first, self.steps = path, first, steps
        self.profiler: Any = None
        self.start = 0.0

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Begin before the first step that counts."""
        from torch.profiler import ProfilerActivity, profile

        if trainer.global_step == self.first and self.profiler is None:
            self.profiler = profile(activities=[ProfilerActivity.CPU])
            self.profiler.__enter__()
            self.start = time.perf_counter()

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, *rest: Any) -> None:
        """End after the last, and write."""
        if self.profiler is None or trainer.global_step != self.first + self.steps:
            return
        wall = time.perf_counter() - self.start
        self.profiler.__exit__(None, None, None)
        found = shares(self.profiler.events(), wall=wall)
        Path(self.path).write_text(json.dumps({"steps": self.steps, "wall": wall, **found}))
        trainer.should_stop = True


def kind_of(event: Any) -> str:
    """Return the kind of work of one profiled operation, by what called it, or else by its own name."""
    above = event
    while above is not None:
        for name, kind in OWNERS:
            if name in above.name:
                return kind
        above = above.cpu_parent
    return next(
        (kind for kind, names in KERNELS if any(name in event.name for name in names)), "other kernels"
    )


def shares(events: Any, *, wall: float) -> dict[str, Any]:
    """Return the seconds of each kind of work.

    Args:
        events: Of the profiler.
        wall: Seconds from start to end.

    Returns:
        kinds: name -> seconds, with "Python and waiting" for what no operation took; names: the longest
        of the other kernels.
    """
    kinds: dict[str, float] = {}
    others: dict[str, float] = {}
    for event in events:
        if event.name.startswith("Optimizer.step"):
            continue  # Lightning's closure runs forward and backward in it: its own time is Python's
        seconds, kind = event.self_cpu_time_total / 1e6, kind_of(event)
        kinds[kind] = kinds.get(kind, 0.0) + seconds
        if kind == "other kernels":
            others[event.name] = others.get(event.name, 0.0) + seconds
    kinds["Python and waiting"] = max(0.0, wall - sum(kinds.values()))
    longest = sorted(others.items(), key=lambda item: -item[1])[:8]
    return {"kinds": dict(sorted(kinds.items(), key=lambda item: -item[1])), "names": dict(longest)}


def contend(_: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Run `headway train`'s run with a profiler among its callbacks.

    Args:
        settings: work, overrides, cache, first, steps and threads.
    """
    from headway.run import run
    from speed_parts.headway_side import compose

    work = Work(**settings["work"])
    with tempfile.TemporaryDirectory() as name:
        out, folder = Path(name) / "profile.json", Path(name) / "run"
        folder.mkdir()
        cfg = compose(
            *work.overrides(),
            *settings["overrides"],
            *(f"num_threads={settings['threads']}", f"cache_dir={settings['cache']}"),
            "+callbacks.profiler._target_=speed_parts.profile.StepProfiler",
            *(f"+callbacks.profiler.{key}={settings[key]}" for key in ("first", "steps")),
            f"+callbacks.profiler.path={out}",
        )
        run(cfg, folder)
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def measure(options: Options) -> Found:
    """Profile in bf16 and in fp32.

    Args:
        options: Of the command line.
    """
    work = sentence_like(options.outputs / "rows", options.size(1600, 128))
    state = machine(options.threads)
    found: dict[str, Any] = {}
    for name, overrides in WAYS.items():
        settings = {
            "work": work.to_dict(),
            "overrides": overrides,
            "cache": str(options.outputs / "cache"),
            "first": options.size(50, 2),
            "steps": options.size(20, 2),
        }
        found[name] = in_process("profile", name, settings=settings, threads=options.threads)
        print(f"profile {name}: {json.dumps(found[name])}", flush=True)
    return {"machine": state, "ways": found}


def lines(found: Found) -> list[str]:
    """Return the page's section."""
    ways = found["ways"]
    kinds = list(dict.fromkeys(kind for way in ways.values() for kind in way["kinds"]))
    text = [
        "torch's profiler over steps of the training above (sentence-like lengths, batches of 32), after "
        "the first epoch; milliseconds a step and share. What attention and dropout call is theirs; the "
        "profiler itself lengthens short operations.",
        "",
        "| work | " + " | ".join(f"{name}, ms | share" for name in ways) + " |",
        "|---" * (1 + 2 * len(ways)) + "|",
    ]
    for kind in kinds:
        cells = []
        for way in ways.values():
            seconds = way["kinds"].get(kind, 0.0)
            cells.append(f"{1000 * seconds / way['steps']:.1f} | {100 * seconds / way['wall']:.1f} %")
        text.append(f"| {kind} | {' | '.join(cells)} |")
    totals = " | ".join(f"{1000 * way['wall'] / way['steps']:.1f} | 100 %" for way in ways.values())
    return [*text, f"| all | {totals} |"]
