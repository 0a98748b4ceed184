"""What an order lacks of the minimum of its supplier, and how full its truck is."""

import pytest

from tests.unit.test_work import Planned


@pytest.fixture
def told() -> Planned:
    """Proposals to a supplier, of 5 units and of 30, at 2.50 GBP each."""
    told = Planned()
    told.stock("A", 65)
    told.stock("B", 40)
    return told


def test_an_order_says_what_it_lacks_of_its_suppliers_minimum(told: Planned) -> None:
    assert told.work(kind="order", supplier="ACME")["groups"][0]["minimum"] is None
    told.tell("supplier.defined", 1.3, supplier="ACME", minimum_value="100.00", currency="GBP")
    least = {"value": "100.00", "currency": "GBP"}
    groups = told.work()["groups"]
    shown = {(group["kind"], group["supplier"]): group["minimum"] for group in groups}
    assert shown["order", "ACME"] == least | {"missing": "12.50"}
    assert {minimum for key, minimum in shown.items() if key != ("order", "ACME")} == {None}
    told.stock("D", 40, unit_cost=None)
    [group] = told.work(kind="order")["groups"]
    assert (group["uncosted"], group["minimum"]) == (1, least | {"missing": "12.50"})
    told.stock("D", 40, unit_cost="0.50")
    assert told.work(supplier="ACME")["groups"][0]["minimum"] == least | {"missing": "0"}


def test_a_minimum_is_not_compared_with_an_order_in_another_currency(told: Planned) -> None:
    told.stock("D", 40, currency="EUR", unit_cost="1")
    told.stock("E", 40, currency=None, unit_cost="1")
    told.tell("supplier.defined", 1.3, supplier="ACME", minimum_value="100.00", currency="GBP")
    groups = told.work(kind="order", supplier="ACME")["groups"]
    shown = {group["currency"]: group["minimum"]["missing"] for group in groups}
    assert shown == {"GBP": "12.50", "EUR": None, None: None}
    told.tell("supplier.defined", 1.4, supplier="ACME", minimum_value="100.00")
    groups = told.work(kind="order", supplier="ACME")["groups"]
    assert {group["currency"]: group["minimum"]["missing"] for group in groups} == {
        "GBP": None,
        "EUR": None,
        None: "70.00",
    }


def test_an_order_fills_a_truck_by_the_units_that_its_items_declare(told: Planned) -> None:
    told.tell("item.defined", 1.1, sku="A", base_unit="each", units={"pallet": 4})
    told.tell("item.defined", 1.1, sku="B", base_unit="kg", units={"pallet": 12})
    told.tell("supplier.defined", 1.3, supplier="ACME", truck_units=2, truck_uom="pallet")
    # 5 of A are 1.25 pallets, 30 of B 2.5.
    truck = {"units": 2, "uom": "pallet", "load": "3.75", "trucks": 2, "free": "0.25", "unmeasured": 0}
    assert told.work(kind="order", supplier="ACME")["groups"][0]["truck"] == truck
    told.tell("item.defined", 1.4, sku="B", base_unit="pallet")
    told.stock("D", 40)
    more = truck | {"load": "31.25", "trucks": 16, "free": "0.75", "unmeasured": 1}
    assert told.work(kind="order", supplier="ACME")["groups"][0]["truck"] == more
    told.tell("supplier.defined", 1.4, supplier="ACME")
    assert told.work(kind="order", supplier="ACME")["groups"][0]["truck"] is None


def test_a_truck_of_which_nothing_is_known_is_one_that_is_empty(told: Planned) -> None:
    told.tell("supplier.defined", 1.3, supplier="ACME", truck_units=33, truck_uom="pallet")
    [group] = told.work(kind="order", supplier="ACME")["groups"]
    assert group["truck"] == {
        "units": 33, "uom": "pallet", "load": "0", "trucks": 1, "free": "33", "unmeasured": group["total"]
    }  # fmt: skip


def test_what_the_engine_orders_by_itself_is_compared_too(told: Planned) -> None:
    told.tell("supplier.defined", 1.3, supplier="ACME", minimum_value="100", currency="GBP")
    told.stock("A", 65, auto={"max_qty": 1000})
    [group] = told.work(kind="automatic")["groups"]
    assert group["minimum"] == {"value": "100", "currency": "GBP", "missing": "87.50"}
