"""Unknown stock is not zero stock."""

from typing import Any

import pytest

from tests.unit.test_agents import Told

AUTO = {"kind": "min_max", "min": 50, "max": 120}


def with_policy(**more: Any) -> Told:
    told = Told()
    told.tell("item.defined", 1, sku="A", base_unit="each")
    told.row("policy.set", 1, policy=AUTO, auto={"max_qty": 500}, **more)
    return told


def test_items_policies_and_counts_of_a_catalogue_open_no_signal_that_the_counts_withdraw() -> None:
    told = with_policy()
    told.row("stock.counted", 1, qty=80)
    assert told.latest("signals") == []


def test_a_count_below_the_trigger_opens_an_automatic_signal_at_once() -> None:
    told = with_policy()
    assert told.latest("signals") == []
    told.row("stock.counted", 1, qty=20)
    assert (told.signal()["qty"], told.signal()["disposition"]) == (100, "auto")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("stock.reserved", {"reservation": "R", "qty": 5}),
        ("order.placed", {"order": "P", "line": 1, "supplier": "X", "qty": 10, "due": "2026-03-20"}),
        ("balance.reported", {"on_hand": 10}),
    ],
)
def test_a_row_whose_stock_nothing_states_is_for_review_after_a_day(kind: str, data: dict[str, Any]) -> None:
    told = with_policy()
    told.row(kind, 1, **data)
    assert told.latest("signals") == []
    told.tell("item.defined", 3, sku="A", base_unit="each")
    assert (told.signal()["disposition"], told.signal()["reasons"]) == ("review", ["stock_unknown"])
    told.row("stock.counted", 3, qty=30)
    assert told.signal()["disposition"] == "auto"


def test_a_value_over_the_limit_shows_value_limit_and_cost() -> None:
    told = Told()
    told.row("stock.counted", 1, qty=20)
    told.row("policy.set", 1, policy=AUTO, auto={"max_value": "99.50"}, unit_cost="1.25", currency="EUR")
    assert told.signal()["reasons"] == ["value_over_limit"]
    terms = {t["term"]: (t["value"], t["unit"]) for t in told.signal()["explanation"]["terms"]}
    assert terms["value"] == ("125.00", "EUR")
    assert terms["value limit"] == ("99.50", "EUR")
    assert terms["unit cost"] == ("1.25", "EUR")


def test_a_held_back_signal_is_looked_at_again_when_the_answer_no_longer_counts() -> None:
    told = Told()
    told.row("stock.counted", 1, qty=20)
    told.row("policy.set", 1, policy=AUTO, auto={"max_qty": 500})
    told.row("signal.rejected", 1, signal=told.signal()["id"], by="anna")
    told.row("stock.reserved", 2, reservation="R", qty=1, expires="2026-03-03T00:00:00Z")
    told.tell("item.defined", 4, sku="A", base_unit="each")
    assert told.signal() is None
    told.tell("item.defined", 12, sku="A", base_unit="each")
    assert told.signal()["qty"] == 100
