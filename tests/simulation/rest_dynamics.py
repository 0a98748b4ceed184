"""The shop in the shape of Dynamics' OData, made by the published interface as far as the example profile uses it."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.simulation.rest_faces import Face, Faults, Handler, name_of
from tests.simulation.rest_shop import ITEMS, LOCATIONS, SUPPLIERS, Line, Move, Refused, Shop

SECRET = "secret-of-the-dynamics"
_TYPES = {"in": "Purchase", "out": "Sale", "return": "Sale", "more": "Positive Adjmt.", "less": "Negative Adjmt."}
_STATES = {"draft": "Draft", "ordered": "Open", "cancel": "Canceled"}


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
