"""headway and Trainer on the same batches, in fp32 and without dropout: the same losses and weights."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from speed_parts.machine import machine
from speed_parts.options import Options
from speed_parts.rounds import Found, in_process
from speed_parts.works import Work, sentence_like

NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def contend(_: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Train both in this process, headway first, and compare.

    Args:
        settings: work, threads and cache.

    Returns:
        Each side's losses, and the largest differences of losses and weights.
    """
    import torch
    from transformers import AutoTokenizer

    from speed_parts import trainer_peer
    from speed_parts.headway_side import model_folder

    torch.set_num_threads(settings["threads"])
    work = Work(**settings["work"])
    with tempfile.TemporaryDirectory() as name:
        start = str(Path(name) / "start")
        plain = replace(work, kind="text")
        model = trainer_peer.load_model(plain, model_folder(), num_labels=len(trainer_peer.label_names(work)))
        for key, value in NO_DROPOUT.items():
            setattr(model.config, key, value)
        model.save_pretrained(start)
        AutoTokenizer.from_pretrained(model_folder()).save_pretrained(start)
        own = _headway(work, start, folder=Path(name) / "run", cache=settings["cache"])
        peer = _trainer(work, start, order=own["order"], folder=name)
    differences = [abs(one - other) for one, other in zip(own["losses"], peer["losses"], strict=True)]
    # Softmax cancels the biases of attention keys: their gradient is rounding alone, and Adam makes whole
    # steps of it.
    weights = {
        name: float((value - peer["weights"][name]).abs().max())
        for name, value in own["weights"].items()
        if not name.endswith("key.bias")
    }
    largest = max(weights, key=lambda name: weights[name])
    moved = sum(float(((own["weights"][name] - own["start"][name]) ** 2).sum()) for name in weights)
    apart = sum(float(((own["weights"][name] - peer["weights"][name]) ** 2).sum()) for name in weights)
    return {
        "steps": len(differences),
        "headway": own["losses"],
        "trainer": peer["losses"],
        "largest_loss_difference": max(differences),
        "first_loss_difference": differences[0],
        "largest_weight_difference": weights[largest],
        "largest_weight": largest,
        "share_of_movement": (apart / moved) ** 0.5,
        "compared": len(weights),
    }


def _headway(work: Work, start: str, *, folder: Path, cache: str) -> dict[str, Any]:
    """Train with the parts of `headway train` from the weights in `start`."""
    import pytorch_lightning as pl
    from safetensors.torch import load_file

    from headway.assembly import build_backbone, build_data, build_module, encode_data
    from headway.trainer_assembly import build_trainer
    from speed_parts.headway_side import compose

    cfg = compose(
        *work.overrides(),
        *("backbone=local", f"backbone.name={start}", "task.head.dropout=0", "trainer.precision=32-true"),
        f"cache_dir={cache}",
    )
    cfg["logger"] = None
    data, backbone = build_data(cfg), build_backbone(cfg)
    data.read()
    encode_data(data, backbone, backbone.load_tokenizer())
    trainer, _ = build_trainer(cfg, folder)
    module, loaders, _ = build_module(cfg, data, backbone)
    saved = load_file(Path(start) / "model.safetensors")
    module.head.classifier.load_state_dict({name: saved[f"classifier.{name}"] for name in ("weight", "bias")})
    losses: list[float] = []

    class Losses(pl.Callback):
        """Keeps each step's loss."""

        def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, *rest: Any) -> None:
            """Keep the loss."""
            losses.append(float(outputs["loss"]))

    trainer.callbacks.append(Losses())
    order = [plan.windows.tolist() for epoch in range(work.epochs) for plan in loaders.train_plan(epoch)]
    trainer.fit(module, datamodule=loaders)
    encoder = {f"bert.{name}": value for name, value in module.encoder.model.state_dict().items()}
    head = {f"classifier.{name}": value for name, value in module.head.classifier.state_dict().items()}
    return {"losses": losses, "weights": encoder | head, "order": order, "start": saved}


def _trainer(work: Work, start: str, *, order: list[list[int]], folder: str) -> dict[str, Any]:
    """Train with transformers.Trainer from the same weights, on the same batches."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer

    from speed_parts import trainer_peer

    losses: list[float] = []

    class InOrder(Trainer):
        """Takes its batches as headway planned them, and keeps each step's loss."""

        def get_train_dataloader(self) -> torch.utils.data.DataLoader[Any]:
            """Return a loader that gives the batches of the next epoch of the plan at each pass."""
            each = len(order) // work.epochs
            return torch.utils.data.DataLoader(
                self.train_dataset, batch_sampler=_Epochs(order, each), collate_fn=self.data_collator
            )

        def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
            """Return Trainer's loss, and keep it."""
            loss = super().compute_loss(*args, **kwargs)
            losses.append(float(loss))
            return loss

    tokenizer = AutoTokenizer.from_pretrained(start)
    names = trainer_peer.label_names(work)
    way = trainer_peer.Way()
    trainer = InOrder(
        AutoModelForSequenceClassification.from_pretrained(start),
        way.arguments(work, folder),
        data_collator=trainer_peer.collator(work, way, tokenizer=tokenizer),
        train_dataset=trainer_peer.encode_rows(work, tokenizer, path=work.train, names=names),
        processing_class=tokenizer,
    )
    trainer.train()
    return {"losses": losses, "weights": trainer.model.state_dict()}


class _Epochs:
    """A batch sampler whose every pass is the next epoch of a plan."""

    def __init__(self, order: list[list[int]], each: int) -> None:
        self.order, self.each, self.passes = order, each, 0

    def __len__(self) -> int:
        return self.each

    def __iter__(self) -> Iterator[list[int]]:
        start = self.passes * self.each
        self.passes += 1
        return iter(self.order[start : start + self.each])


def measure(options: Options) -> Found:
    """Compare once.

    Args:
        options: Of the command line.
    """
    work = replace(sentence_like(options.outputs / "rows", options.size(1600, 128)), epochs=1)
    state = machine(options.threads)
    settings = {"work": work.to_dict(), "cache": str(options.outputs / "cache")}
    found = in_process("parity", "both", settings=settings, threads=options.threads)
    print(f"parity: losses differ by at most {found['largest_loss_difference']:.2e}", flush=True)
    return {"machine": state, **found}


def lines(found: Found) -> list[str]:
    """Return the page's section."""
    return [
        f"MiniLM in fp32, dropout 0, the same start, {found['steps']} optimizer steps with warm-up, decay "
        "and clipping; Trainer is given headway's batches in headway's order, and pads them to the longest.",
        "",
        "| | |",
        "|---|---|",
        f"| loss, first step and last | {found['trainer'][0]:.4f} and {found['trainer'][-1]:.4f} |",
        f"| largest difference of a loss | {found['largest_loss_difference']:.1e} |",
        f"| of the first step's | {found['first_loss_difference']:.1e} |",
        f"| largest difference of a weight after the last step | {found['largest_weight_difference']:.1e}, "
        f"in `{found['largest_weight']}` |",
        "| distance between both sides' weights, as a share of the way that training went | "
        f"{found['share_of_movement']:.1e} |",
        "",
        "Biases of attention keys are left out of the weights: they have no effect, and their gradient is "
        "rounding alone.",
    ]
