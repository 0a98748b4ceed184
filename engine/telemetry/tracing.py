"""Spans of HTTP calls and commits for OpenTelemetry: until they are begun there are none, and nothing is imported.

The extra `otel` brings the libraries. Where spans go is said by OpenTelemetry's own variables, such as
OTEL_EXPORTER_OTLP_ENDPOINT.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine import __version__
from engine.core.errors import UsageError
from engine.telemetry.logs import calling

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

MISSING = "tracing needs the extra `otel`: install `stockline[otel]`"


class Tracing:
    """The spans of a process; the one that was not begun makes none."""

    def __init__(self) -> None:
        self._provider: TracerProvider | None = None
        self._tracer: Tracer | None = None

    def begin(self, exporter: "SpanExporter | None" = None) -> None:
        """Export spans from now on, by OTLP over HTTP unless another exporter is given.

        Raises:
            UsageError: the libraries are not installed.
        """
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise UsageError(MISSING) from error
        resource = Resource.create({"service.name": "stockline", "service.version": __version__})
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("stockline", __version__)

    def end(self) -> None:
        """Export what is left, and make no more spans."""
        if self._provider is not None:
            self._provider.shutdown()
        self._provider = self._tracer = None

    @contextmanager
    def span(self, name: str, **attributes: str | int) -> Iterator[None]:
        """A span around what runs within; a call that came with a `traceparent` is its parent."""
        if self._tracer is None:
            yield
            return
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        parent, above = calling.get(), None
        if parent is not None:
            above = TraceContextTextMapPropagator().extract({"traceparent": parent})
        with self._tracer.start_as_current_span(name, context=above, attributes=attributes):
            yield


TRACING = Tracing()
"""The spans of this process."""
