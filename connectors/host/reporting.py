"""Tells the engine how a connector is, so that `/v1/connectors`, its metrics and `connectors status` show it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from connectors.client import EngineClient
from connectors.host.health import Health

EVERY_SECONDS = 10.0
LOOK_SECONDS = 0.5


@asynccontextmanager
async def reporting(health: Health, engine: EngineClient) -> AsyncIterator[None]:
    """Report a connector while the block lasts: regularly, soon after a change of its status, and once at the end.

    A report that the engine does not take is dropped: the next one says the same.
    """
    regularly = asyncio.create_task(_regularly(health, engine))
    try:
        yield
    finally:
        regularly.cancel()
        with suppress(asyncio.CancelledError):
            await regularly
        await _tell(health, engine)


async def _regularly(health: Health, engine: EngineClient) -> None:
    loop = asyncio.get_running_loop()
    told, at = None, 0.0
    while True:
        shown = (health.status, *health.parts)
        if shown != told or loop.time() - at >= EVERY_SECONDS:
            told, at = shown, loop.time()
            await _tell(health, engine)
        await asyncio.sleep(LOOK_SECONDS)


async def _tell(health: Health, engine: EngineClient) -> None:
    await engine.report_connector(health.profile.name, {**health.report(), "every_seconds": EVERY_SECONDS})
