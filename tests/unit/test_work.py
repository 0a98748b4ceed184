"""What needs a decision, worst first, as the engine's own rows say."""

import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from engine.work import things
from engine.work.things import OpenThings
from engine.work.worklist import Asked, work_of
from tests.unit.test_agents import Told
from tests.unit.test_agents_planning import week
from tests.unit.test_web_calls import get
from tests.unit.web_client import Site, site


class Planned(Told):
    """Rows with policies, stock and forecasts, and the list of what needs a decision about them."""

    def __init__(self) -> None:
        super().__init__()
        self.things = OpenThings(self.bus)
        self.bus.observers.append(self.things)

    def stock(self, sku: str, qty: int, location: str = "L", **policy: Any) -> None:
        """A row with a forecast of 10 a day for 14 days, 7 days of lead time and no review period."""
        row = {"sku": sku, "location": location}
        self.tell("stock.counted", 1, **row, qty=qty)
        stated = {"lead_time_days": 7, "safety_stock": 0, "supplier": "ACME", "unit_cost": "2.50", "currency": "GBP"}
        self.tell("policy.set", 1.1, **row, policy={"kind": "forecast"}, **{**stated, **policy})
        self.tell("forecast.revised", 1.2, **row, version="v1", mode="replace", buckets=[week(1, 70), week(8, 70)])

    def item(self, sku: str, abc: str) -> None:
        self.tell("item.defined", 1, sku=sku, base_unit="each", abc=abc, description=f"a thing called {sku}")

    def work(self, **asked: Any) -> Any:
        work = work_of(self.things.all(), Asked(**asked), self.things.suppliers, None, 0.0)
        return msgspec.to_builtins(work)


def kinds(work: Any) -> list[tuple[str, str | None, str | None]]:
    return [(group["kind"], group["supplier"], group["value_at_risk"]) for group in work["groups"]]


def shown(work: Any, kind: str) -> list[str]:
    return [item["sku"] for group in work["groups"] if group["kind"] == kind for item in group["items"]]


@pytest.fixture
def told() -> Planned:
    """Proposals of two suppliers, of which the one that is worth less is short of more units."""
    told = Planned()
    for sku in "ABC":
        told.item(sku, "B")
    told.stock("A", 65)
    told.stock("B", 40)
    told.stock("C", 50, supplier="ZULU", unit_cost="10")
    return told


def test_the_worst_order_comes_first_by_units_short_at_cost(told: Planned) -> None:
    work = told.work(kind="order")
    assert kinds(work) == [("order", "ZULU", "200"), ("order", "ACME", "87.50")]
    assert [(item["sku"], item["units_short"], item["value_at_risk"]) for item in work["groups"][1]["items"]] == [
        ("B", 30, "75.00"),
        ("A", 5, "12.50"),
    ]
    assert work["value_at_risk"] == [{"currency": "GBP", "value": "287.50"}]


def test_units_short_are_those_that_the_projection_of_the_row_lacks(told: Planned) -> None:
    for sku, short in (("A", 5), ("B", 30), ("C", 20)):
        projected = [day["projected"] for day in told.detail((sku, "L"), 7)["projection"]]
        assert min(projected) == -short
        assert {item["units_short"] for item in _items(told.work()) if item["sku"] == sku} == {short}


def test_a_row_counts_its_value_at_risk_once_however_many_things_are_open_of_it(told: Planned) -> None:
    told.tell("balance.reported", 1.5, sku="B", location="L", on_hand=45)
    work = told.work()
    of_b = [(item["kind"], item["value_at_risk"]) for item in _items(work) if item["sku"] == "B"]
    assert sorted(of_b) == [("balance_drift", "75.00"), ("projected_stockout", "75.00"), ("replenishment", "75.00")]
    assert kinds(work) == [
        ("order", "ZULU", "200"), ("order", "ACME", "87.50"), ("stockout", None, "0"), ("drift", None, "0"),
    ]  # fmt: skip
    assert work["value_at_risk"] == [{"currency": "GBP", "value": "287.50"}]
    assert told.work(kind="drift")["value_at_risk"] == [{"currency": "GBP", "value": "75.00"}]


def test_class_a_comes_first_where_the_value_at_risk_is_the_same() -> None:
    told = Planned()
    for sku, abc in (("A", "C"), ("B", "A"), ("C", "B")):
        told.item(sku, abc)
        told.stock(sku, 50)
    told.stock("D", 50)
    assert shown(told.work(), "order") == ["B", "C", "A", "D"]


