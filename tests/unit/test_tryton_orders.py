"""Draft purchases and suppliers' promises in Tryton's terms, without any server."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mapping.values import Unreadable
from connectors.orders import Key
from connectors.tryton import buying
from connectors.tryton.promises import OpenMove, Part, Rewritten, open_qty, promised, rewritten, statement
from connectors.tryton.world import World
from tests.unit.test_tryton_translation import UNITS

UNIT, KILOGRAM, GRAM, CASE = 1, 2, 3, 5
DUE = date(2026, 3, 20)
KEY = Key("s1", 36, DUE)

BOUGHT = [
    ("whole cases", 36, UNIT, CASE, "3", CASE),
    ("pieces that are no whole cases", 30, UNIT, CASE, "30", UNIT),
    ("kilograms", 5_500, KILOGRAM, KILOGRAM, "5.5", KILOGRAM),
    ("less than the kilogram's rounding", 7, KILOGRAM, KILOGRAM, "7", GRAM),
    ("the largest quantity", 10**12 + 10, KILOGRAM, KILOGRAM, "1000000000.01", KILOGRAM),
]


@pytest.mark.parametrize(("_case", "qty", "default", "purchase", "number", "unit"), BOUGHT)
def test_base_units_are_bought_in_the_largest_unit_that_holds_them_exactly(
    _case: str, qty: int, default: int, purchase: int, number: str, unit: int
) -> None:
    found, bought_in = buying.bought(UNITS, qty, default, purchase)
    assert (found, bought_in.id) == (Decimal(number), unit)


@given(st.integers(1, 10**13), st.sampled_from([(UNIT, CASE), (UNIT, UNIT), (KILOGRAM, KILOGRAM), (KILOGRAM, GRAM)]))
def test_what_is_bought_is_read_again_as_the_same_quantity(qty: int, units: tuple[int, int]) -> None:
    default, purchase = units
    number, unit = buying.bought(UNITS, qty, default, purchase)
    assert UNITS.in_base(number, unit.id, UNITS.base(default)) == qty


def test_a_note_keeps_what_a_person_wrote_around_the_key() -> None:
    amended = Key("s1", 48, None)
    assert buying.note_with(amended, f"call before\n{KEY} noon") == f"call before\n{amended} noon"
    assert buying.note_with(amended, "call before") == f"{amended}\ncall before"
    assert buying.note_with(amended) == str(amended)


CHANGED = datetime(2026, 3, 7, 8, tzinfo=UTC)


def record(**changed: Any) -> dict[str, Any]:
    purchase = {
        "id": 7, "reference": None, "number": None, "state": "draft", "party.": {"code": "ALPHA"},
        "warehouse.": {"code": "NORTH", "name": "North"}, "last_modified_at": CHANGED,
    }  # fmt: skip
    line = {
        "id": 9, "note": str(KEY), "quantity": Decimal(3), "unit": CASE, "product.": {"default_uom": UNIT},
        "create_uid.": {"login": "stockline"}, "purchase.": purchase | changed.pop("purchase", {}),
    }  # fmt: skip
    return line | changed


def ours(_kind: str, code: str | None, _number: int) -> str:
    if code is None:
        raise Unreadable("no code")
    return code


WORLD = cast(World, SimpleNamespace(units=UNITS, naming=SimpleNamespace(ours=ours)))
STATES = [
    ("draft", "draft", "ALPHA"),
    ("quotation", "draft", ""),
    ("confirmed", "ordered", "ALPHA"),
    ("processing", "ordered", "ALPHA"),
    ("done", "ordered", "ALPHA"),
    ("cancelled", "gone", "ALPHA"),
]


@pytest.mark.parametrize(("state", "expected", "supplier"), STATES)
def test_the_state_of_a_purchase_is_that_of_its_lines(state: str, expected: str, supplier: str) -> None:
    line = buying.order_line(WORLD, record(purchase={"state": state, "number": "PO5"}), "stockline")
    assert line is not None
    assert (line.state, line.supplier, line.location, line.qty) == (expected, supplier, "NORTH", 36)
    assert (line.document, line.line, line.order, line.order_line) == ("7", "9", "PO5", "9")
    assert line.ordered_at == (CHANGED if expected == "ordered" else None)


def test_only_lines_of_ours_count() -> None:
    copied = {"create_uid.": {"login": "clerk"}}
    assert buying.order_line(WORLD, record(**copied), "stockline") is None, "the copy of a person"
    renamed = record(**copied, purchase={"reference": buying.reference("ALPHA", "NORTH")})
    assert buying.order_line(WORLD, renamed, "stockline") is not None, "of a login that the connector had before"
    assert buying.order_line(WORLD, record(note="call before"), "stockline") is None
    assert buying.order_line(WORLD, record(note=None), "stockline") is None


def test_a_quantity_that_is_no_whole_number_of_base_units_is_left_out() -> None:
    for changed in ({"quantity": Decimal("0.5"), "unit": UNIT}, {"product.": None}):
        line = buying.order_line(WORLD, record(**changed), "stockline")
        assert line is not None
        assert (line.key, line.qty) == (KEY, None)


def test_a_new_line_holds_what_tryton_fills_in() -> None:
    priced = {"unit_price": Decimal("2.10"), "product_supplier": 4, "taxes": {"add": [(0, {"id": 8})]}}
    quantity = buying.bought(UNITS, 36, UNIT, CASE)
    assert buying.purchase_line(2, KEY, quantity, priced) == {
        "type": "line", "product": 2, "product_supplier": 4, "unit_price": Decimal("2.10"), "taxes": [["add", [8]]],
        "quantity": 3, "unit": CASE, "delivery_date_edit": True, "delivery_date_store": DUE, "note": str(KEY),
    }  # fmt: skip
    bare = buying.purchase_line(2, KEY._replace(due=None), quantity, {})
    assert (bare["unit_price"], bare["delivery_date_edit"], bare["delivery_date_store"]) == (0, False, None)


def day(number: int) -> date:
    return date(2026, 4, number)


def line(acknowledged: list[tuple[str, int, int | None]], **changed: Any) -> dict[str, Any]:
    said = [{"status": s, "qty": q, "due": d and day(d).isoformat()} for s, q, d in acknowledged]
    return {
        "order": "PO5", "line": "9", "ordered": 10, "received": 0, "promised": 10, "on_order": 10, "in_transit": 0,
        "acknowledged": said, "shipments": {}, **changed,
    }  # fmt: skip


def shipment(qty: int, eta: int, received: int = 0) -> dict[str, Any]:
    return {"qty": qty, "received": received, "eta": day(eta).isoformat()}


PROMISED = [
    ("all on one day", line([("accepted", 10, 3)]), [Part(10, day(3))]),
    ("split", line([("changed", 6, 9), ("accepted", 4, 3)]), [Part(4, day(3)), Part(6, day(9))]),
    ("a part is rejected", line([("accepted", 4, 3), ("rejected", 6, 9)], promised=4, on_order=4), [Part(4, day(3))]),
    ("more than was ordered", line([("accepted", 8, 3), ("accepted", 8, 9)]), [Part(8, day(3)), Part(2, day(9))]),
    ("what has come is of the earliest", line([("accepted", 4, 3), ("accepted", 6, 9)], received=5, on_order=5),
     [Part(5, day(9))]),
    ("shipped, the rest as acknowledged",
     line([("accepted", 10, 9)], shipments={"A1": shipment(4, 2)}, on_order=6, in_transit=4),
     [Part(4, day(2)), Part(6, day(9))]),
    ("shipped and received by another name",
     line([("accepted", 10, 9)], shipments={"A1": shipment(4, 2), "A2": shipment(3, 5)}, received=4, on_order=3,
          in_transit=3),
     [Part(3, day(5)), Part(3, day(9))]),
    ("without a day", line([("backordered", 10, None)]), [Part(10, None)]),
]  # fmt: skip


@pytest.mark.parametrize(("_case", "given_line", "expected"), PROMISED)
def test_what_is_open_of_a_promise(_case: str, given_line: dict[str, Any], expected: list[Part]) -> None:
    assert promised(given_line) == expected


def test_a_statement_changes_with_what_the_supplier_says_and_not_with_receipts() -> None:
    said = line([("accepted", 10, 3)], shipments={"A1": shipment(4, 2)})
    assert statement(line([])) is None
    assert statement(said) == statement({**said, "received": 4, "shipments": {"A1": shipment(4, 2, received=4)}})
    assert statement(said) != statement({**said, "shipments": {"A1": shipment(4, 6)}})
    assert open_qty({**said, "received": 4}) == 6


OPEN = OpenMove(1, Part(10, day(1)))
REWRITTEN: list[tuple[str, list[Part], list[OpenMove], list[Rewritten]]] = [
    ("as it is", [Part(10, day(1))], [OPEN], []),
    ("later", [Part(10, day(4))], [OPEN], [Rewritten(1, (Part(10, day(4)),))]),
    ("split", [Part(4, day(3)), Part(6, day(9))], [OPEN], [Rewritten(1, (Part(4, day(3)), Part(6, day(9))))]),
    ("less than is open", [Part(4, day(3))], [OPEN], [Rewritten(1, (Part(4, day(3)), Part(6, day(1))))]),
    ("split already", [Part(4, day(3)), Part(6, day(9))],
     [OpenMove(2, Part(6, day(9))), OpenMove(1, Part(4, day(3)))], []),
    ("joined again", [Part(10, day(3))], [OpenMove(1, Part(4, day(3))), OpenMove(2, Part(6, day(9)))],
     [Rewritten(2, (Part(6, day(3)),))]),
    ("being received", [Part(10, day(4))], [OpenMove(1, Part(10, day(1)), is_fixed=True)], []),
    ("no day", [Part(10, None)], [OPEN], []),
]  # fmt: skip


@pytest.mark.parametrize(("_case", "parts", "moves", "expected"), REWRITTEN)
def test_open_moves_follow_a_promise(
    _case: str, parts: list[Part], moves: list[OpenMove], expected: list[Rewritten]
) -> None:
    assert list(rewritten(parts, moves)) == expected


part_lists = st.lists(st.builds(Part, st.integers(1, 50), st.integers(1, 28).map(day)), max_size=5)


@given(part_lists, part_lists.map(lambda parts: [OpenMove(index, part) for index, part in enumerate(parts, 1)]))
def test_no_quantity_is_lost_by_rewriting_and_a_second_time_changes_nothing(
    parts: list[Part], moves: list[OpenMove]
) -> None:
    changes = {change.move: change.parts for change in rewritten(sorted(parts, key=lambda each: str(each.day)), moves)}
    after: list[OpenMove] = []
    for move in moves:
        found = changes.get(move.id, (move.part,))
        assert sum(part.qty for part in found) == move.part.qty
        after += [OpenMove(100 * move.id + index, part) for index, part in enumerate(found)]
    total = sum(part.qty for part in parts)
    if total >= sum(move.part.qty for move in moves):
        assert list(rewritten(sorted(parts, key=lambda each: str(each.day)), after)) == []
