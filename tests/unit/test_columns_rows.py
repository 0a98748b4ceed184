"""What a list shows beside what is published: item master, policy, forecast, signal, alerts, and lines of orders."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.bus.memory.bus import MemoryBus
from engine.bus.single import Commit, Output
from engine.columns.columns import Columns
from engine.columns.loading import NotLoaded
from engine.columns.query import Condition, Query, Sort
from engine.core.rules import Rules
from engine.core.values import DAY, partition_of, row_key
from engine.runtime.marker import read_marker
from engine.runtime.single.engine import Engine
from tests.unit import test_feeds

NOW = 1_772_442_845_000_000
DAY_OF_NOW = "2026-03-02"


class Planned:
    """An engine with columns that observe it, or that are loaded from it later."""

    def __init__(self) -> None:
        self.bus = MemoryBus(2)
        self.engine = Engine(self.bus, Rules(clock="log"))
        self.columns = self.loaded()
        self.bus.observers.append(self.columns.feed)
        self._sent = 0

    def loaded(self) -> Columns:
        columns = Columns(self.bus, lambda marker: read_marker(marker).now, lambda _as_of: 0.0, Rules(clock="log"))
        columns.load()
        return columns

    def send(self, kind: str, at: int = NOW, **data: Any) -> None:
        answer = self.engine.submit([test_feeds.event(kind, at, **data)], at)
        assert not answer.refused, answer

    def rows(self, table: str = "positions", *conditions: Condition) -> list[dict[str, Any]]:
        """What both show: the columns that followed, and others that are loaded now."""
        shown = []
        for columns in (self.columns, self.loaded()):
            columns.take()
            columns.plan(10.0)
            page = columns.page(Query(table, conditions), 0, 100)
            shown.append([json.loads(bytes(item)) for item in page.items])
        assert shown[0] == shown[1]
        return shown[0]


@pytest.fixture
def planned() -> Planned:
    return Planned()


def test_a_position_shows_its_item_its_policy_and_its_value(planned: Planned) -> None:
    planned.send("policy.set", sku="A", location="L", policy={"kind": "min_max", "min": 5, "max": 9},
                 supplier="ACME", unit_cost="2.50", currency="EUR", lead_time_days=3.5)  # fmt: skip
    planned.send("item.defined", sku="A", base_unit="each", description="Lamp", abc="A")
    planned.send("stock.counted", sku="A", location="L", qty=100)
    planned.send("stock.counted", sku="B", location="L", qty=7)
    lamp, other = planned.rows()
    wanted = {
        "description": "Lamp", "abc": "A", "base_unit": "each", "policy": "min_max", "supplier": "ACME", "s": 5, "S": 9,
        "unit_cost": "2.5", "currency": "EUR", "lead_time_days": 3.5, "value": "250", "open_alerts": 0,
    }  # fmt: skip
    assert {name: lamp[name] for name in wanted} == wanted
    assert {name: other[name] for name in wanted} == dict.fromkeys(wanted) | {"open_alerts": 1}  # unknown_item
    planned.send("item.defined", NOW + 1, sku="B", base_unit="each", description="Late")
    assert [row["description"] for row in planned.rows()] == ["Lamp", "Late"]
    assert planned.rows()[1]["open_alerts"] == 0


def test_a_row_that_has_only_a_policy_is_not_listed_before_its_position_is_published(planned: Planned) -> None:
    published = planned.bus.published
    planned.send("policy.set", sku="A", location="L", policy={"kind": "none"})
    assert len(planned.rows()) == published.count("positions")


def test_trigger_target_and_days_of_cover_follow_the_forecast(planned: Planned) -> None:
    planned.send("stock.counted", sku="A", location="L", qty=140)
    planned.send("policy.set", sku="A", location="L", policy={"kind": "forecast"}, lead_time_days=4, review_days=3,
                 safety_stock=11)  # fmt: skip
    assert [planned.rows()[0][name] for name in ("s", "S", "days_of_cover")] == [11, 11, None]
    buckets = [{"start": DAY_OF_NOW, "days": 100, "qty": 1000}]
    planned.send("forecast.revised", sku="A", location="L", version="1", mode="replace", buckets=buckets)
    row = planned.rows()[0]
    assert [row[name] for name in ("s", "S", "forecast_28_days", "days_of_cover")] == [51, 81, 280, 14.0]
    planned.send("stock.issued", NOW + DAY, sku="A", location="L", qty=100)
    assert planned.rows()[0]["days_of_cover"] == 5.894  # 40 units at 190 in 28 days


def test_a_position_shows_the_signal_that_stands(planned: Planned) -> None:
    planned.send("stock.counted", sku="A", location="L", qty=3)
    planned.send("policy.set", sku="A", location="L", policy={"kind": "min_max", "min": 5, "max": 9})
    (signal,) = planned.rows("signals")
    row = planned.rows()[0]
    assert (row["signal_id"], row["signal_qty"], row["signal_status"], row["signal_due"]) == (
        signal["id"], 6, "open", signal["due"],
    )  # fmt: skip
    planned.send("signal.rejected", sku="A", location="L", signal=signal["id"], by="ann")
    row = planned.rows()[0]
    assert [row[name] for name in row if name.startswith("signal_")] == [None] * 5


def test_a_projected_stockout_is_shown_until_it_is_resolved(planned: Planned) -> None:
    planned.send("item.defined", sku="A", base_unit="each")
    planned.send("stock.counted", sku="A", location="L", qty=10)
    buckets = [{"start": DAY_OF_NOW, "days": 10, "qty": 40}]
    planned.send("forecast.revised", sku="A", location="L", version="1", mode="replace", buckets=buckets)
    row = planned.rows()[0]
    assert (row["stockout_date"], row["open_alerts"]) == ("2026-03-04", 1)
    planned.send("stock.adjusted", NOW + 1, sku="A", location="L", qty=1000, reason="found")
    row = planned.rows()[0]
    assert (row["stockout_date"], row["open_alerts"]) == (None, 0)


PRICED = ("description", "unit_cost", "currency", "value")


def priced(planned: Planned, cost: str, at: int = NOW) -> None:
    planned.send("policy.set", at, sku="A", location="L", policy={"kind": "min_max", "min": 5, "max": 9},
                 unit_cost=cost, currency="EUR")  # fmt: skip


def test_a_signal_shows_its_item_and_its_value_by_the_master_data_of_today(planned: Planned) -> None:
    priced(planned, "0.123456")
    planned.send("item.defined", sku="A", base_unit="each", description="Lamp")
    planned.send("stock.counted", sku="A", location="L", qty=2)
    (signal,) = planned.rows("signals")
    assert signal["qty"] == 7
    assert [signal[name] for name in PRICED] == ["Lamp", "0.123456", "EUR", "0.864192"]
    versions = [planned.columns.version(table) for table in ("signals", "alerts")]
    priced(planned, "2", NOW + 1)
    planned.send("item.defined", NOW + 1, sku="A", base_unit="each", description="Late")
    assert [planned.rows("signals")[0][name] for name in PRICED] == ["Late", "2", "EUR", "14"]
    assert all(
        planned.columns.version(table) > before for table, before in zip(("signals", "alerts"), versions, strict=True)
    )
    planned.send("policy.set", NOW + 2, sku="A", location="L", policy={"kind": "none"}, unit_cost="3", currency="USD")
    dear = Condition("value", "min", (Decimal(21),))
    assert [row["currency"] for row in planned.rows("signals", dear)] == ["USD"]
    assert planned.rows("signals", dear._replace(values=(Decimal("21.000001"),))) == []


def test_an_alert_shows_what_its_units_are_worth(planned: Planned) -> None:
    planned.send("item.defined", sku="A", base_unit="each", description="Lamp")
    planned.send("stock.counted", sku="A", location="L", qty=0)
    planned.send("stock.issued", NOW + 1, sku="A", location="L", qty=7)
    planned.send("stock.issued", NOW + 1, sku="B", location="L", qty=1)
    known = {alert["kind"]: alert for alert in planned.rows("alerts") if alert["sku"] == "A"}
    assert known["negative_stock"]["qty"] == 7
    assert not {"unit_cost", "currency", "value"} & known["negative_stock"].keys()
    priced(planned, "2.5")
    shown = {(alert["sku"], alert["kind"]): alert for alert in planned.rows("alerts")}
    assert [shown["A", "negative_stock"][name] for name in PRICED] == ["Lamp", "2.5", "EUR", "17.5"]
    assert {"description", "qty", "value"} & shown["B", "unknown_item"].keys() == set()
    by_value = planned.columns.page(Query("alerts", sorts=(Sort("value", True),)), 0, 1)
    assert by_value.names == [shown["A", "negative_stock"]["id"]]


def test_an_alert_whose_evidence_another_program_wrote_is_listed_without_units(planned: Planned) -> None:
    planned.send("stock.issued", sku="A", location="L", qty=7)
    (negative,) = planned.rows("alerts", Condition("kind", "is", ("negative_stock",)))
    assert negative["qty"] == 7
    home = partition_of("A", 2)
    alert, marker = planned.bus.published.latest("alerts", negative["id"]), planned.bus.marker(home)
    assert alert is not None
    assert marker is not None
    output = msgspec.json.decode(alert)
    output["data"] |= {"id": "foreign", "evidence": {"lowest": "much"}}
    foreign = Output("alerts", row_key("A", "L"), "foreign", msgspec.json.encode(output), "alert.opened")
    planned.bus.commit([Commit(home, (), (), [foreign], (), marker, 0)])
    (shown,) = planned.rows("alerts", Condition("id", "is", ("foreign",)))
    assert "qty" not in shown


def test_order_lines_show_what_is_open_and_by_when_it_is_promised(planned: Planned) -> None:
    planned.send("item.defined", sku="A", base_unit="each", description="Lamp")
    line: dict[str, Any] = {"order": "PO-1", "line": "1", "sku": "A", "location": "L"}
    planned.send("order.placed", **line, supplier="ACME", qty=10, due="2026-03-05")
    planned.send("order.placed", **line | {"line": "2"}, supplier="ACME", qty=4, due="2026-03-03")
    schedule = [{"status": "accepted", "qty": 6, "due": "2026-03-04"}, {"status": "rejected", "qty": 4}]
    planned.send("order.acknowledged", NOW + 1, **line, schedule=schedule)
    planned.send("shipment.notified", NOW + 2, **line, shipment="S", qty=2, eta="2026-03-09")
    one, two = planned.rows("order-lines")
    wanted = {
        "order": "PO-1", "line": "1", "supplier": "ACME", "sku": "A", "location": "L", "status": "open", "ordered": 10,
        "due": "2026-03-05", "acknowledged": 6, "promised": 6, "next_promised": "2026-03-04", "received": 0,
        "on_order": 4, "in_transit": 2, "overdue_days": 0, "description": "Lamp",
    }  # fmt: skip
    assert one == wanted
    assert (two["acknowledged"], two["next_promised"], two["overdue_days"]) == (None, "2026-03-03", 0)
    planned.send("goods.received", NOW + 5 * DAY, **line | {"line": "2"}, receipt="R", qty=4)
    one, two = planned.rows("order-lines")
    assert (one["overdue_days"], two["status"], two["overdue_days"]) == (3, "closed", None)
    assert [each["line"] for each in planned.rows("order-lines", Condition("overdue_days", "min", (1,)))] == ["1"]


def test_a_list_says_how_fresh_it_is(planned: Planned) -> None:
    planned.send("stock.counted", NOW, sku="A", location="L", qty=1)
    planned.send("stock.counted", NOW + DAY, sku="B", location="L", qty=1)
    for columns in (planned.columns, planned.loaded()):
        as_of = columns.page(Query("positions"), 0, 1).freshness.as_of
        assert as_of is not None
        assert round(as_of.timestamp() * 1_000_000) == NOW + DAY


def test_a_list_that_is_not_whole_yet_is_refused_and_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.columns.loading.WAIT_SECONDS", 0.01)
    columns = Columns(MemoryBus(1), lambda _marker: 0, lambda _as_of: 0.0)
    with pytest.raises(NotLoaded, match="0 of 0 things are read"):
        columns.page(Query("positions"), 0, 1)


def test_what_was_discarded_is_listed_no_more(planned: Planned) -> None:
    planned.send("stock.counted", sku="A", location="L", qty=1)
    assert planned.columns.page(Query("positions"), 0, 1).total == 1
    version = planned.columns.version("positions")
    planned.columns.feed.discarded()
    planned.send("stock.counted", sku="B", location="L", qty=1)
    page = planned.columns.page(Query("positions"), 0, 1)
    assert (page.total, page.names) == (1, ["B\0L"])
    assert planned.columns.version("positions") > version


def test_only_some_questions_wait_for_the_lists_because_each_holds_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.columns.loading.MOST_PATIENT", 0)
    monkeypatch.setattr("engine.columns.loading.WAIT_SECONDS", 60.0)
    columns = Columns(MemoryBus(1), lambda _marker: 0, lambda _as_of: 0.0)
    with pytest.raises(NotLoaded):
        columns.version("positions")


def test_a_signal_shows_what_its_supplier_asks_of_an_order_today(planned: Planned) -> None:
    planned.send("supplier.defined", supplier="ACME", minimum_value="2500.00", currency="GBP")
    for sku, supplier in (("A", "ACME"), ("B", None), ("C", "ZULU")):
        policy = {"kind": "min_max", "min": 5, "max": 9}
        planned.send("stock.counted", sku=sku, location="L", qty=1)
        planned.send("policy.set", sku=sku, location="L", policy=policy, supplier=supplier)
    names = ("minimum_value", "minimum_currency", "truck_units", "truck_uom")
    shown = {row["sku"]: [row.get(name) for name in names] for row in planned.rows("signals")}
    assert shown == {"A": ["2500", "GBP", None, None], "B": [None] * 4, "C": [None] * 4}
    before = planned.columns.version("signals")
    planned.send("supplier.defined", NOW + 1, supplier="ACME", truck_units=33, truck_uom="pallet")
    planned.send("supplier.defined", NOW - 1, supplier="ACME", truck_units=1, truck_uom="box")
    assert planned.columns.version("signals") > before
    [mine] = planned.rows("signals", Condition("truck_uom", "is", ("pallet",)))
    assert (mine["sku"], mine["truck_units"], mine.get("minimum_value")) == ("A", 33, None)
    assert planned.rows("signals", Condition("minimum_value", "min", (Decimal(1),))) == []
