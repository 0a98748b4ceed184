"""Agents called on plain rows: the worked examples of their docstrings, and what their declarations promise."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec import inspect
from msgspec.structs import fields

from agents import purchasing, receipts, shipments
from agents.lines import Owed, on_order_supply, owed
from agents.need import need_of
from agents.pipeline import HANDLING
from agents.projection import days_ahead
from engine.core import payloads as p
from engine.core.events import EVENT_TYPES
from engine.core.values import MAX_QUANTITY
from tables import keys
from tables.purchasing import LINE, PIECE, Line, line_name
from tests.unit.turns import ROW, Rows, empty_turn

DUE = date(2026, 3, 20)
THIRD, FIFTH, NINTH = (date(2026, 3, day) for day in (3, 5, 9))


def place(rows: Rows, line: int, qty: int) -> None:
    data = p.OrderPlacedData(sku="S", location="L", order="7", line=line, supplier="ACME", qty=qty, due=DUE)
    purchasing.place(rows.next_site(), data)


def receive(rows: Rows, qty: int, line: int | None = None, shipment: str | None = None) -> None:
    data = p.GoodsReceivedData(sku="S", location="L", receipt="R", qty=qty, order="7", line=line, shipment=shipment)
    receipts.receive(rows.next_site(), data)


def line_of(rows: Rows, number: int) -> Line:
    return rows.turn.require(keys.part(LINE, ROW, line_name("7", str(number))))


def test_a_receipt_for_an_order_fills_its_lines_and_moves_on_where_a_later_one_names_a_line() -> None:
    rows = Rows()
    place(rows, 1, 10)
    place(rows, 2, 5)
    receive(rows, 12)
    assert [line_of(rows, n).unlined for n in (1, 2)] == [10, 2]
    receive(rows, 3, line=1)
    assert [line_of(rows, n).unlined for n in (1, 2)] == [7, 5]
    assert rows.turn.site(ROW).stock.on_order == 0
    receive(rows, 1)
    assert [line_of(rows, n).excess for n in (1, 2)] == [1, 0]


def test_a_receipt_for_a_line_takes_its_shipments_by_date_and_gives_way_to_one_that_names_a_shipment() -> None:
    rows = Rows()
    place(rows, 1, 10)
    for shipment, qty, eta in (("A", 4, FIFTH), ("B", 6, THIRD)):
        data = p.ShipmentNotifiedData(sku="S", location="L", order="7", line=1, shipment=shipment, qty=qty, eta=eta)
        shipments.notify(rows.next_site(), data)
    receive(rows, 7, line=1)
    assert [taken(rows, name) for name in "AB"] == [1, 6]
    assert rows.turn.site(ROW).stock.in_transit == 3
    receive(rows, 4, line=1, shipment="A")
    assert [taken(rows, name) for name in "AB"] == [0, 6]
    line = line_of(rows, 1)
    assert line.received - line.shipped == 1


def taken(rows: Rows, shipment: str) -> int:
    return rows.turn.require(keys.part(PIECE, ROW, line_name("7", "1"), shipment)).taken


def test_what_a_line_owes_is_in_transit_or_on_order() -> None:
    line = Line(ordered=10, promised_rank=(0, 0, b""), promises=[("accepted", 8, None)], shipped=5, received=2)
    assert owed(line) == Owed(promised=8, received=2, on_order=3, in_transit=3)


def test_what_is_on_order_is_left_of_the_latest_promises_that_count() -> None:
    line = Line(ordered=8, promised_rank=(0, 0, b""), shipped=5)
    line.promises = [("accepted", 4, THIRD.toordinal()), ("accepted", 6, NINTH.toordinal())]
    assert [(piece.day, piece.qty) for piece in on_order_supply("7/1", line, owed(line))] == [(NINTH.toordinal(), 3)]


# a site computes its figures once -------------------------------------------------------------------------------------


def test_need_and_projection_of_a_site_are_computed_once_and_those_of_another_turn_anew() -> None:
    first, second = empty_turn().site(ROW), empty_turn().site(ROW)
    for site in (first, second):
        site.edit_plan().policy = p.PolicySetData(sku="S", location="L", policy=p.MinMax(min=5, max=9))
    second.stock.available = 7
    assert need_of(first) is need_of(first)
    assert days_ahead(first) is days_ahead(first)
    needs = need_of(first), need_of(second)
    assert [need and need.quantity.qty for need in needs] == [9, 0]


# declarations ---------------------------------------------------------------------------------------------------------


def is_quantity(kind: inspect.Type) -> bool:
    """Whether a field holds a quantity, or parts that have one."""
    match kind:
        case inspect.IntType(le=int(most)):
            return most == MAX_QUANTITY
        case inspect.UnionType(types=options):
            return any(map(is_quantity, options))
        case inspect.CollectionType(item_type=inspect.StructType(cls=part)):
            return any(is_quantity(inspect.type_info(field.type)) for field in fields(part))
    return False


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_quantity_of_an_event_that_may_name_a_unit_is_scaled_by_it(name: str) -> None:
    kind = EVENT_TYPES[name]
    data = next(field.type for field in fields(kind) if field.name == "data")
    of_data = {field.name: inspect.type_info(field.type) for field in fields(data)}
    quantities = {field for field, type_ in of_data.items() if is_quantity(type_)}
    if "uom" in of_data:
        assert set(HANDLING[kind].quantities) == quantities
    else:
        assert kind not in HANDLING or not HANDLING[kind].quantities
