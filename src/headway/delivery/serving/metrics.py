"""What Prometheus reads of a server."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
TEXTS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """Counts of one server; each has its own registry, so that several can live in a process.

    Args:
        name: Of the model.
        version: Of headway.
        workers: Threads that answer.

    Attributes:
        requests: By status.
        seconds: From a request's first byte to its answer.
        texts: Answered.
    """

    def __init__(self, *, name: str, version: str, workers: int) -> None:
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "headway_requests", "Requests to /predict, by status.", ["status"], registry=registry
        )
        self.seconds = Histogram(
            "headway_request_seconds", "From request to answer.", buckets=SECONDS, registry=registry
        )
        self.texts = Counter("headway_texts", "Texts that were answered.", registry=registry)
        self._queue = Gauge("headway_queue_texts", "Texts that wait.", registry=registry)
        self._batch = Histogram(
            "headway_batch_texts", "Texts that were answered together.", buckets=TEXTS, registry=registry
        )
        self._waited = Histogram(
            "headway_queue_seconds", "How long a batch's first request waited.", buckets=SECONDS,
            registry=registry,
        )  # fmt: skip
        self._computed = Histogram(
            "headway_batch_seconds", "How long a batch took.", buckets=SECONDS, registry=registry
        )
        facts = {"name": name, "headway": version, "workers": str(workers)}
        Info("headway_model", "What is served.", registry=registry).info(facts)

    def queued(self, texts: int) -> None:
        """Take note of how many texts wait now."""
        self._queue.set(texts)

    def batch(self, texts: int, waited: float, seconds: float) -> None:
        """Take note of a batch.

        Args:
            texts: In it.
            waited: Seconds that its first request waited.
            seconds: That it took.
        """
        self._batch.observe(texts)
        self._waited.observe(waited)
        self._computed.observe(seconds)
        self.texts.inc(texts)

    def text(self) -> bytes:
        """Return all of it in Prometheus's text format."""
        return generate_latest(self._registry)
