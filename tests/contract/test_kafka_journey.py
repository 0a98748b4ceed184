"""The journey of a goods receipt on Kafka, as docs/architecture.md tells it, on a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import ClientSession

from engine.processes import web, worker
from engine.settings import load_access, load_kafka, load_settings
from tests.unit.documents import functions, section
from tests.unit.test_architecture_document import BEFORE, RECEIPT, TEXT, told
from tests.unit.trace import Trace, traced

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
SECONDS, LATER_SECONDS = 300, 60
STEPS = functions(section(TEXT, "A goods receipt on Kafka"))
NAMES = [step.name for step in STEPS]
# Once the transaction is written nobody waits for anybody: the worker goes on, and the readers read.
WRITTEN, FOLDED = NAMES.index("TransactionalProducer.write") + 1, NAMES.index("Worker.consumed") + 1
WAYS = (STEPS[:FOLDED], [*STEPS[:WRITTEN], *STEPS[FOLDED:]])


def missing(trace: Trace) -> list[str]:
    """The steps that were not made in their order, on the way of the worker or on that to the readers."""
    return [step for way in WAYS for step in trace.missing(way)]


@asynccontextmanager
async def processes(kafka: str, data: Path) -> AsyncIterator[str]:
    """A worker and a web process, both in this one; gives the address of the web."""
    kafka_settings = load_kafka(kafka=kafka, partitions=1, group="journey")
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    never = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        access, ports = load_access(), {name: load_settings(data=data / name, port=0) for name in ("worker", "web")}
        folding = worker.run(ports["worker"], access, kafka_settings, lambda _: None, never)
        serving = web.run(ports["web"], access, kafka_settings, address.set_result, never)
        parts = [group.create_task(part) for part in (folding, serving)]
        yield await address
        for part in parts:
            part.cancel()


async def travel(url: str, trace: Trace) -> None:
    """Send the receipt over HTTP once all before it is folded, and wait until the stream tells of it."""
    async with ClientSession(url) as caller, caller.get("/v1/stream") as stream:
        for raw in BEFORE:
            await caller.post("/v1/events", data=raw)
        await told(stream, b'"version":6,')
        trace.clear()
        answer = await caller.post("/v1/events", data=RECEIPT)
        assert answer.status == 202
        await told(stream, b'"available":58,"held":12')


async def test_a_receipt_on_kafka_takes_the_steps_of_the_document(kafka: str, tmp_path: Path) -> None:
    async with asyncio.timeout(SECONDS):
        with traced() as trace:
            async with processes(kafka, tmp_path) as url:
                await travel(url, trace)
                # The group's offsets follow a moment later.
                with suppress(TimeoutError):
                    async with asyncio.timeout(LATER_SECONDS):
                        while missing(trace):  # noqa: ASYNC110 - nobody tells
                            await asyncio.sleep(0.1)
    assert missing(trace) == []
