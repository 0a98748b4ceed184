"""Tryton's units, places, purchase lines, order points and JSON, without any server."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mapping.values import Unreadable
from connectors.tryton import master, purchases, wire
from connectors.tryton.numbers import NumberSet
from connectors.tryton.places import Places
from connectors.tryton.purchases import Line, Step, Told
from connectors.tryton.units import Units, unit_of

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def uom(number: int, name: str, category: int, factors: tuple[str, str], rounding: str = "1") -> dict[str, Any]:
    factor, rate = factors
    return {
        "id": number, "name": name, "category": category, "factor": Decimal(factor), "rate": Decimal(rate),
        "rounding": Decimal(rounding),
    }  # fmt: skip


UNITS = Units(
    map(
        unit_of,
        [
            uom(1, "Unit", 1, ("1.0", "1.0")),
            uom(2, "Kilogram", 2, ("1.0", "1.0"), "0.01"),
            uom(3, "Gram", 2, ("0.001", "1000.0"), "0.01"),
            uom(4, "Carat", 2, ("0.0002", "5000.0"), "0.01"),
            uom(5, "Case of 12", 1, ("12.0", "0.083333333333")),
            uom(6, "Case of 7", 1, ("7.0", "0.142857142857")),
            uom(7, "Litre", 3, ("1.0", "1.0"), "0.01"),
        ],
    ),
    {"Kilogram": "Gram"},
)

QUANTITIES = [
    ("5.5", 2, 2, 5_500),
    ("7.0", 3, 2, 7),
    ("0.01", 2, 2, 10),
    ("5", 4, 2, 1),
    ("3.0", 5, 1, 36),
    ("3", 6, 1, 21),
    ("1234567.89", 2, 2, 1_234_567_890),
]


@pytest.mark.parametrize(("quantity", "unit", "default", "expected"), QUANTITIES)
def test_a_quantity_is_a_whole_number_of_the_base_unit_exactly(
    quantity: str, unit: int, default: int, expected: int
) -> None:
    assert UNITS.in_base(Decimal(quantity), unit, UNITS.base(default)) == expected


@pytest.mark.parametrize(("quantity", "unit", "default"), [("0.0004", 2, 2), ("1.5", 1, 1), ("1", 4, 2), ("1", 3, 1)])
def test_a_quantity_that_is_no_whole_number_is_refused(quantity: str, unit: int, default: int) -> None:
    with pytest.raises(Unreadable):
        UNITS.in_base(Decimal(quantity), unit, UNITS.base(default))


def test_an_item_in_a_unit_with_a_fraction_needs_a_base_unit() -> None:
    with pytest.raises(Unreadable, match="name its base unit in `base_units`"):
        UNITS.base(7)
    assert UNITS.factors(UNITS.base(2)) == {"Kilogram": 1000}
    assert UNITS.factors(UNITS.base(1)) == {"Case of 12": 12, "Case of 7": 7}


def place(number: int, kind: str, parent: int | None, code: str | None, name: str = "", **parts: int) -> dict[str, Any]:
    return {"id": number, "type": kind, "parent": parent, "code": code, "name": name or str(code), **parts}


PLACES = [
    place(1, "warehouse", None, "NORTH", input_location=5),
    place(2, "storage", 1, "N-STO"),
    place(3, "storage", 2, None, "Quarantine"),
    place(4, "storage", 3, "N-Q-1"),
    place(5, "storage", None, "N-IN"),
    place(6, "warehouse", None, None, "East"),
    place(7, "storage", 6, "E-STO"),
    place(8, "storage", None, None, "Transit"),
    place(9, "customer", None, "CUS"),
]


def test_bins_are_their_warehouse_and_what_lies_below_a_held_bin_is_held() -> None:
    places = Places(PLACES, ["NORTH"], ["Quarantine"])
    found = {each: (places[each].kind, places[each].location, places[each].is_held) for each in (2, 3, 4, 5, 7, 8, 9)}
    assert found == {
        2: ("storage", "NORTH", False),
        3: ("storage", "NORTH", True),
        4: ("storage", "NORTH", True),
        5: ("storage", "NORTH", False),
        7: ("other warehouse", None, False),
        8: ("storage", None, False),
        9: ("customer", None, False),
    }
    assert places[8].is_transit
    assert not places[7].is_transit
    assert not places[99].is_transit


def test_a_warehouse_without_a_code_is_known_by_its_name() -> None:
    assert sorted(each.code for each in Places(PLACES, [], []).warehouses.values()) == ["East", "NORTH"]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40))))
def test_a_number_set_is_a_set_and_is_read_as_it_was_written(steps: list[tuple[bool, int]]) -> None:
    numbers, expected = NumberSet(), set[int]()
    for adds, number in steps:
        (numbers.add if adds else numbers.discard)(number)
        (expected.add if adds else expected.discard)(number)
        assert (number in numbers) == adds
    assert list(NumberSet.parse(numbers.text())) == sorted(expected)
    assert numbers.text().count(",") + 1 == max(len([n for n in expected if n - 1 not in expected]), 1)


def line(**values: Any) -> Line:
    return Line(**{
        "id": 7, "order": "PO1", "sku": "A", "location": "NORTH", "supplier": "S", "qty": 12, "due": date(2026, 3, 9),
        "at": AT, **values,
    })  # fmt: skip


def test_an_order_names_the_signal_that_its_line_was_drafted_for() -> None:
    """Else the position could withdraw the signal before anything said that it was ordered."""
    placed = purchases.step(line(signal="sig-1"), None, False).effects
    assert [effect.data.get("signal") for effect in placed] == ["sig-1"]
    assert "signal" not in purchases.step(line(), None, False).effects[0].data


TOLD = line().told(AT)
STEPS: list[tuple[str, Line, Told | None, bool, list[str]]] = [
    ("new", line(), None, False, ["order.placed"]),
    ("the same", line(), TOLD, False, []),
    ("another date", line(due=date(2026, 3, 10)), TOLD, False, ["order.changed"]),
    ("another quantity", line(qty=24), TOLD, False, ["order.changed"]),
    ("another supplier", line(supplier="T"), TOLD, False, ["order.placed"]),
    ("another warehouse", line(location="SOUTH"), TOLD, False, ["order.changed", "order.placed"]),
    ("a draft that never was ordered", line(is_ordered=False), None, False, []),
    ("back to a draft", line(is_ordered=False), TOLD, False, ["order.changed"]),
    ("finished", line(is_finished=True), TOLD, False, ["order.closed"]),
    ("finished on another day", line(is_finished=True, due=date(2026, 3, 4)), TOLD, False, ["order.closed"]),
    ("first seen finished", line(is_finished=True), None, False, ["order.placed", "order.closed"]),
    ("finished and told so", line(is_finished=True), None, True, []),
    ("open again", line(), None, True, ["order.placed"]),
]


@pytest.mark.parametrize(("read", "told", "closed", "expected"), [row[1:] for row in STEPS], ids=[r[0] for r in STEPS])
def test_a_line_tells_what_has_changed(read: Line, told: Told | None, closed: bool, expected: list[str]) -> None:
    step = purchases.step(read, told, closed)
    assert [each.type for each in step.effects] == expected
    assert told is None or step.at > wire.moment(told.at), "what is told later has a later time"
    assert (step.told is None) == (read.is_finished or not read.is_ordered)
    if told is not None and not read.is_ordered:
        assert step.effects[0].data == {"order": "PO1", "line": 7, "sku": "A", "location": "NORTH", "qty": 0}


def test_a_line_that_is_deleted_is_cancelled_and_one_of_a_draft_is_placed_again() -> None:
    assert [each.type for each in purchases.deleted(7, TOLD).effects] == ["order.cancelled"]
    emptied: Step = purchases.step(line(is_ordered=False), TOLD, False)
    again = purchases.step(line(at=AT + timedelta(days=1)), emptied.told, False)
    assert [each.type for each in again.effects] == ["order.placed"]


def offer(number: int, sequence: int | None, product: int | None = None) -> dict[str, Any]:
    return {"id": number, "template": 1, "product": product, "sequence": sequence}


@pytest.mark.parametrize(
    ("offers", "first"),
    [
        ([offer(1, None), offer(2, 5)], 2),
        ([offer(1, 3), offer(2, 3)], 1),
        ([offer(1, 1, product=99), offer(2, 9, product=4)], 2),
        ([], None),
    ],
)
def test_the_offer_of_the_erp_is_taken(offers: list[dict[str, Any]], first: int | None) -> None:
    found = master.first_offer(offers, 1, 4)
    assert (found and found["id"]) == first


def test_an_order_point_is_a_policy_with_the_terms_of_its_supplier() -> None:
    product = {"default_uom": 1, "template.": {"purchase_uom": 5}}
    point = {"product.": product, "min_quantity": Decimal(24), "target_quantity": Decimal(96)}
    terms = master.Offer("BETA", timedelta(days=10), Decimal("2.10"), Decimal(2), "EUR")
    assert master.policy_set(("TEA", "NORTH"), point, UNITS, terms) == {
        "sku": "TEA", "location": "NORTH", "policy": {"kind": "min_max", "min": 24, "max": 96}, "supplier": "BETA",
        "lead_time_days": 10, "multiple": 12, "moq": 24, "unit_cost": "0.175", "currency": "EUR",
    }  # fmt: skip
    assert "supplier" not in master.policy_set(("TEA", "NORTH"), point, UNITS, None)


def test_trytons_json_is_read_without_a_float_and_written_as_it_wants_it() -> None:
    day = b'{"__class__":"date","year":2026,"month":3,"day":2}'
    body = b'{"q":0.1,"p":{"__class__":"Decimal","decimal":"4.2500"},"d":' + day + b"}"
    assert wire.decode(body) == {"q": Decimal("0.1"), "p": Decimal("4.2500"), "d": date(2026, 3, 2)}
    for value in (Decimal("1.10"), date(2026, 3, 2), AT.replace(microsecond=7), timedelta(days=5)):
        assert wire.decode(wire.encode(value)) == value


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (["UserError", ["Eh!", "", [["a" * 50_000]]]], wire.TrytonRefused, "UserError: Eh! -"),
        (["UserWarning", ["origin_7", "Moves have no origin", ""]], wire.TrytonAsks, "Moves have no origin"),
        (["ConcurrencyException", "x" * 5_000], wire.TrytonChanged, "xxx..."),
        (["'nope'", ""], wire.TrytonRefused, "'nope'"),
        ("odd", wire.TrytonRefused, "odd"),
    ],
)
def test_an_error_is_known_by_its_class_and_its_text_is_cut(error: Any, kind: type[Exception], text: str) -> None:
    found = wire.error_of(error)
    assert type(found) is kind
    assert text in str(found)
    assert len(str(found)) < 400
    assert not isinstance(found, wire.TrytonAsks) or found.warning == "origin_7"
