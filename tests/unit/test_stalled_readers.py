"""A reader of the stream who stops reading is cut off, and what waits for it is bounded in bytes."""

from __future__ import annotations

import asyncio
import socket

import pytest

from engine.bus.memory.bus import MemoryBus
from engine.bus.single import Output
from engine.core.rules import Rules
from engine.runtime import subscriptions as subscription
from engine.runtime.single.service import Service
from engine.runtime.subscriptions import Lagging, Subscription
from engine.runtime.waiting import Batch
from engine.telemetry import Telemetry
from engine.web import server
from engine.web.bodies import Intake, Limits
from engine.web.calls import stream
from engine.web.ports import Context
from tests.unit.listed import listed
from tests.unit.test_feeds import event
from tests.unit.web_client import Site, figures, site

GET = b"GET /v1/stream%b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
KIB, SECONDS = 1024, 120.0
THEN = 1_700_000_000_000_000


def reader_of(port: int, buffer: int = 4 * KIB, query: bytes = b"") -> socket.socket:
    """A client that has asked for the stream and reads nothing; its own buffer is small."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.connect(("127.0.0.1", port))
    client.sendall(GET % query)
    return client


async def until_none_is_open(context: Context) -> None:
    async with asyncio.timeout(SECONDS):
        while context.streams:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)


async def test_a_reader_who_takes_nothing_is_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "STALL_SECONDS", 0.3)
    async with site() as web:
        client = reader_of(web.port)
        await publish(web, 8_000)
        await until_none_is_open(web.context)
        assert web.service.subscriptions[0].closed
        assert await asyncio.to_thread(read_to_the_end, client) is ConnectionResetError
        async with web.client.get("/metrics") as answer:
            assert "stockline_streams_cut_off_total 1.0" in await answer.text()


async def publish(web: Site, positions: int) -> None:
    async with asyncio.timeout(SECONDS):
        while not web.service.subscriptions:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    for number in range(positions):
        web.service.receive("A", "L", number)


def read_to_the_end(client: socket.socket) -> type[BaseException] | None:
    """How the server has ended the connection: an orderly end, or the error of an aborted one."""
    client.settimeout(SECONDS)
    try:
        while client.recv(64 * KIB):
            pass
    except ConnectionError as error:
        return type(error)
    finally:
        client.close()
    return None


async def test_a_reader_who_reads_slowly_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "STALL_SECONDS", 2.0)
    async with site() as web:
        client = reader_of(web.port, buffer=64 * KIB)
        client.setblocking(False)
        await publish(web, 8_000)
        loop, taken = asyncio.get_running_loop(), 0
        with monkeypatch.context() as patch:
            # Only the reader's pauses count: a pause of the machine is not the reader's.
            began, pauses = loop.time(), 0
            patch.setattr(loop, "time", lambda: began + 0.05 * pauses)
            for _ in range(50):
                taken += len(await loop.sock_recv(client, 32 * KIB))
                pauses += 1
                await asyncio.sleep(0)
        assert taken > 512 * KIB
        assert len(web.context.streams) == 1
        client.close()


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes that waited for a reader, each time that some more had come."""
    offer, found = Subscription.offer, []

    def noted(listener: Subscription, batch: Batch) -> None:
        offer(listener, batch)
        found.append(listener.waiting_bytes)

    monkeypatch.setattr(Subscription, "offer", noted)
    return found


async def test_what_waits_for_a_stalled_reader_is_bounded_in_bytes(
    monkeypatch: pytest.MonkeyPatch, waiting: list[int]
) -> None:
    monkeypatch.setattr(stream, "STALL_SECONDS", 1.0)
    monkeypatch.setattr(subscription, "SUBSCRIPTION_BYTES", 128 * KIB)
    bus = MemoryBus(1)
    service = Service(bus, Rules(clock="log"))
    service.start()
    context = Context(service, listed(bus), Intake(Limits(1 << 20)), Telemetry(figures))
    async with server.serving(server.application(context), server.bind("127.0.0.1", 0)) as url:
        client = reader_of(int(url.rsplit(":", 1)[1]))
        async with asyncio.timeout(SECONDS):
            while not service.broadcaster.subscriptions:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        loop = asyncio.get_running_loop()
        with monkeypatch.context() as patch:
            # Nobody is given up before something waits, however long that takes.
            began = loop.time()
            patch.setattr(loop, "time", lambda: began)
            for batch in range(40):
                told = [
                    event("stock.counted", THEN, sku=f"{batch}-{n}", location="L" * 64, qty=batch) for n in range(100)
                ]
                await service.submit(told)
        await until_none_is_open(context)
        assert 0 < max(waiting) <= 128 * KIB
        assert not service.broadcaster.subscriptions
        client.close()
    await asyncio.to_thread(service.stop)


async def test_a_listener_that_lags_lets_go_of_what_waits_and_is_told_so() -> None:
    listener = Subscription(frozenset({"positions"}), lambda _: None)
    output = Output("positions", "k", "k", b"x" * KIB * KIB, "position.changed")
    piece = Batch([output], None)
    listener.offer(Batch([output] * 40, None))
    assert listener.waiting_bytes == 40 << 20  # one commit, however large, to a listener that had kept up
    listener.offer(piece)
    assert listener.waiting_bytes == 0
    listener.offer(piece)
    with pytest.raises(Lagging):
        _ = [outputs async for outputs in listener.batches()]


async def count_often(service: Service) -> None:
    """Count 300 rows thirty times."""
    for batch in range(1, 31):
        told = [event("stock.counted", THEN + batch, sku=f"S-{n}", location="L" * 64, qty=batch) for n in range(300)]
        await service.submit(told)


async def test_a_slow_reader_who_lets_the_engine_conflate_misses_nothing_and_is_not_cut_off(
    monkeypatch: pytest.MonkeyPatch, waiting: list[int]
) -> None:
    monkeypatch.setattr(stream, "STALL_SECONDS", 600.0)
    monkeypatch.setattr(subscription, "SUBSCRIPTION_BYTES", 64 * KIB)
    monkeypatch.setattr(subscription, "RECENT_BYTES", 0)
    bus = MemoryBus(1)
    service = Service(bus, Rules(clock="log"))
    service.start()
    context = Context(service, listed(bus), Intake(Limits(1 << 20)), Telemetry(figures))
    async with server.serving(server.application(context), server.bind("127.0.0.1", 0)) as url:
        client = reader_of(int(url.rsplit(":", 1)[1]), query=b"?tables=positions&conflate=true")
        async with asyncio.timeout(SECONDS):
            while not service.broadcaster.subscriptions:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        await count_often(service)
        assert 0 < max(waiting) <= 64 * KIB + 300 * 1024
        client.setblocking(False)
        text, loop = b"", asyncio.get_running_loop()
        async with asyncio.timeout(SECONDS):
            while any(b'"sku":"S-%d","location":"%b","available":30,' % (n, b"L" * 64) not in text for n in range(300)):
                text += await loop.sock_recv(client, 256 * KIB)
        assert b'event: conflated\ndata: {"left_out": ' in text
        assert text.count(b"event: position.changed") < 30 * 300
        client.close()
    await asyncio.to_thread(service.stop)
