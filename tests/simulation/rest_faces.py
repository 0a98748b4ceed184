"""What the shop's two faces share: faults that are drawn at every call, and rows that change meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.simulation.rest_shop import Refused, Shop

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Faults:
    """How likely each of the faults is at a call; `slow` takes longer than the client waits.

    So many calls as `least` says fail before a world comes to rest, however many rounds that takes.
    """

    each: float = 0.0
    slow: float = 0.0
    least: int = 0


class Face:
    """What the two shapes share: faults, and rows that change at every call."""

    def __init__(self, shop: Shop, faults: Faults) -> None:
        self.shop, self.faults, self.url = shop, faults, ""
        self.page_before: bytes = b""
        self.calls = 0
        self.failed = 0
        self.is_away = False

    @web.middleware
    async def fate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The shop goes on with its work before and after each call; then the answer may be lost, in part or whole."""
        draw = self.shop.draw
        self.calls += 1
        if self.is_away:
            return web.Response(status=503)
        self.shop.live()
        fault = draw.choice(("500", "429", "reset", "expired")) if draw.random() < self.faults.each else ""
        self.failed += bool(fault)
        if fault == "500":
            return web.Response(status=500, text="<html>Internal Server Error</html>")
        if fault == "429":
            return web.Response(status=429, headers={"Retry-After": "0"})
        if fault == "reset":
            return self.cut(request)
        if fault == "expired":
            self.expire()
        response = await handler(request)
        self.shop.live()
        late = draw.choice(("500", "reset", "half", "half")) if draw.random() < self.faults.each else ""
        self.failed += bool(late)
        if draw.random() < self.faults.slow:
            await asyncio.sleep(1.0)
        if late == "500":
            return web.Response(status=502, text="Bad Gateway")
        if late == "reset":
            return self.cut(request)
        return await self.half(request, response) if late == "half" else response

    def cut(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def half(self, request: web.Request, whole: web.StreamResponse) -> web.StreamResponse:
        assert isinstance(whole, web.Response)
        body = whole.body if isinstance(whole.body, bytes) else b""
        response = web.StreamResponse(headers={"Content-Length": str(len(body)), "Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        return self.cut(request)

    def app(self) -> web.Application:
        """Its calls, each of which passes `fate`."""
        raise NotImplementedError

    def expire(self) -> None:
        """A token ends before its time, where there is one."""

    def page(self, rows: list[Any]) -> list[Any]:
        """Sometimes the page that was given before, of whatever list it was of the same kind."""
        if self.shop.draw.random() < self.faults.each and self.page_before:
            found: list[Any] = json.loads(self.page_before)
            return found
        self.page_before = json.dumps(rows).encode()
        return rows


def name_of(numbers: dict[str, int], number: object) -> str:
    for name, found in numbers.items():
        if str(found) == str(number):
            return name
    raise Refused(f"there is no {number}")


@asynccontextmanager
async def served(face: Face) -> AsyncIterator[None]:
    """The shop at a free port; `face.url` is its address."""
    runner = web.AppRunner(face.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    face.url = f"http://{host}:{port}"
    try:
        yield
    finally:
        await runner.cleanup()
