"""Runs the application: opens the port, and stops so that nothing that was taken is lost."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn

from headway.delivery.serving.app import Service, make_app
from headway.delivery.serving.batcher import Answers, Batcher
from headway.delivery.serving.limits import ServeLimits
from headway.delivery.serving.metrics import Metrics
from headway.delivery.serving.openapi import openapi
from headway.delivery.serving.requests import Row
from headway.delivery.span_answers import tags_of_spans
from headway.types import ConfigError
from headway.version import __version__

if TYPE_CHECKING:
    from headway.delivery.predictor import Predictor

LAST_CALL_SECONDS = 0.3
"""How long new connections are still taken after SIGTERM, and then requests on those that are open; each
answer in this time closes its connection."""
BACKLOG = 2048


def serve(
    predictor: Predictor,
    *,
    name: str,
    role: str,
    host: str,
    port: int,
    workers: int,
    limits: ServeLimits,
    say: Callable[[str], None],
) -> int:
    """Serve a model until a signal comes.

    Args:
        predictor: The model; called from several threads.
        name: Of the model.
        role: What the task learns from: label, labels, score or tags.
        host: Address to listen on.
        port: To listen on; 0: any that is free.
        workers: Threads that answer.
        limits: Of requests.
        say: Is told the address, once requests are taken.

    Returns:
        The exit status: 0 after SIGTERM, 130 after Ctrl-C; 1 if not all that was taken could be answered in
        time.

    Raises:
        ConfigError: The address can't be listened on.
    """
    listening = _listen(host, port)
    metrics = Metrics(name=name, version=__version__, workers=workers)
    server: GracefulServer | None = None

    def connections() -> int:
        """Return how many connections are open."""
        return len(server.server_state.connections) if server is not None else 0

    batcher = Batcher(
        _answers(predictor), limits=limits, workers=workers, connections=connections, observer=metrics
    )
    about = {
        "name": name,
        "role": role,
        "columns": list(predictor.spec.columns),
        "label_names": list(predictor.label_names),
        "headway": __version__,
        "max_texts": limits.max_texts,
        "max_characters": limits.max_characters,
    }
    document = openapi(
        name=name,
        version=__version__,
        role=role,
        columns=list(predictor.spec.columns),
        label_names=predictor.label_names,
        spans=role == "tags" and tags_of_spans(predictor.label_names) is not None,
        limits=limits,
    )
    service = Service(batcher, list(predictor.spec.columns), limits, metrics, about, document)
    server = GracefulServer(service, say=lambda: say(_address(host, listening)))
    batcher.start()
    server.run(sockets=[listening])
    finished = batcher.stop(0.0 if server.given_up else limits.stop_seconds)
    if server.given_up or not finished:
        return 1
    return 0 if server.signal == signal.SIGTERM else 130


def _answers(predictor: Predictor) -> Callable[[Sequence[Row]], Answers]:
    names = list(predictor.spec.columns)

    def answer(rows: Sequence[Row]) -> Answers:
        """Return the answers of rows, in order."""
        examples: Any = {name: [row.cells[name] for row in rows] for name in names}
        return predictor.answer(examples, texts=[row.text for row in rows])

    return answer


class GracefulServer(uvicorn.Server):
    """Takes a last call after the first signal, then closes; a second signal ends it at once.

    Args:
        service: What the addresses share.
        say: Called once requests are taken.

    Attributes:
        signal: What came first; 0 before.
        given_up: Whether requests were left when it ended.
    """

    def __init__(self, service: Service, *, say: Callable[[], None]) -> None:
        # h11 bounds the size of headers. Requests aren't logged: texts are none of the log's business.
        super().__init__(
            uvicorn.Config(
                make_app(service),
                http="h11",
                ws="none",
                lifespan="off",
                access_log=False,
                log_level="warning",
                server_header=False,
                backlog=BACKLOG,
                timeout_graceful_shutdown=int(-(-service.limits.stop_seconds // 1)),
            )
        )
        self.signal = 0
        self.given_up = False
        self._service = service
        self._say = say

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal; uvicorn's own would be raised again at the end, and make the status."""
        if self.signal:
            self.force_exit = True
        self.signal = self.signal or sig
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then say so."""
        await super().startup(sockets=sockets)
        self._say()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take requests for a moment, turn others away for another, close the port, and answer what came.

        A client that is told 503 doesn't knock in the instant in which the port closes: what the kernel
        accepts just then would be reset.
        """
        self._service.stopping = True
        await asyncio.sleep(LAST_CALL_SECONDS)
        self._service.turning_away = True
        await asyncio.sleep(LAST_CALL_SECONDS)
        await self._close_port(sockets or [])
        await asyncio.sleep(LAST_CALL_SECONDS)  # in which who came last sends a request
        await super().shutdown(sockets=sockets)
        self.given_up = bool(self.server_state.tasks)

    async def _close_port(self, sockets: list[socket.socket]) -> None:
        """Take what the kernel has accepted, and close the port behind it: it would be reset otherwise."""
        loop, waiting = asyncio.get_running_loop(), []
        for listening in sockets:
            with suppress(BlockingIOError):
                while True:
                    waiting.append(listening.accept()[0])
        for server in self.servers:
            server.close()

        def protocol() -> asyncio.Protocol:
            """Return what reads a connection, as uvicorn makes it."""
            kind: Any = self.config.http_protocol_class
            made: asyncio.Protocol = kind(
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state
            )
            return made

        for connection in waiting:
            connection.setblocking(False)
            await loop.connect_accepted_socket(protocol, connection)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
        except OSError:
            listening.close()
            raise
    except (OSError, OverflowError, UnicodeError) as error:
        raise ConfigError(
            f"--host and --port must be an address of this machine that is free, got {host!r} and {port} "
            f"({error}); name another port, or 0 for any"
        ) from error
    return listening


def _address(host: str, listening: socket.socket) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listening.getsockname()[1]}"
