"""docs/architecture.md is true: its layers are those of the code, its journeys are travelled."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession

from engine.bus.memory.broker import MemoryBroker
from engine.bus.memory.cluster import MemoryCluster
from engine.bus.single import Record
from engine.core.rules import Rules
from engine.core.values import SECOND, partition_of
from engine.processes.single import running
from engine.runtime.clock import WallClock
from engine.runtime.cluster.surroundings import Machine, Pacing
from engine.runtime.cluster.worker import Worker
from engine.settings import load_settings
from tests.auditor.model import instant
from tests.unit.documents import functions, rows, section, spans, text_of
from tests.unit.test_layers import CONNECTORS_MAY_IMPORT, DOORS, PURE, RANKS
from tests.unit.trace import Trace, traced

TEXT = text_of("architecture.md")
ROW = {"sku": "85123A", "location": "LDS"}
LINE = {**ROW, "order": "PO-1", "line": 1}
NOW = "2026-03-02T21:00:00Z"


def event(number: int, kind: str, time: str, data: dict[str, Any]) -> bytes:
    named = {"specversion": "1.0", "id": str(number), "source": "erp", "type": kind, "time": time}
    return json.dumps({**named, "data": data}).encode()


BEFORE = [
    event(1, "item.defined", "2026-03-01T08:00:00Z", {"sku": "85123A", "base_unit": "each", "units": {"case": 12}}),
    event(2, "stock.counted", "2026-03-01T09:00:00Z", {**ROW, "qty": 10}),
    event(
        3,
        "policy.set",
        "2026-03-01T09:10:00Z",
        {**ROW, "policy": {"kind": "min_max", "min": 50, "max": 120}, "lead_time_days": 6},
    ),
    event(4, "order.placed", "2026-03-01T10:00:00Z", {**LINE, "supplier": "ACME", "qty": 48, "due": "2026-03-07"}),
    event(5, "shipment.notified", "2026-03-01T11:00:00Z", {**LINE, "shipment": "S-1", "qty": 48, "eta": "2026-03-06"}),
    event(
        6,
        "forecast.revised",
        "2026-03-01T11:00:00Z",
        {**ROW, "version": "v1", "mode": "replace", "buckets": [{"start": "2026-03-01", "days": 30, "qty": 300}]},
    ),
    event(7, "balance.reported", "2026-03-02T20:00:00Z", {**ROW, "on_hand": 10}),
]
RECEIPT = event(
    8, "goods.received", "2026-03-02T09:14:05Z", {**LINE, "receipt": "7781", "qty": 4, "held": 1, "uom": "case"}
)


def test_the_layers_are_those_that_the_layer_test_holds() -> None:
    told = [row for row in rows(section(TEXT, "Layers")) if len(row) == 3]
    assert {layer.strip("`"): int(rank) for rank, layer, _ in told} == RANKS
    assert {"engine.core", "engine.kafka"} == CONNECTORS_MAY_IMPORT
    assert {layer for layer, rank in RANKS.items() if rank <= 3} == PURE


def test_the_doors_of_libraries_are_those_that_the_layer_test_holds() -> None:
    told = [row for row in rows(section(TEXT, "Layers")) if len(row) == 2]
    doors = {library: tuple(spans(modules)) for libraries, modules in told for library in spans(libraries)}
    assert doors == {library: modules for library, modules in DOORS.items() if modules}


# on one machine -------------------------------------------------------------------------------------------------------


async def travel(data: Path, trace: Trace) -> None:
    """Send the receipt over HTTP, and wait until the stream tells of it."""
    async with running(load_settings(data=data, port=0, clock="log")) as engine, ClientSession(engine.url) as caller:
        for raw in BEFORE:
            await caller.post("/v1/events", data=raw, headers={"Content-Type": "application/cloudevents+json"})
        async with caller.get("/v1/stream") as stream:
            await stream.content.readuntil(b"\n\n")
            trace.clear()
            answer = await caller.post("/v1/events", data=RECEIPT)
            assert (answer.status, (await answer.json())["accepted"]) == (202, 1)
            async with asyncio.timeout(120):
                await told(stream, b'"available":58,"held":12')


async def told(stream: ClientResponse, what: bytes) -> None:
    """Wait until the stream tells of something; the events before the receipt may still be on their way."""
    while what not in await stream.content.readuntil(b"\n\n"):
        pass


async def test_a_receipt_on_one_machine_takes_the_steps_of_the_document(tmp_path: Path) -> None:
    with traced() as trace:
        await travel(tmp_path / "data", trace)
    named = functions(section(TEXT, "A goods receipt on one machine"))
    assert len(named) > 25
    assert trace.missing(named) == []


# on Kafka -------------------------------------------------------------------------------------------------------------


async def fold_on(broker: MemoryBroker, trace: Trace) -> None:
    """Let a worker fold what came before the receipt, then the receipt alone."""
    partition, at = partition_of("85123A", broker.partitions), instant(NOW)
    cluster = MemoryCluster(broker, "worker")
    machine = Machine(WallClock(lambda: at + SECOND, lambda: at), lambda: 0.0)
    worker = Worker(cluster, Rules(), 1 << 20, Pacing(), machine)
    asked = asyncio.Event()
    running_worker = asyncio.create_task(worker.run(asked))
    await cluster.start(worker)
    for raws in (BEFORE, [RECEIPT]):
        trace.clear()
        broker.append([Record(partition, 0, "85123A", raw, at) for raw in raws])
        end = broker.end_offset(partition)
        async with asyncio.timeout(120):
            while broker.next_offset(partition) < end or not trace.calls:  # noqa: ASYNC110 - the broker tells nobody
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
    asked.set()
    await running_worker
    await cluster.stop()


async def test_a_worker_takes_the_steps_of_the_document() -> None:
    broker = MemoryBroker(2)
    with traced() as trace:
        await fold_on(broker, trace)
    named = functions(section(TEXT, "The fold in a worker"))
    memory = [each for each in named if not each.file.startswith("engine/bus/kafka/")]
    assert len(memory) > 5
    assert trace.missing(memory) == []
