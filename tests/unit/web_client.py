"""A running server over the service in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiohttp import ClientSession

from engine.runtime.commits import CommitCounts
from engine.telemetry import Figures, Telemetry
from engine.telemetry.fold import Business, Open
from engine.web import server
from engine.web.bodies import Intake, Limits
from engine.web.ports import Context
from tests.unit.fake_service import FakeService

SECONDS = 120.0


class Site(NamedTuple):
    url: str
    port: int
    service: FakeService
    client: ClientSession
    context: Context


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what nobody tells of."""
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


def figures() -> Figures:
    return Figures(1, 1, {"applied": 2, "duplicate": 1}, {}, Business(Open({}, {}), []), CommitCounts().figures())


@asynccontextmanager
async def site(limits: Limits | None = None) -> AsyncIterator[Site]:
    service = FakeService()
    context = Context(service, service.columns, Intake(limits or Limits(16 * 1024 * 1024)), Telemetry(figures))
    async with (
        server.serving(server.application(context), server.bind("127.0.0.1", 0)) as url,
        ClientSession(url) as client,
    ):
        yield Site(url, int(url.rsplit(":", 1)[1]), service, client, context)
