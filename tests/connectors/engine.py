"""An engine of a few lines for tests of connectors: a log over HTTP that knows events again, and keeps dead letters."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from aiohttp import web

from connectors.host.refused import TYPE
from engine.core.events import decode
from engine.core.outcomes import Rejection


class LogOfEvents:
    """Events by source and id, in the order of their arrival; a conflict or an invalid event is in `refused`."""

    def __init__(self) -> None:
        self.url = ""
        self.begin_anew()
        self.lag = 0
        self.away = False
        self.signals: list[dict[str, Any]] = []
        self.reports: dict[str, dict[str, Any]] = {}
        self.syncs = 0

    def begin_anew(self) -> None:
        """Another log takes the place of this one."""
        self.log = uuid4().hex
        self.events: dict[tuple[str, str], dict[str, Any]] = {}
        self.letters: list[dict[str, Any]] = []
        self.refused: list[tuple[str, dict[str, Any]]] = []
        self.duplicates = 0

    @property
    def content(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What is in the log, without the records that were refused."""
        return {name: event for name, event in self.events.items() if event["type"] != TYPE}

    @property
    def by_type(self) -> Counter[str]:
        return Counter(event["type"] for event in self.events.values())

    def take(self, line: bytes) -> str | None:
        """The reason why an event is refused; a duplicate is counted, and a refused record is a dead letter."""
        event = json.loads(line)
        if event["type"] != TYPE and isinstance(found := decode(line), Rejection):
            return f"{found.reason}: {found.detail}"
        name = (event["source"], event["id"])
        if (known := self.events.setdefault(name, event)) is not event:
            self.duplicates += known == event
            return None if known == event else "conflict"
        if event["type"] == TYPE:
            letter = {"id": str(len(self.letters)), "raw": line.decode(), "event_source": event["source"]}
            self.letters.append(letter)
        return None

    async def post(self, request: web.Request) -> web.Response:
        known, refused = self.duplicates, []
        lines = (await request.read()).splitlines()
        for index, line in enumerate(lines):
            if (reason := self.take(line)) is not None:
                self.refused.append((reason, json.loads(line)))
                refused.append({"index": index, "id": None, "reason": reason})
        taken = {"accepted": len(lines) - len(refused), "refused": refused, "duplicates": self.duplicates - known}
        return web.json_response(taken, status=202)

    async def sync(self, request: web.Request) -> web.Response:
        self.syncs += 1
        size = len(self.events)
        return web.json_response({"accepted": size + self.lag, "applied": size, "lag": self.lag, "log": self.log})

    async def list_letters(self, request: web.Request) -> web.Response:
        source = request.query.get("event_source")
        return _page([each for each in self.letters if source in (None, each["event_source"])])

    async def list_signals(self, request: web.Request) -> web.Response:
        return _page(self.signals)

    async def report(self, request: web.Request) -> web.Response:
        self.reports[request.match_info["name"]] = await request.json()
        return web.json_response({})

    async def ready(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})


def _page(items: list[dict[str, Any]]) -> web.Response:
    return web.json_response({"items": items, "next": None, "total": len(items)})


@web.middleware
async def _away(request: web.Request, handler: Any) -> web.StreamResponse:
    log: LogOfEvents = request.app[_LOG]
    if log.away:
        assert request.transport is not None
        request.transport.close()
    answer: web.StreamResponse = await handler(request)
    return answer


_LOG = web.AppKey("log", LogOfEvents)


@asynccontextmanager
async def log_of_events() -> AsyncIterator[LogOfEvents]:
    """A log that listens on a free port."""
    log = LogOfEvents()
    app = web.Application(client_max_size=1 << 26, middlewares=[_away])
    app[_LOG] = log
    app.router.add_post("/v1/events", log.post)
    app.router.add_get("/v1/sync", log.sync)
    app.router.add_get("/v1/dead-letters", log.list_letters)
    app.router.add_get("/v1/signals", log.list_signals)
    app.router.add_put("/v1/connectors/{name}", log.report)
    app.router.add_get("/readyz", log.ready)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    log.url = f"http://{host}:{port}"
    try:
        yield log
    finally:
        await runner.cleanup()
