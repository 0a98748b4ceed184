"""The shop in the shape of Odoo's JSON-RPC, made by the published interface as far as the example profile uses it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.simulation.rest_faces import Face, name_of
from tests.simulation.rest_shop import ITEMS, LOCATIONS, SUPPLIERS, UNKNOWN, Line, Move, Refused

KEY = "key-of-the-odoo"
_USAGES = {
    "in": ("supplier", "internal"), "out": ("internal", "customer"), "return": ("customer", "internal"),
    "more": ("inventory", "internal"), "less": ("internal", "inventory"),
}  # fmt: skip


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
    match operator:
        case ">=":
            return bool(value >= wanted)
        case ">":
            return bool(value > wanted)
        case "in":
            return value in wanted
        case "like":
            return wanted in value
    return bool(value == wanted)


def line(given: dict[str, Any]) -> dict[str, Any]:
    return {"sku": name_of(ITEMS, given["product_id"]), "qty": given["product_qty"], "text": given["name"]}
