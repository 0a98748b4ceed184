"""Spans for OpenTelemetry: none unless they are asked for, and under the trace of the call that they answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from engine.telemetry.logs import calling, traceparent_of
from engine.telemetry.tracing import TRACING
from tests.unit.web_client import site

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    TRACING.begin(exporter)
    yield exporter
    TRACING.end()


async def test_a_call_is_a_span_under_the_trace_that_it_came_with(spans: InMemorySpanExporter) -> None:
    async with site() as web, web.client.get("/v1/sync", headers={"traceparent": TRACE}) as answer:
        assert answer.status == 200
    TRACING.end()
    (span,) = spans.get_finished_spans()
    assert (span.name, span.parent is not None) == ("GET /v1/sync", True)
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == TRACE.split("-")[1]


def test_without_being_asked_for_there_are_no_spans() -> None:
    with TRACING.span("commit"):
        pass
    exporter = InMemorySpanExporter()
    TRACING.begin(exporter)
    TRACING.end()
    assert exporter.get_finished_spans() == ()


@pytest.mark.parametrize("header", [None, "", "00-1", TRACE + "\n", TRACE.upper(), "x" * 55])
def test_what_is_no_traceparent_is_left_out(header: str | None) -> None:
    assert traceparent_of(header) is None
    assert traceparent_of(TRACE) == TRACE
    assert calling.get() is None
