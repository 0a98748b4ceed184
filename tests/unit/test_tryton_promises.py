"""The sink of promises against an ERP and an engine of a few records: what is written, once, and what is refused."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from connectors.client import EngineClient
from connectors.tryton.places import Warehouse
from connectors.tryton.promise_sink import LINE, MOVE, PromiseSink
from connectors.tryton.wire import TrytonChanged, TrytonRefused
from connectors.tryton.world import Erp
from tests.unit.test_tryton_orders import ours
from tests.unit.test_tryton_translation import UNITS

UNIT, CASE = 1, 5
ROW = {
    "id": 9, "product": 2, "product.": {"code": "TEA", "default_uom": UNIT},
    "purchase.": {"number": "PO5", "warehouse": 3, "party.": {"code": "BETA"}},
}  # fmt: skip


class Client:
    """Tryton with the moves of one line; `fails` is what the next write raises."""

    company = 1

    def __init__(self) -> None:
        self.moves = [self.move(1, 5, date(2026, 4, 1))]
        self.fails: TrytonRefused | None = None
        self.written: list[Any] = []

    @staticmethod
    def move(number: int, cases: int, planned: date) -> dict[str, Any]:
        return {
            "id": number, "origin": f"{LINE},9", "quantity": Decimal(cases), "unit": CASE, "planned_date": planned,
            "product.": {"default_uom": UNIT}, "shipment": None, "state": "draft",
        }  # fmt: skip

    async def search_read(self, model: str, *_: Any) -> list[dict[str, Any]]:
        assert model == MOVE
        return self.moves

    async def call(self, method: str, *params: Any) -> None:
        assert method == f"model.{LINE}.write"
        if self.fails is not None:
            raise self.fails
        self.written.append(params)


class Shop:
    """The sink over a client, and what the engine says of the line."""

    def __init__(self) -> None:
        self.client = Client()
        self.known: dict[str, Any] = {
            "order": "PO5", "line": "9", "ordered": 60, "received": 0, "promised": 60, "on_order": 60, "in_transit": 0,
            "acknowledged": [], "shipments": {},
        }  # fmt: skip
        self.position: dict[str, Any] | None = None
        self.sink = PromiseSink(cast(Erp, self))

    async def world(self) -> Any:
        places = SimpleNamespace(warehouses={3: Warehouse(3, "NORTH", "North")})
        return SimpleNamespace(units=UNITS, naming=SimpleNamespace(ours=ours), places=places)

    async def by_id(self, *_: Any) -> dict[int, dict[str, Any]]:
        return {9: ROW}

    async def get(self, path: str) -> Any:
        assert path == "/v1/positions/TEA/NORTH"
        return {"orders": [self.known]}

    def say(self, *schedule: tuple[int, str]) -> None:
        self.known["acknowledged"] = [{"status": "accepted", "qty": qty, "due": day} for qty, day in schedule]

    async def round(self) -> list[Any]:
        """A round; returns the records that were refused."""
        refused: list[Any] = []
        async for batch in self.sink.pass_on(cast(EngineClient, self), self.position):
            refused += batch.untranslated
            self.position = json.loads(json.dumps(batch.position))
        return refused


@pytest.fixture
def shop() -> Shop:
    return Shop()


async def test_a_statement_is_written_once_in_the_unit_of_the_move(shop: Shop) -> None:
    assert await shop.round() == []
    assert shop.client.written == [], "the supplier has said nothing"
    shop.say((24, "2026-04-03"), (36, "2026-04-09"))
    for _ in range(3):
        assert await shop.round() == []
    first = {"quantity": 2, "unit": CASE, "planned_date": date(2026, 4, 3)}
    second = {"quantity": 3, "unit": CASE, "planned_date": date(2026, 4, 9)}
    assert shop.client.written == [([9], {"moves": [["write", [1], first], ["copy", [1], second]]})]
    shop.position = None
    shop.client.moves = [shop.client.move(1, 2, date(2026, 4, 3)), shop.client.move(2, 3, date(2026, 4, 9))]
    await shop.round()
    assert len(shop.client.written) == 1, "what is there is found, whatever was forgotten"


async def test_a_line_waits_while_the_two_differ_in_what_has_come(shop: Shop) -> None:
    shop.say((60, "2026-04-03"))
    shop.client.moves = [shop.client.move(1, 2, date(2026, 4, 1))]
    await shop.round()
    assert (shop.client.written, shop.position) == ([], {"lines": {}})
    shop.known |= {"received": 36, "on_order": 24}
    await shop.round()
    assert len(shop.client.written) == 1


async def test_what_is_refused_is_said_once_and_a_collision_is_tried_again(shop: Shop) -> None:
    shop.say((60, "2026-04-03"))
    shop.client.fails = TrytonChanged("ConcurrencyException", "modified in the meanwhile")
    assert (await shop.round(), shop.position) == ([], {"lines": {}})
    shop.client.fails = TrytonRefused("UserError", "the period is closed")
    (refused,) = await shop.round()
    assert (refused.place, refused.reason) == ("purchase.line 9 of the order PO5", "untranslatable")
    assert "the period is closed" in refused.detail
    assert await shop.round() == [], "a dead letter of it is there"
    shop.client.fails = None
    shop.say((60, "2026-04-05"))
    assert await shop.round() == []
    assert len(shop.client.written) == 1, "the next statement is tried anew"
