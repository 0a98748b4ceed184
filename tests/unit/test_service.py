"""When the engine takes events, when it is behind, and what a caller finds that has its answer."""

import asyncio
import time

import pytest

from engine.bus.memory.bus import MemoryBus
from engine.bus.point import Point
from engine.core.errors import Busy
from engine.core.topics import POSITIONS
from engine.runtime.single.engine import Engine
from engine.runtime.single.group_commit import WAITING_EVENTS
from engine.runtime.single.service import Service
from tests.unit.test_feeds import event

THEN = 1_700_000_000_000_000


async def test_what_waits_decides_whether_the_engine_is_behind_not_how_much_comes() -> None:
    service = Service(MemoryBus(1))  # It was not started, so that all waits.
    longest = asyncio.create_task(service.submit([b"{}"] * (2 * WAITING_EVENTS)))
    await asyncio.sleep(0)
    assert not longest.done()
    with pytest.raises(Busy, match="more events are waiting"):
        await service.submit([b"{}"])
    longest.cancel()
    with pytest.raises(asyncio.CancelledError):
        await longest
    shorter = asyncio.create_task(service.submit([b"{}"]))
    await asyncio.sleep(0)
    assert not shorter.done()
    shorter.cancel()


async def test_a_stream_that_is_opened_after_an_answer_begins_behind_what_was_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    point = Engine.point

    def late(engine: Engine) -> Point:
        # Another thread takes the processor here, while the engine's has committed and not published.
        time.sleep(0.05)
        return point(engine)

    monkeypatch.setattr(Engine, "point", late)
    service = Service(MemoryBus(1))
    service.start()
    try:
        await service.submit([event("stock.counted", THEN, sku="BEFORE", location="L", qty=1)])
        batches = (await service.subscribe(frozenset({POSITIONS.name}))).batches()
        assert (await anext(batches)).outputs == ()
        await service.submit([event("stock.counted", THEN, sku="BEHIND", location="L", qty=1)])
        async with asyncio.timeout(60):
            assert [output.key for output in (await anext(batches)).outputs] == ["BEHIND\0L"]
    finally:
        service.stop()
