"""The web application: what each address answers."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from headway.delivery.serving.batcher import QueueFullError, StoppedError
from headway.delivery.serving.metrics import CONTENT_TYPE, Metrics
from headway.delivery.serving.pages import page
from headway.delivery.serving.requests import RequestError, read_request
from headway.types import HeadwayError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headway.delivery.serving.batcher import Answers, Batcher
    from headway.delivery.serving.limits import ServeLimits

log = logging.getLogger(__name__)
JSON = "application/json"
RETRY_SECONDS = 1
WITHOUT = ("probabilities", "probability")


@dataclass
class Service:
    """What the addresses share.

    Attributes:
        batcher: Answers rows.
        columns: The canonical columns that the model reads.
        limits: Of requests.
        metrics: Are told of requests.
        about: What /model says.
        document: What /openapi.json says.
        stopping: Whether the server was told to stop; each answer then closes its connection.
        turning_away: Whether requests are no longer taken, which the answer 503 tells their clients.
    """

    batcher: Batcher
    columns: Sequence[str]
    limits: ServeLimits
    metrics: Metrics
    about: dict[str, Any]
    document: dict[str, Any]
    stopping: bool = field(default=False)
    turning_away: bool = field(default=False)

    def json(self, content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        """Return a response of JSON.

        Args:
            content: Plain values.
            status: Of HTTP.
            headers: More of them.
        """
        # Escaped, since a field's name in an error may be no text at all, such as half a surrogate pair.
        body = json.dumps(content, ensure_ascii=True, allow_nan=False)
        found = {**(headers or {}), **({"Connection": "close"} if self.stopping else {})}
        return Response(body, status, headers=found, media_type=JSON)

    def error(self, status: int, place: str, message: str) -> Response:
        """Return a response that names the wrong field.

        Args:
            status: Of HTTP.
            place: The field.
            message: What is allowed, what came and what to do.
        """
        headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else None
        return self.json({"error": {"field": place, "message": message}}, status, headers)

    async def predict(self, request: Request) -> Response:
        """Answer one input, or several."""
        start = time.monotonic()
        try:
            response = self.json(await self._answer(request))
        except RequestError as error:
            response = self.error(error.status, error.field, str(error))
        except HeadwayError as error:  # what the model can't read, such as a pair that fits no window
            response = self.error(422, "body", str(error))
        except Exception:
            log.exception("a request could not be answered")
            response = self.error(
                500, "body", "this request could not be answered; the server's log says why"
            )
        self.metrics.requests.labels(str(response.status_code)).inc()
        self.metrics.seconds.observe(time.monotonic() - start)
        return response

    async def _answer(self, request: Request) -> Any:
        asked = read_request(await self._body(request), self.columns, self.limits)
        if self.turning_away:
            raise RequestError(503, "server", "the server stops; try again")
        try:
            answers = await asyncio.wrap_future(self.batcher.submit(asked.rows))
        except QueueFullError as error:
            message = f"at most {self.limits.queue} texts may wait, and so many do; try again"
            raise RequestError(503, "body", message) from error
        except StoppedError as error:
            raise RequestError(503, "body", "the server stops; try again") from error
        if not asked.probabilities:
            answers = _without_probabilities(answers)
        return answers[0] if asked.single else {"answers": answers}

    async def _body(self, request: Request) -> bytes:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != JSON:  # also what keeps other sites' pages from asking through a visitor's browser
            raise RequestError(
                415, "content-type", f"`content-type` must be {JSON}, got {kind!r:.60}; set it"
            )
        most = self.limits.max_bytes
        refused = RequestError(413, "body", f"the body must have at most {most} bytes, got more; send less")
        told = request.headers.get("content-length", "")
        if told.isdecimal() and int(told[:20]) > most:
            raise refused
        parts, size = [], 0
        try:
            async with asyncio.timeout(self.limits.read_seconds):
                async for part in request.stream():
                    size += len(part)
                    if size > most:
                        raise refused
                    parts.append(part)
        except TimeoutError as error:
            message = (
                f"the body must come within {self.limits.read_seconds} seconds, got {size} bytes; try again"
            )
            raise RequestError(408, "body", message) from error
        except ClientDisconnect as error:
            raise RequestError(400, "body", "the body must be whole, got a closed connection") from error
        return b"".join(parts)

    async def model(self, request: Request) -> Response:
        """Say what is served."""
        return self.json(self.about)

    async def openapi(self, request: Request) -> Response:
        """Give the OpenAPI document."""
        return self.json(self.document)

    async def health(self, request: Request) -> Response:
        """Say that the process lives."""
        return self.json({"status": "alive"})

    async def ready(self, request: Request) -> Response:
        """Say whether requests are taken."""
        if self.stopping or not self.batcher.alive():
            return self.error(503, "server", "the server stops" if self.stopping else "a thread has died")
        return self.json({"status": "ready"})

    async def metrics_text(self, request: Request) -> Response:
        """Give the metrics."""
        return Response(self.metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    async def http_error(self, request: Request, error: Exception) -> Response:
        """Say what there is in place of an address that isn't known."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        message = f"the address must be one of {[route.path for route in routes(self)]} with its method"
        return self.error(status, "path", f"{message}, got {request.method} {request.url.path[:100]!r}")


def routes(service: Service) -> list[Route]:
    """Return all addresses.

    Args:
        service: What they share.
    """

    async def try_page(_: Request) -> Response:
        """Give the page to try the model."""
        return page("try.html")

    async def docs_page(_: Request) -> Response:
        """Give the page that shows the OpenAPI document."""
        return page("docs.html")

    return [
        Route("/", try_page),
        Route("/docs", docs_page),
        Route("/openapi.json", service.openapi),
        Route("/predict", service.predict, methods=["POST"]),
        Route("/model", service.model),
        Route("/health", service.health),
        Route("/ready", service.ready),
        Route("/metrics", service.metrics_text),
    ]


def make_app(service: Service) -> Starlette:
    """Return the application.

    Args:
        service: What its addresses share.
    """
    handlers: dict[Any, Any] = {HTTPException: service.http_error}
    return Starlette(routes=routes(service), exception_handlers=handlers)


def _without_probabilities(answers: Answers) -> Answers:
    found = []
    for answer in answers:
        kept = {name: value for name, value in answer.items() if name not in WITHOUT}
        if "spans" in kept:
            kept["spans"] = [
                {name: value for name, value in span.items() if name not in WITHOUT} for span in kept["spans"]
            ]
        found.append(kept)
    return found
