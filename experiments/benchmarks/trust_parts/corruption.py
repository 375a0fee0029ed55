"""Row: a flipped byte in a checkpoint, an artifact or a cache is found before it is used."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from headway.assembly import build_backbone, build_data, encode_data
from headway.delivery.loading import read_artifact
from headway.run import run
from headway.tracking import checkpoint_io
from headway.types import HeadwayError
from trust_parts.forks import in_process
from trust_parts.peers import LightningPeer, TrainerPeer
from trust_parts.rows import Case, Row, check, some
from trust_parts.works import compose, words_of

FLIPS = {"checkpoints": 60, "artifact": 70, "encoded cache": 40, "feature cache": 30}


def flipped(path: Path, draw: random.Random) -> Callable[[], None]:
    """Flip a bit of a file; return what puts it back."""
    whole = path.read_bytes()
    place = draw.randrange(len(whole))
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << draw.randrange(8)]) + whole[place + 1 :])
    return lambda: path.write_bytes(whole) and None


def _files(folder: Path) -> list[Path]:
    """Return what is read again: neither the model card nor Trainer's copy of its arguments is."""
    found = [each for each in folder.rglob("*") if each.is_file() and each.stat().st_size]
    return sorted(each for each in found if each.name not in ("README.md", "training_args.bin"))


def _cases(work: Path, share: float) -> Iterator[Case]:
    draw = random.Random(5)
    cfg = compose(*words_of("single", work))
    kept = compose(*words_of("single", work, "backbone.trainable=none", "keep_features=true"))
    run(cfg, work / "run")
    features = work / "features-run"
    run(kept, features)
    checkpoints = sorted((work / "run" / "checkpoints").glob("*.ckpt"))
    for number in range(some(FLIPS["checkpoints"], share)):
        path = draw.choice(checkpoints)
        yield f"checkpoints {number}: {path.name}", _refused(path, draw, lambda p=path: checkpoint_io.load(p))
    model = work / "run" / "model"
    for number in range(some(FLIPS["artifact"], share)):
        path = draw.choice(_files(model))
        yield f"artifact {number}: {path.name}", _refused(path, draw, lambda: read_artifact(model))
    encoded = [each for each in _files(work / "cache") if "features" not in each.parts]
    whole = _encode(cfg)
    for number in range(some(FLIPS["encoded cache"], share)):
        path = draw.choice(encoded)
        yield f"encoded cache {number}: {path.name}", _rebuilt(path, draw, lambda: _encode(cfg), whole)
    stored = [each for each in _files(work / "cache") if "features" in each.parts]
    for number in range(some(FLIPS["feature cache"], share)):
        path = draw.choice(stored)
        case = _rebuilt(path, draw, lambda: _weights(kept, work / "again"), _weights_of(features))
        yield f"feature cache {number}: {path.name}", case


def _refused(path: Path, draw: random.Random, use: Callable[[], object]) -> Callable[[], None]:
    def case() -> None:
        """Use what has a flipped bit; the error names the file."""
        restore = flipped(path, draw)
        try:
            use()
        except HeadwayError as error:
            check(path.name in str(error), f"the error doesn't name the file: {error}")
        else:
            check(False, "nothing was found")
        finally:
            restore()

    return case


def _rebuilt(path: Path, draw: random.Random, use: Callable[[], Any], whole: Any) -> Callable[[], None]:
    def case() -> None:
        """Use a cache with a flipped bit; what comes is what came before."""
        flipped(path, draw)
        check(use() == whole, "other content came out of the cache")

    return case


def _encode(cfg: dict) -> dict[str, list[bytes]]:
    data, backbone = build_data(cfg), build_backbone(cfg)
    data.read()
    encode_data(data, backbone, backbone.load_tokenizer())
    names = ("input_ids", "offsets", "documents")
    return {
        split: [np.asarray(getattr(each, name)).tobytes() for name in names]
        for split, each in data.encoded.items()
    }


def _weights(cfg: dict, folder: Path) -> list[bytes]:
    shutil.rmtree(folder, ignore_errors=True)
    run(cfg, folder)
    return _weights_of(folder)


def _weights_of(folder: Path) -> list[bytes]:
    return [(folder / "model" / "model.safetensors").read_bytes()]


def _lightning(work: Path, share: float) -> Iterator[Case]:
    peer = LightningPeer(work, "corrupted")
    in_process(lambda: peer.train(), work / "log")
    draw = random.Random(5)
    last = peer.folder / "last.ckpt"

    def load() -> None:
        """Load as `ckpt_path` does."""
        torch.load(last, weights_only=True)

    for number in range(some(FLIPS["checkpoints"], share)):
        yield f"checkpoint {number}", _found(last, draw, load)


def _trainer(work: Path, share: float) -> Iterator[Case]:
    peer = TrainerPeer(work, "corrupted")
    in_process(lambda: peer.train(), work / "log")
    draw = random.Random(5)
    newest = max(peer.folder.glob("checkpoint-*"), key=lambda each: int(each.name.split("-")[1]))

    def load() -> None:
        """Load as `resume_from_checkpoint` does."""
        if peer.saved_step() is None:
            raise RuntimeError("found")
        torch.load(newest / "scheduler.pt", weights_only=True)
        torch.load(newest / "rng_state.pth", weights_only=False)

    for number in range(some(FLIPS["checkpoints"] + FLIPS["artifact"], share)):
        path = draw.choice(_files(newest))
        yield f"checkpoint {number}: {path.name}", _found(path, draw, load)


def _found(path: Path, draw: random.Random, use: Callable[[], None]) -> Callable[[], None]:
    def case() -> None:
        """Load what has a flipped bit."""
        restore = flipped(path, draw)
        try:
            use()
        except Exception:
            return
        finally:
            restore()
        check(False, "it loaded as if nothing were wrong")

    return case


ROW = Row(
    "corruption",
    "Corruption: a flipped byte in checkpoint, artifact or cache is found before use; caches rebuild",
    _cases,
    {"Lightning": _lightning, "HF Trainer": _trainer},
)
