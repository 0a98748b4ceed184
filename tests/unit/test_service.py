"""When the engine takes events, and when it is behind."""

import asyncio

import pytest

from engine.bus.memory.bus import MemoryBus
from engine.core.errors import Busy
from engine.runtime.single.group_commit import WAITING_EVENTS
from engine.runtime.single.service import Service


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
