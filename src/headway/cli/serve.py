"""`headway serve RUN`: the model over HTTP."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Sequence
from typing import Any

from headway.delivery.serving.limits import ServeLimits
from headway.types import ConfigError, HeadwayError

NEEDED = ("uvicorn", "starlette", "prometheus_client")
_HELP = {
    "max_batch": "texts that are answered together",
    "max_wait_ms": "milliseconds that a request may wait for others to be answered with",
    "queue": "texts that may wait; further requests get 503",
    "max_texts": "texts of one request; more get 413",
    "max_characters": "characters of one text; more get 413",
    "max_bytes": "bytes of one request; more get 413",
    "read_seconds": "in which a request's body must have come; else 408",
    "stop_seconds": "in which all that was taken must be answered after SIGTERM",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headway serve",
        allow_abbrev=False,
        description="Answer requests over HTTP: POST /predict, a page to try it at /, its OpenAPI at "
        "/docs and /openapi.json, /health, /ready and /metrics. SIGTERM stops it once all that was taken "
        "is answered.",
    )
    parser.add_argument("run", metavar="RUN", help="the folder that headway train printed, or an artifact")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (%(default)s: this machine)"
    )
    parser.add_argument("--port", type=int, default=8000, help="to listen on; 0: any (%(default)s)")
    parser.add_argument("--name", help="of the model on pages and in metrics; by default the run's")
    parser.add_argument("--workers", type=int, help="threads that answer; by default one for two free cores")
    parser.add_argument("--threads", type=int, help="that compute for each of them; by default its share")
    parser.add_argument("--device", help="as torch names it; by default a GPU if there is one")
    usual = ServeLimits()
    for name, text in _HELP.items():
        value = getattr(usual, name)
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=type(value), default=value, help=f"{text} (%(default)s)"
        )
    return parser


def main(words: Sequence[str]) -> int:
    """Serve a model.

    Args:
        words: RUN and options.

    Returns:
        0 after SIGTERM, 130 after Ctrl-C, 1 if not all that was taken could be answered.

    Raises:
        HeadwayError: A library is missing, or the folder or an option is wrong.
    """
    arguments = _parser().parse_args(list(words))
    limits = ServeLimits(**{name: getattr(arguments, name) for name in _HELP})
    for name in ("workers", "threads"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise ConfigError(f"--{name} must be >= 1, got {value}; raise it or leave it out")
    if not 0 <= arguments.port <= 65535:  # the system would take 65536 for 0
        raise ConfigError(f"--port must be in [0, 65535], got {arguments.port}; 0 is any that is free")
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise HeadwayError(
            f"headway serve must run where {missing[0]} is installed, got none; run pip install "
            "'headway[serve]'"
        )
    return _serve(arguments, limits)


def _serve(arguments: argparse.Namespace, limits: ServeLimits) -> int:
    from headway.config.build import resolve
    from headway.delivery.predictor import load
    from headway.delivery.serving.server import serve
    from headway.delivery.threads import free_threads

    free = free_threads()
    # Measured on two cores: one that computes with both answers sooner, and as many, as one on each.
    workers = arguments.workers or max(1, free // 2)
    predictor = load(
        arguments.run, device=arguments.device, threads=arguments.threads or max(1, free // workers)
    )
    name = arguments.name or str(predictor.spec.about.get("name", "model"))
    role: Any = resolve(predictor.spec.target["_target_"], key="target")
    # Kernels and buffers are made with the first answer, which no client should wait for.
    predictor.predict([dict.fromkeys(predictor.spec.columns, "a b")])

    def say(address: str) -> None:
        """Tell whoever started it that requests are taken."""
        print(f"serving {name} at {address} with {workers} threads; Ctrl-C stops it", flush=True)

    return serve(
        predictor,
        name=name,
        role=role.role,
        host=arguments.host,
        port=arguments.port,
        workers=workers,
        limits=limits,
        say=say,
    )
