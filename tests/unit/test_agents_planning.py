"""Rules of the agents about forecasts, lead times, feeds and what is projected, through a whole engine."""

from datetime import date, timedelta
from typing import Any

import pytest

from agents import forecast
from tests.unit.test_agents import ROW, Told, stocked, triggered


def week(start: int, qty: int) -> dict[str, Any]:
    return {"start": str(date(2026, 3, 1) + timedelta(days=start - 1)), "days": 7, "qty": qty}


def test_a_delta_without_its_base_leaves_a_gap_until_the_base_comes() -> None:
    told = stocked(500)
    told.row("forecast.revised", 2, version="v2", mode="delta", base_version="v1", buckets=[week(2, 7)])
    assert told.alert("forecast_gap")["evidence"]["missing"] == ["v1"]
    told.row("forecast.revised", 1.5, version="v1", mode="replace", buckets=[week(2, 70)])
    assert told.alert("forecast_gap") is None
    projection = told.detail(("A", "L"), 8)["projection"]
    assert sum(day["demand"] for day in projection) == 77


def test_the_delta_too_many_is_refused_until_the_forecast_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "MOST_SPANS", 6)
    told = Told()
    for n in range(3):
        told.row("forecast.revised", 2, version=f"d{n}", mode="delta", base_version="lost", buckets=[week(2, 7)])
    over: dict[str, Any] = {"version": "d3", "mode": "delta", "base_version": "lost", "buckets": [week(2, 7)]}
    told.row("forecast.revised", 2, refused="row_too_large", **over)
    assert told.alert("forecast_gap")["evidence"]["waiting"] == 3
    for version in ("v1", "v2"):
        told.row("forecast.revised", 3, version=version, mode="replace", buckets=[week(2, 70)])
    assert told.alert("forecast_gap") is None
    told.row("forecast.revised", 4, **over)


def test_a_bucket_that_is_over_leaves_the_forecast() -> None:
    told = stocked(100)
    told.row("forecast.revised", 1, version="v", mode="replace", buckets=[week(2, 70), week(9, 14)])
    told.tell("item.defined", 9.5, sku="B", base_unit="each")
    buckets = told.detail(("A", "L"), 3)["forecast"]["buckets"]
    assert [(bucket["start"], bucket["qty"]) for bucket in buckets] == [("2026-03-09", 14)]
    told.row("forecast.revised", 9.6, version="d", mode="delta", base_version="v", buckets=[week(2, 7), week(9, 7)])
    buckets = told.detail(("A", "L"), 3)["forecast"]["buckets"]
    assert [(bucket["start"], bucket["qty"]) for bucket in buckets] == [("2026-03-09", 21)]


def test_forecasts_that_are_always_too_high_raise_bias_after_six_periods() -> None:
    told = stocked(5000)
    told.row("forecast.revised", 1, version="v", mode="replace", buckets=[week(2 + 7 * n, 70) for n in range(8)])
    for n in range(6):
        told.row("stock.issued", 3 + 7 * n, qty=30)
        assert told.alert("forecast_bias") is None
    told.row("stock.issued", 46, qty=30)
    evidence = told.alert("forecast_bias")["evidence"]
    assert (evidence["direction"], evidence["periods"], evidence["tracking_signal"]) == ("over", 6, "6.00")


def test_receipts_later_than_the_policy_says_raise_lead_time_drift() -> None:
    told = stocked(500)
    told.policy(1, lead_time_days=3)
    for n in range(5):
        assert told.alert("lead_time_drift") is None
        told.row("order.placed", 12 * n + 2, order=f"P{n}", line=1, supplier="S", qty=5, due="2026-05-30")
        told.row("goods.received", 12 * n + 12.5, receipt=f"R{n}", order=f"P{n}", line=1, qty=5)
    assert told.alert("lead_time_drift")["evidence"]["observed_days"].startswith("10")


def test_a_silent_feed_becomes_stale_doubts_signals_and_comes_back() -> None:
    told = triggered(auto={"max_qty": 1000})
    told.tell("feed.declared", 2, feed="wms", interval_seconds=3600)
    told.tell("item.defined", 2.5, sku="B", base_unit="each")
    assert told.alert("stale_feed")["sku"] == "wms"
    told.row("stock.issued", 2.6, qty=20)
    assert told.signal()["reasons"] == ["stale_feed:wms"]
    told.tell("stock.issued", 2.7, source="wms", **ROW, qty=1)
    told.tell("item.defined", 2.7, sku="C", base_unit="each")
    assert told.alert("stale_feed") is None


def test_open_lines_that_are_late_count_as_lead_time_too() -> None:
    told = stocked(500)
    told.policy(1, lead_time_days=3)
    for n in range(5):
        told.row("order.placed", 2, order=f"P{n}", line=1, supplier="S", qty=5, due="2026-05-30")
    told.row("goods.received", 12.5, receipt="R", order="P0", line=1, qty=5)
    evidence = told.alert("lead_time_drift")["evidence"]
    assert (evidence["samples"], evidence["open_and_late"]) == (5, 4)


def test_a_transfer_that_never_arrives_is_lost_after_a_week() -> None:
    told = stocked(50)
    told.tell("transfer.shipped", 2, sku="A", **{"from": "L"}, to="M", transfer="T", qty=30, eta="2026-03-03")
    told.tell("item.defined", 10.5, sku="B", base_unit="each")
    assert told.alert("lost_in_transit") is None
    told.tell("item.defined", 11.5, sku="C", base_unit="each")
    assert told.alert("lost_in_transit")["evidence"]["missing"] == 30
    told.tell("transfer.received", 12, sku="A", to="M", transfer="T", qty=30)
    assert told.alert("lost_in_transit") is None


def test_a_projected_stockout_is_seen_ahead_and_supply_clears_it() -> None:
    told = stocked(40)
    told.policy(1, lead_time_days=7)
    told.row("forecast.revised", 2, version="v", mode="replace", buckets=[week(2, 70)])
    assert told.alert("projected_stockout")["evidence"]["date"] == "2026-03-06"
    told.row("order.placed", 2.1, order="P", line=1, supplier="S", qty=90, due="2026-03-05")
    assert told.alert("projected_stockout") is None
