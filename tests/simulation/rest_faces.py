"""The shop behind HTTP, in two shapes: Odoo's JSON-RPC and Dynamics' OData; with faults that are drawn at every call.

They are made by the published interfaces, as far as the two example profiles use them. Neither is a real system.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.simulation.rest_shop import ITEMS, LOCATIONS, SUPPLIERS, UNKNOWN, Line, Move, Refused, Shop

KEY = "key-of-the-odoo"
SECRET = "secret-of-the-dynamics"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_USAGES = {
    "in": ("supplier", "internal"), "out": ("internal", "customer"), "return": ("customer", "internal"),
    "more": ("inventory", "internal"), "less": ("internal", "inventory"),
}  # fmt: skip
_TYPES = {"in": "Purchase", "out": "Sale", "return": "Sale", "more": "Positive Adjmt.", "less": "Negative Adjmt."}
_STATES = {"draft": "Draft", "ordered": "Open", "cancel": "Canceled"}


@dataclass
class Faults:
    """How likely each of the faults is at a call; `slow` takes longer than the client waits."""

    each: float = 0.0
    slow: float = 0.0


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

    def expire(self) -> None:
        """A token ends before its time, where there is one."""

    def page(self, rows: list[Any]) -> list[Any]:
        """Sometimes the page that was given before, of whatever list it was of the same kind."""
        if self.shop.draw.random() < self.faults.each and self.page_before:
            found: list[Any] = json.loads(self.page_before)
            return found
        self.page_before = json.dumps(rows).encode()
        return rows


class OdooFace(Face):
    """`POST /jsonrpc` with `execute_kw`."""

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.fate])
        app.router.add_post("/jsonrpc", self.rpc)
        return app

    async def rpc(self, request: web.Request) -> web.Response:
        asked = await request.json()
        database, uid, key, model, method, arguments, *keywords = asked["params"]["args"]
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": None}
        if (database, uid, key) != ("production", 2, KEY):
            return web.json_response(answer | {"error": {"code": 200, "data": {"message": "Access Denied"}}})
        try:
            result = self.execute(model, method, arguments, keywords[0] if keywords else {})
        except Refused as refused:
            data = {"name": "odoo.exceptions.UserError", "message": str(refused)}
            return web.json_response(answer | {"error": {"code": 200, "message": "Odoo Server Error", "data": data}})
        return web.json_response(answer | {"result": result})

    def execute(self, model: str, method: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        if method == "search_read":
            rows = [self.move(move) for move in self.shop.moves]
            rows = rows if model == "stock.move" else [self.line(line) for line in self.shop.lines()]
            found = [row for row in rows if all(holds(row, condition) for condition in arguments[0])]
            found.sort(key=lambda row: [row[name.split()[0]] for name in keywords.get("order", "id").split(", ")])
            start, limit = keywords.get("offset", 0), keywords.get("limit", len(found))
            part = found[start : start + limit]
            return self.page(part) if model == "stock.move" else part
        getattr(self, method)(model, *arguments)
        return True

    def create(self, model: str, given: Any) -> None:
        if model == "purchase.order":
            lines = [line(each[2]) for each in given["order_line"]]
            self.shop.create(name_of(SUPPLIERS, given["partner_id"]), name_of(LOCATIONS, given["x_location"]), lines)
        else:
            order = self.shop.order(given[0]["order_id"])
            for each in given:
                self.shop.add(order, **line(each))

    def write(self, _: str, ids: list[int], given: dict[str, Any]) -> None:
        self.shop.change(self.shop.line(ids[0]), given["product_qty"], given["name"])

    def unlink(self, _: str, ids: list[int]) -> None:
        self.shop.remove(self.shop.line(ids[0]))

    def button_cancel(self, _: str, ids: list[int]) -> None:
        self.shop.order(ids[0]).state = "cancel"

    def move(self, move: Move) -> dict[str, Any]:
        of, to = _USAGES[move.kind]
        place = [LOCATIONS[move.location], f"{move.location}/Stock"]
        return {
            "id": move.id, "product_id": [ITEMS.get(move.sku, UNKNOWN), move.sku], "quantity": float(move.qty),
            "location_id": place, "location_dest_id": place, "location_usage": of, "location_dest_usage": to,
            "reference": f"WH/{move.id}", "date": f"{move.booked:%Y-%m-%d %H:%M:%S}",
            "write_date": f"{move.changed:%Y-%m-%d %H:%M:%S}", "state": "done" if move.done else "draft",
        }  # fmt: skip

    def line(self, line: Line) -> dict[str, Any]:
        order = line.order
        return {
            "id": line.id, "name": line.text, "order_id": [order.id, f"P{order.id:05}"],
            "state": {"ordered": "purchase"}.get(order.state, order.state), "product_qty": float(line.qty),
            "partner_id": [SUPPLIERS[order.supplier], order.supplier], "x_location": str(LOCATIONS[order.location]),
        }  # fmt: skip


def holds(row: dict[str, Any], condition: list[Any]) -> bool:
    name, operator, wanted = condition
    value = row[name][0] if isinstance(row[name], list) else row[name]
    tests: dict[str, Callable[[], bool]] = {
        ">=": lambda: value >= wanted, ">": lambda: value > wanted, "=": lambda: value == wanted,
        "in": lambda: value in wanted, "like": lambda: wanted in value,
    }  # fmt: skip
    return bool(tests[operator]())


def line(given: dict[str, Any]) -> dict[str, Any]:
    return {"sku": name_of(ITEMS, given["product_id"]), "qty": given["product_qty"], "text": given["name"]}


def name_of(numbers: dict[str, int], number: object) -> str:
    for name, found in numbers.items():
        if str(found) == str(number):
            return name
    raise Refused(f"there is no {number}")


class DynamicsFace(Face):
    """OData with entity tags, OAuth 2.0 and idempotency keys."""

    def __init__(self, shop: Shop, faults: Faults) -> None:
        super().__init__(shop, faults)
        self.token = secrets.token_hex()
        self.answered: dict[str, web.Response] = {}
        self.tokens = 0

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.fate, self.let_in, self.once])
        app.router.add_post("/token", self.give_token)
        company = "/v2.0/companies(7)"
        app.router.add_get(f"{company}/itemLedgerEntries", self.entries)
        app.router.add_get(f"{company}/purchaseOrderLines", self.lines)
        app.router.add_post(f"{company}/purchaseOrders", self.create)
        app.router.add_delete(f"{company}/purchaseOrders({{order}})", self.delete)
        app.router.add_post(f"{company}/purchaseOrders({{order}})/purchaseOrderLines", self.add)
        app.router.add_patch(f"{company}/purchaseOrderLines({{line}})", self.change)
        app.router.add_delete(f"{company}/purchaseOrderLines({{line}})", self.remove)
        return app

    def expire(self) -> None:
        self.token = secrets.token_hex()

    async def give_token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if (form["grant_type"], form["client_id"], form["client_secret"]) != (
            "client_credentials",
            "stockline",
            SECRET,
        ):
            return web.json_response({"error": "invalid_client"}, status=401)
        self.tokens += 1
        return web.json_response({"access_token": self.token, "expires_in": 3600, "token_type": "Bearer"})

    @web.middleware
    async def let_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != "/token" and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"error": {"code": "Unauthorized", "message": "expired"}}, status=401)
        try:
            return await handler(request)
        except Refused as refused:
            return web.json_response({"error": {"code": "BadRequest", "message": str(refused)}}, status=400)

    @web.middleware
    async def once(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The same idempotency key gives the same answer again, and does nothing."""
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return await handler(request)
        if key not in self.answered:
            response = await handler(request)
            assert isinstance(response, web.Response)
            self.answered[key] = response
        former = self.answered[key]
        return web.Response(status=former.status, body=former.body, content_type="application/json")

    async def entries(self, request: web.Request) -> web.Response:
        since = request.query["$filter"].removeprefix("lastModifiedDateTime ge ")
        rows = [self.entry(move) for move in self.shop.moves if move.done]
        rows = [row for row in rows if row["lastModifiedDateTime"] >= since]
        rows.sort(key=lambda row: (row["lastModifiedDateTime"], row["entryNumber"]))
        return self.part(request, rows, self.page)

    async def lines(self, request: web.Request) -> web.Response:
        asked = request.query["$filter"]
        rows = [self.row(line) for line in self.shop.lines()]
        if "status eq 'Draft'" in asked:
            rows = [row for row in rows if row["status"] == "Draft"]
        if found := re.search(r"contains\(description2,'(.*)'\)", asked):
            rows = [row for row in rows if found[1] in row["description2"]]
        if found := re.search(r"documentId eq '(.*)'", asked):
            rows = [row for row in rows if str(row["documentId"]) == found[1]]
        return self.part(request, rows, list)

    def part(self, request: web.Request, rows: list[Any], page: Callable[[list[Any]], list[Any]]) -> web.Response:
        start, top = int(request.query.get("$skiptoken", "0")), int(request.query["$top"])
        answer: dict[str, Any] = {"value": page(rows[start : start + top])}
        if start + top < len(rows):
            answer["@odata.nextLink"] = str(request.url.update_query({"$skiptoken": str(start + top)}))
        return web.json_response(answer)

    async def create(self, request: web.Request) -> web.Response:
        given = await request.json()
        lines = [line_of(each) for each in given["purchaseOrderLines"]]
        supplier, location = name_of(SUPPLIERS, given["vendorNumber"]), name_of(LOCATIONS, given["locationCode"])
        return web.json_response({"id": self.shop.create(supplier, location, lines).id}, status=201)

    async def add(self, request: web.Request) -> web.Response:
        order = self.shop.order(int(request.match_info["order"]))
        line = self.shop.add(order, **line_of(await request.json()))
        return web.json_response(self.row(line), status=201)

    async def change(self, request: web.Request) -> web.Response:
        line, given = self.tagged(request), line_of(await request.json())
        self.shop.change(line, given["qty"], given["text"])
        return web.json_response(self.row(line))

    async def remove(self, request: web.Request) -> web.Response:
        self.shop.remove(self.tagged(request))
        return web.Response(status=204)

    async def delete(self, request: web.Request) -> web.Response:
        order = self.shop.order(int(request.match_info["order"]))
        if order.lines:
            raise Refused("The order has lines.")
        self.shop.orders.remove(order)
        return web.Response(status=204)

    def tagged(self, request: web.Request) -> Line:
        line = self.shop.line(int(request.match_info["line"]))
        if request.headers["If-Match"] != f'W/"{line.version}"':
            raise web.HTTPPreconditionFailed(text=json.dumps({"error": {"message": "the entity was changed"}}))
        return line

    def entry(self, move: Move) -> dict[str, Any]:
        sign = -1 if move.kind in ("out", "less") else 1
        return {
            "entryNumber": move.id, "itemNumber": str(ITEMS[move.sku]), "locationCode": str(LOCATIONS[move.location]),
            "entryType": _TYPES[move.kind], "documentNumber": f"R{move.id}", "quantity": sign * move.qty,
            "postingTime": move.booked.isoformat(), "lastModifiedDateTime": f"{move.changed:%Y-%m-%dT%H:%M:%SZ}",
        }  # fmt: skip

    def row(self, line: Line) -> dict[str, Any]:
        order = line.order
        return {
            "@odata.etag": f'W/"{line.version}"', "id": line.id, "documentId": order.id, "sequence": line.id * 10,
            "documentNumber": f"PO{order.id}", "status": _STATES[order.state], "quantity": line.qty,
            "vendorNumber": str(SUPPLIERS[order.supplier]), "locationCode": str(LOCATIONS[order.location]),
            "description2": line.text, "itemNumber": str(ITEMS[line.sku]),
        }  # fmt: skip


def line_of(given: dict[str, Any]) -> dict[str, Any]:
    sku = name_of(ITEMS, given.get("itemNumber", next(iter(ITEMS.values()))))
    return {"sku": sku, "qty": given["quantity"], "text": given["description2"]}


@asynccontextmanager
async def served(face: OdooFace | DynamicsFace) -> AsyncIterator[None]:
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
