"""A stock move of Tryton as events: one row of the table for each pair of places, done and cancelled."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.tryton.moves import Effect, Move, OrderLine, cancelled, changes, done
from connectors.tryton.places import Place

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
RACK, OTHER_RACK = Place(1, "N-A1", "storage", "NORTH"), Place(2, "N-A2", "storage", "NORTH")
HELD, SOUTH = Place(3, "N-Q", "storage", "NORTH", True), Place(4, "S-A1", "storage", "SOUTH")
SOUTH_HELD = Place(10, "S-Q", "storage", "SOUTH", True)
TRANSIT, LOST = Place(5, "Transit", "storage"), Place(6, "Lost", "lost_found")
SUPPLIER, CUSTOMER, WORKS = Place(7, "SUP", "supplier"), Place(8, "CUS", "customer"), Place(9, "P1", "production")
ELSEWHERE = Place(11, "EAST", "other warehouse")
ROW = {"sku": "A", "location": "NORTH"}
LINE = {"order": "PO1", "line": 7}
LOST_REASON = "counted, lost or found"


def move(origin: Place, target: Place, **values: Any) -> Move:
    return replace(Move(17, "A", 5, origin, target, AT, document="S3"), **values)


DONE: list[tuple[str, Move, list[tuple[str, dict[str, Any]]]]] = [
    ("receipt", move(SUPPLIER, RACK), [("goods.received", {"receipt": "S3/17", **ROW, "qty": 5})]),
    ("receipt of a line", move(SUPPLIER, RACK, line=OrderLine("PO1", 7)),
     [("goods.received", {"receipt": "S3/17", **ROW, "qty": 5, **LINE})]),
    ("receipt into a held bin", move(SUPPLIER, HELD),
     [("goods.received", {"receipt": "S3/17", **ROW, "qty": 0, "held": 5})]),
    ("receipt without a shipment", move(SUPPLIER, RACK, document=None),
     [("goods.received", {"receipt": "17", **ROW, "qty": 5})]),
    ("issue", move(RACK, CUSTOMER), [("stock.issued", {**ROW, "qty": 5})]),
    ("issue from a held bin", move(HELD, CUSTOMER),
     [("stock.released", {**ROW, "qty": 5}), ("stock.issued", {**ROW, "qty": 5})]),
    ("customer's return", move(CUSTOMER, RACK), [("stock.returned", {**ROW, "qty": 5, "disposition": "available"})]),
    ("customer's return, held", move(CUSTOMER, HELD), [("stock.returned", {**ROW, "qty": 5, "disposition": "held"})]),
    ("return to the supplier", move(RACK, SUPPLIER, line=OrderLine("PO1", 7)),
     [("stock.returned_to_supplier", {**ROW, "qty": 5, **LINE})]),
    ("return of held goods", move(HELD, SUPPLIER),
     [("stock.returned_to_supplier", {**ROW, "qty": 5, "status": "held"})]),
    ("bin to bin", move(RACK, OTHER_RACK), []),
    ("into a held bin", move(RACK, HELD), [("stock.held", {**ROW, "qty": 5, "reason": "N-A1 to N-Q"})]),
    ("out of a held bin", move(HELD, RACK), [("stock.released", {**ROW, "qty": 5, "reason": "N-Q to N-A1"})]),
    ("to another warehouse", move(RACK, SOUTH),
     [("transfer.shipped", {"transfer": "S3/17", "sku": "A", "from": "NORTH", "to": "SOUTH", "qty": 5}),
      ("transfer.received", {"transfer": "S3/17", "sku": "A", "to": "SOUTH", "qty": 5})]),
    ("from held to held", move(HELD, SOUTH_HELD),
     [("stock.released", {**ROW, "qty": 5}),
      ("transfer.shipped", {"transfer": "S3/17", "sku": "A", "from": "NORTH", "to": "SOUTH", "qty": 5}),
      ("transfer.received", {"transfer": "S3/17", "sku": "A", "to": "SOUTH", "qty": 0, "held": 5})]),
    ("into transit", move(RACK, TRANSIT, route=("S3", "NORTH", "SOUTH")),
     [("transfer.shipped", {"transfer": "S3", "sku": "A", "from": "NORTH", "to": "SOUTH", "qty": 5})]),
    ("out of transit", move(TRANSIT, SOUTH, route=("S3", "NORTH", "SOUTH")),
     [("transfer.received", {"transfer": "S3", "sku": "A", "to": "SOUTH", "qty": 5})]),
    ("into transit, nobody knows where to", move(RACK, TRANSIT),
     [("stock.adjusted", {**ROW, "qty": -5, "reason": "storage: Transit"})]),
    ("found", move(LOST, RACK), [("stock.adjusted", {**ROW, "qty": 5, "reason": LOST_REASON})]),
    ("lost from a held bin", move(HELD, LOST),
     [("stock.adjusted", {**ROW, "qty": -5, "reason": LOST_REASON, "status": "held"})]),
    ("to production", move(RACK, WORKS), [("stock.adjusted", {**ROW, "qty": -5, "reason": "production: P1"})]),
    ("to a warehouse that is not followed", move(RACK, ELSEWHERE),
     [("stock.adjusted", {**ROW, "qty": -5, "reason": "other warehouse: EAST"})]),
    ("between others", move(SUPPLIER, CUSTOMER), []),
    ("nothing", move(SUPPLIER, RACK, qty=0), []),
]  # fmt: skip


def told(effects: list[Effect]) -> list[tuple[str, dict[str, Any]]]:
    return [(each.type, each.data) for each in effects]


@pytest.mark.parametrize(("made", "expected"), [row[1:] for row in DONE], ids=[row[0] for row in DONE])
def test_a_done_move_becomes_its_events(made: Move, expected: list[tuple[str, dict[str, Any]]]) -> None:
    effects = done(made)
    assert told(effects) == expected
    assert len({each.suffix for each in effects}) == len(effects), "each event of a move has an id of its own"


def effect(events: list[Effect]) -> Counter[tuple[str, str]]:
    """What events do to the balances and to the goods in transit, by the contract: written without the translation."""
    found: Counter[tuple[str, str]] = Counter()
    for each in events:
        data, qty = each.data, each.data["qty"]
        here: str = data["location"] if "location" in data else data["to"]
        held, status = data.get("held", 0), str(data.get("status", "available"))
        if each.type in ("goods.received", "transfer.received"):
            found[here, "available"] += qty
            found[here, "held"] += held
            found[here, "transit"] -= qty + held if each.type == "transfer.received" else 0
        elif each.type == "receipt.reversed":
            found[here, "available"] -= qty
            found[here, "held"] -= held
        elif each.type == "transfer.shipped":
            found[data["from"], "available"] -= qty
            found[here, "transit"] += qty
        elif each.type in ("stock.held", "stock.released"):
            sign = 1 if each.type == "stock.held" else -1
            found[here, "held"] += sign * qty
            found[here, "available"] -= sign * qty
        else:
            sign = {"stock.issued": -1, "stock.returned_to_supplier": -1}.get(each.type, 1)
            found[here, str(data.get("disposition", status))] += sign * qty
    return Counter({key: value for key, value in found.items() if value})


@pytest.mark.parametrize("made", [row[1] for row in DONE], ids=[row[0] for row in DONE])
def test_a_cancelled_move_takes_back_all_that_it_did(made: Move) -> None:
    undone = cancelled(made)
    assert effect([*done(made), *undone]) == Counter()
    assert len({each.suffix for each in undone}) == len(undone)


@pytest.mark.parametrize("made", [row[1] for row in DONE], ids=[row[0] for row in DONE])
def test_balances_are_added_up_as_the_events_add_them(made: Move) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    for each in changes(made):
        expected[each.location, "held" if each.is_held else "available"] += each.qty
    moved = {key: value for key, value in effect(done(made)).items() if key[1] != "transit"}
    assert moved == {key: value for key, value in expected.items() if value}


@pytest.mark.parametrize(("is_open", "reopens"), [(True, {"reopens_line": True}), (False, {})])
def test_a_reversed_receipt_opens_its_line_where_the_erp_expects_goods_again(is_open: bool, reopens: Any) -> None:
    (reversed_,) = cancelled(move(SUPPLIER, HELD, line=OrderLine("PO1", 7, is_open)))
    assert reversed_.data == {"receipt": "S3/17", **ROW, "qty": 0, "held": 5, **LINE, **reopens}