def test_what_the_engine_orders_by_itself_is_shown_apart_and_needs_nobody(told: Planned) -> None:
    told.stock("A", 65, auto={"max_qty": 1000})
    work = told.work()
    assert kinds(work)[-1] == ("automatic", "ACME", "0")
    assert (work["automatic"], shown(work, "automatic"), shown(work, "order")) == (1, ["A"], ["C", "B"])
    assert work["total"] == len(_items(work)) - 1


def test_amounts_of_two_currencies_are_not_added_up(told: Planned) -> None:
    told.stock("D", 40, currency="EUR", unit_cost="1")
    work = told.work(kind="order", supplier="ACME")
    assert [(group["currency"], group["total_value"]) for group in work["groups"]] == [("GBP", "87.50"), ("EUR", "30")]
    assert work["value_at_risk"] == [{"currency": "EUR", "value": "30"}, {"currency": "GBP", "value": "87.50"}]


def test_a_row_without_a_cost_is_part_of_its_suppliers_order_and_worth_nothing_known(told: Planned) -> None:
    told.stock("D", 40, unit_cost=None)
    [group] = told.work(kind="order", supplier="ACME")["groups"]
    assert (group["total_qty"], group["total_value"], group["value_at_risk"]) == (65, "87.50", "87.50")
    assert (group["items"][-1]["sku"], group["items"][-1]["value"]) == ("D", None)


def test_what_is_missing_is_weighed_by_its_margin_where_the_policy_states_one(told: Planned) -> None:
    told.stock("B", 40, unit_margin="0.50")
    told.stock("D", 40, unit_cost=None, unit_margin="9")
    work = told.work(kind="order", supplier="ACME")
    [group] = work["groups"]
    worth = [(item["sku"], item["value"], item["value_at_risk"]) for item in group["items"]]
    assert worth == [("D", None, "270"), ("B", "75.00", "15.00"), ("A", "12.50", "12.50")]
    assert (group["total_value"], group["value_at_risk"]) == ("87.50", "297.50")


def test_the_distance_to_the_minimum_is_what_the_policies_ask_for_beyond_the_proposals(told: Planned) -> None:
    assert told.work(kind="order")["groups"][0]["distance_to_minimum"] is None
    told.stock("D", 40, moq=100, max_qty=60)
    told.stock("E", 40, moq=20)
    [group] = told.work(kind="order", supplier="ACME")["groups"]
    assert group["distance_to_minimum"] == 40


def test_late_supply_drift_and_the_rest_are_grouped_and_say_why(told: Planned) -> None:
    line: dict[str, Any] = {"sku": "A", "location": "L", "order": "PO-1", "line": 1}
    told.tell("order.placed", 1.3, **line, supplier="ZULU", qty=10, due="2026-03-04")
    late = [{"status": "accepted", "qty": 10, "due": "2026-03-06"}]
    told.tell("order.acknowledged", 1.4, **line, schedule=late)
    told.tell("stock.issued", 1.5, sku="E", location="M", qty=5)
    work = told.work()
    [supply] = [group for group in work["groups"] if group["kind"] == "late_supply"]
    [item] = supply["items"]
    assert (supply["supplier"], item["line"], item["qty"], item["due"]) == ("ZULU", "PO-1/1", 10, "2026-03-04")
    assert item["sentence"] == "10 of A at L on order PO-1/1 from ZULU are promised for 2026-03-06, due is 2026-03-04."
    assert [item["kind"] for item in _items(work) if item["location"] == "M"] == ["negative_stock", "unknown_item"]


def test_what_is_snoozed_is_hidden_and_counted(told: Planned) -> None:
    [signal] = [item for item in _items(told.work()) if item["type"] == "signal" and item["sku"] == "B"]
    row = {"sku": "B", "location": "L"}
    told.tell("signal.snoozed", 1.5, **row, signal=signal["id"], until="2026-03-02T00:00:00Z", by="ann")
    assert (told.work()["snoozed"], "B" in shown(told.work(), "order")) == (1, False)
    assert "B" in shown(told.work(snoozed=True), "order")
    told.tell("item.defined", 2.1, sku="B", base_unit="each")
    assert (told.work()["snoozed"], "B" in shown(told.work(), "order")) == (0, True)


def test_an_alert_that_somebody_acknowledged_waits_for_nobody_and_has_an_owner(told: Planned) -> None:
    [alert] = [item for item in _items(told.work()) if item["type"] == "alert" and item["sku"] == "B"]
    assert alert["proposal"] is not None
    about = {"sku": "B", "location": "L", "alert": alert["id"]}
    told.tell("alert.assigned", 1.5, **about, to="bob", by="ann")
    assert [item["owner"] for item in _items(told.work(owner="bob"))] == ["bob"]
    told.tell("alert.acknowledged", 1.6, **about, by="bob")
    assert (told.work(owner="bob")["acknowledged"], _items(told.work(owner="bob"))) == (1, [])
    assert [item["status"] for item in _items(told.work(owner="bob", acknowledged=True))] == ["acknowledged"]


