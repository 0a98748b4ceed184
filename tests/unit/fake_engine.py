"""An HTTP server with the calls that the connectors use, and just enough of an engine behind it to close the loop.

It keeps available stock and open orders per row and answers with signals for the two plain policies.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from aiohttp import web

from engine.core.events import decode, identity, type_name
from engine.core.outcomes import Rejection


class FakeEngine:
    def __init__(self) -> None:
        self.posts: list[list[bytes]] = []
        self.answers: list[web.Response] = []
        self.events: dict[bytes, bytes] = {}
        self.by_type: Counter[str] = Counter()
        self.duplicates = 0
        self.letters: Counter[str] = Counter()
        self.signals: dict[str, dict[str, Any]] = {}
        self.stock: Counter[tuple[str, str]] = Counter()
        self.on_order: dict[tuple[str, int], tuple[tuple[str, str], int]] = {}
        self.policies: dict[tuple[str, str], Any] = {}
        self.cases: dict[str, int] = {}
        self.log: str | None = uuid4().hex
        self.url = ""

    async def post(self, request: web.Request) -> web.Response:
        if self.answers:
            return self.answers.pop(0)
        lines = (await request.read()).splitlines()
        self.posts.append(lines)
        refused = []
        for index, line in enumerate(lines):
            reason = self.take(line)
            if reason:
                self.letters[reason] += 1
                refused.append({"index": index, "id": None, "reason": reason})
        return web.json_response({"accepted": len(lines) - len(refused), "refused": refused}, status=202)

    def take(self, line: bytes) -> str | None:
        event = decode(line)
        if isinstance(event, Rejection):
            return event.reason
        if identity(event) in self.events:
            same = self.events[identity(event)] == line
            self.duplicates += same
            return None if same else "conflict"
        body = json.loads(line)
        if body["data"].get("uom") not in (None, "each", "case"):
            return "unknown_unit"
        self.events[identity(event)] = line
        self.by_type[type_name(event)] += 1
        self.apply(type_name(event), body["data"])
        return None

    def apply(self, kind: str, data: dict[str, Any]) -> None:
        row = (data.get("sku", ""), data.get("location") or data.get("to", ""))
        factor = self.cases.get(row[0], 1) if data.get("uom") == "case" else 1
        line = (data.get("order", ""), 1)
        if kind == "item.defined":
            self.cases[row[0]] = data.get("units", {}).get("case", 1)
        elif kind == "policy.set":
            self.policies[row] = data["policy"]
        elif kind == "stock.counted":
            self.stock[row] = data["qty"]
        elif kind == "stock.issued":
            self.stock[row] -= data["qty"]
        elif kind == "goods.received":
            self.stock[row] += data["qty"] * factor
            self.on_order.pop(line, None)
        elif kind == "order.placed":
            self.on_order[line] = (row, data["qty"] * factor)
        elif kind.startswith("signal."):
            self.signals[data["signal"]]["status"] = kind.removeprefix("signal.")

    async def signals_list(self, request: web.Request) -> web.Response:
        waiting = {s["sku"] + s["location"] for s in self.signals.values() if s["status"] in ("open", "accepted")}
        coming: Counter[tuple[str, str]] = Counter()
        for row, qty in self.on_order.values():
            coming[row] += qty
        for row, policy in self.policies.items():
            point, position = policy.get("min", policy.get("point", -1)), self.stock[row] + coming[row]
            if position <= point and row[0] + row[1] not in waiting:
                ident = f"sig-{len(self.signals)}"
                self.signals[ident] = {
                    "id": ident, "sku": row[0], "location": row[1], "status": "open", "revision": 1,
                    "disposition": "review" if len(self.signals) % 7 == 0 else "auto", "reasons": [],
                    "qty": max(policy.get("max", 0) - position, policy.get("qty", 1)), "due": None, "supplier": None,
                }  # fmt: skip
        wanted = request.query.get("status")
        return page([s for s in self.signals.values() if wanted in (None, s["status"])], request)

    async def kpis(self, request: web.Request) -> web.Response:
        return web.json_response(
            {"events": self.by_type, "duplicates": self.duplicates, "dead_letters": self.letters,
             "signals": {"amended": {"review": 3}},
             "alerts": {}, "rows": len(self.stock)}
        )  # fmt: skip

    async def sync(self, request: web.Request) -> web.Response:
        return web.json_response({"accepted": len(self.events), "applied": len(self.events), "lag": 0, "log": self.log})

    async def nothing(self, request: web.Request) -> web.Response:
        return page([], request)


def page(items: list[Any], request: web.Request) -> web.Response:
    """Pages of at most 50, so that following them is needed."""
    start = int(request.query.get("cursor", 0))
    part = items[start : start + 50]
    following = str(start + 50) if start + 50 < len(items) else None
    return web.json_response({"items": part, "next": following, "total": len(items)})


@asynccontextmanager
async def fake_engine() -> AsyncIterator[FakeEngine]:
    engine = FakeEngine()
    app = web.Application(client_max_size=1 << 28)
    app.router.add_post("/v1/events", engine.post)
    app.router.add_get("/v1/signals", engine.signals_list)
    app.router.add_get("/v1/kpis", engine.kpis)
    app.router.add_get("/v1/sync", engine.sync)
    app.router.add_get("/v1/alerts", engine.nothing)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    engine.url = f"http://{host}:{port}"
    try:
        yield engine
    finally:
        await runner.cleanup()
