"""Real HTTP servers for tests of webhooks: an engine that lists and streams its rows, and a subscriber with faults."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from random import Random
from typing import Any, Self

from aiohttp import web

from connectors.base import Submission
from connectors.webhook.signing import HEADER, Message, Verifier

SECRET = "a secret of tests"


class Served:
    """A server on a free port of this machine while it is entered."""

    def __init__(self) -> None:
        self.app = web.Application()
        self.url = ""
        self._ends = AsyncExitStack()

    async def __aenter__(self) -> Self:
        runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        self._ends.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._ends.aclose()


class FarEngine(Served):
    """What of an engine a sink asks: lists, single rows, the live stream, and the id of the log."""

    def __init__(self) -> None:
        super().__init__()
        self.log = "log-1"
        self.posted: list[dict[str, Any]] = []
        self.tables: dict[str, dict[str, dict[str, Any]]] = {"positions": {}, "signals": {}, "alerts": {}}
        self._streams: set[asyncio.Queue[bytes | None]] = set()
        self.app.router.add_get("/v1/stream", self._stream)
        self.app.router.add_get("/v1/sync", self._sync)
        self.app.router.add_get("/v1/positions/{sku}/{location}", self._row)
        self.app.router.add_get("/v1/{table}", self._list)
        self.app.router.add_post("/v1/events", self._events)
        self.app.on_shutdown.append(lambda _: self.cut())

    def position(self, sku: str, version: int, location: str = "LDS") -> None:
        row = {
            "sku": sku,
            "location": location,
            "position": version,
            "version": version,
            "updated": "2026-03-02T00:00:00Z",
        }
        self._changed("positions", f"{sku}/{location}", "position.changed", row)

    def alert(self, name: str, status: str, updated: str) -> None:
        row = {"id": name, "kind": "negative_stock", "sku": "A", "location": "LDS", "status": status,
               "opened": "2026-03-02T00:00:00Z", "updated": updated}  # fmt: skip
        self._changed("alerts", name, "alert.updated", row)

    def signal(self, name: str, status: str, revision: int) -> None:
        row = {"id": name, "sku": "A", "location": "LDS", "status": status, "revision": revision,
               "updated": "2026-03-02T00:00:00Z"}  # fmt: skip
        self._changed("signals", name, "signal.amended", row)

    def _changed(self, table: str, key: str, kind: str, row: dict[str, Any]) -> None:
        self.tables[table][key] = row
        for stream in self._streams:
            stream.put_nowait(f"event: {kind}\ndata: {json.dumps({'type': kind, 'data': row})}\n\n".encode())

    async def cut(self) -> None:
        """End every stream."""
        for stream in self._streams:
            stream.put_nowait(None)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        stream: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._streams.add(stream)
        try:
            await response.write(b": every change from here on\n\n")
            while (piece := await stream.get()) is not None:
                await response.write(piece)
        except ConnectionError:
            pass  # The reader has gone.
        finally:
            self._streams.discard(stream)
        return response

    async def _sync(self, _: web.Request) -> web.Response:
        return web.json_response({"accepted": 0, "applied": 0, "lag": 0, "log": self.log})

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"items": list(self.tables[request.match_info["table"]].values()), "next": None})

    async def _row(self, request: web.Request) -> web.Response:
        row = self.tables["positions"]["{sku}/{location}".format(**request.match_info)]
        days = [{"date": f"2026-03-0{day}", "projected": 5, "atp": atp} for day, atp in ((2, 5), (3, 5), (4, 9))]
        return web.json_response(row | {"as_of": "2026-03-02T01:00:00Z", "projection": days})

    async def _events(self, request: web.Request) -> web.Response:
        lines = (await request.read()).splitlines()
        self.posted += [json.loads(line) for line in lines]
        return web.json_response({"accepted": len(lines), "refused": [], "duplicates": 0})


Fault = str
"""A status, `redirect`, `reset`; `slow` or `lost`: taken, but the answer comes too late or not at all; empty: none."""


class FarSubscriber(Served):
    """Takes notifications, keeps those that it has taken, and fails as `fault` says at each call."""

    def __init__(self, fault: Callable[[], Fault] = str) -> None:
        super().__init__()
        self.fault = fault
        self.taken: list[dict[str, Any]] = []
        self.calls = 0
        self.verifier = Verifier({"k1": SECRET}, 300)
        self.app.router.add_post("/hook", self._hook)

    @property
    def hook(self) -> str:
        return f"{self.url}/hook"

    async def _hook(self, request: web.Request) -> web.StreamResponse:
        body, fault = await request.read(), self.fault()
        self.calls += 1
        self.verifier.check(request.headers.get(HEADER), Message({}, body), time.time())
        assert request.content_type == "application/cloudevents+json"
        if fault == "redirect":
            raise web.HTTPFound("/hook")
        if fault.isdigit():
            return web.Response(status=int(fault), headers={"Retry-After": "0"})
        if fault != "reset":
            self.taken.append(json.loads(body))
        if fault == "slow":
            await asyncio.sleep(0.4)
        if fault in ("reset", "lost"):
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=204)

    def versions(self, key: str) -> list[int]:
        """The versions of a position, in the order in which they were taken."""
        return [each["data"]["version"] for each in self.taken if each["id"].startswith(f"{key}/")]


def drawn(seed: int, faults: Sequence[Fault], share: float) -> Callable[[], Fault]:
    """Faults drawn by a seed."""
    random = Random(seed)
    return lambda: random.choice(faults) if random.random() < share else ""


class Kept:
    """An `EventSink` that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[bytes] = []

    async def log_id(self) -> str | None:
        return "log-1"

    async def post_events(self, events: Sequence[bytes]) -> Submission:
        self.events += events
        return Submission(len(events), (), 0)