def test_a_proposal_that_somebody_owns_is_among_what_is_theirs(told: Planned) -> None:
    [signal] = [item for item in _items(told.work()) if item["type"] == "signal" and item["sku"] == "B"]
    assert signal["owner"] is None
    told.tell("signal.assigned", 1.5, sku="B", location="L", signal=signal["id"], to="bob", by="ann")
    assert [(item["type"], item["id"]) for item in _items(told.work(owner="bob"))] == [("signal", signal["id"])]


def test_an_acknowledgement_that_is_taken_back_leaves_the_alert_to_be_decided(told: Planned) -> None:
    [alert] = [item for item in _items(told.work()) if item["type"] == "alert" and item["sku"] == "B"]
    about = {"sku": "B", "location": "L", "alert": alert["id"], "by": "bob"}
    told.tell("alert.acknowledged", 1.5, **about)
    assert alert["id"] not in [item["id"] for item in _items(told.work())]
    told.tell("alert.reopened", 1.6, **about)
    assert [item["status"] for item in _items(told.work()) if item["id"] == alert["id"]] == ["open"]


def test_an_info_beside_a_grave_alert_takes_no_value_at_risk_away() -> None:
    told = Planned()
    told.stock("D", 50)
    told.tell("stock.issued", 1.3, sku="D", location="L", qty=60)
    [other] = told.work(kind="other")["groups"]
    assert [item["kind"] for item in other["items"]] == ["negative_stock", "unknown_item"]
    assert other["value_at_risk"] == other["items"][0]["value_at_risk"] == "50.00"


def test_an_answer_takes_a_proposal_off_the_list(told: Planned) -> None:
    [signal] = [item for item in _items(told.work()) if item["type"] == "signal" and item["sku"] == "B"]
    told.tell("signal.accepted", 1.5, sku="B", location="L", signal=signal["id"], by="ann")
    assert "B" not in shown(told.work(), "order")


def test_a_group_shows_so_many_items_and_says_how_many_more_it_has(told: Planned) -> None:
    group = told.work(kind="order", supplier="ACME", limit=1)["groups"][0]
    assert (len(group["items"]), group["more"], group["total"], group["total_qty"]) == (1, 1, 2, 35)


def test_a_list_that_is_kept_from_commit_to_commit_is_the_one_that_is_read_anew(told: Planned) -> None:
    first = told.work()
    told.item("B", "A")
    told.stock("C", 30, supplier="ACME", unit_cost="3")
    told.stock("A", 500)
    told.tell("stock.issued", 1.5, sku="E", location="M", qty=5)
    kept, told.things = told.work(), OpenThings(told.bus)
    assert kept == told.work() != first


def test_a_bus_that_begins_anew_is_read_anew(told: Planned) -> None:
    told.work()
    told.bus.observers.clear()
    told.stock("D", 30)
    assert "D" not in shown(told.work(), "order")
    told.things.discarded()
    assert "D" in shown(told.work(), "order")


def test_what_nobody_asked_for_is_not_remembered_for_ever(told: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(things, "MOST_NOTED", 2)
    told.work()
    for sku in "DEF":
        told.stock(sku, 30)
    assert set(shown(told.work(), "order")) == set("ABCDEF")


def _items(work: Any) -> list[Any]:
    return [item for group in work["groups"] for item in group["items"]]


# over HTTP ------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def web(told: Planned) -> AsyncIterator[Site]:
    async with site() as running:
        for key, value in told.bus.state.scan(b"\x00", b"\xff"):
            running.service.bus.state.apply(key, value)
        yield running


async def test_the_call_answers_with_the_list(web: Site, told: Planned) -> None:
    status, work = await get(web, "/v1/work")
    assert status == 200
    assert work["groups"] == json.loads(msgspec.json.encode(told.work()["groups"]))
    status, work = await get(web, "/v1/work?supplier=ZULU&location=L&kind=order&limit=1&snoozed=true")
    assert (status, kinds(work)) == (200, [("order", "ZULU", "200")])


@pytest.mark.parametrize("query", ["kind=none", "limit=0", "snoozed=1", "sort=sku", "limit=x"])
async def test_a_parameter_without_sense_is_a_400(web: Site, query: str) -> None:
    status, problem = await get(web, f"/v1/work?{query}")
    assert (status, problem["reason"]) == (400, "invalid_parameter")


async def test_a_filter_that_matches_nothing_gives_an_empty_list(web: Site) -> None:
    status, work = await get(web, "/v1/work?supplier=nobody")
    assert (status, work["groups"], work["total"], work["value_at_risk"]) == (200, [], 0, [])
