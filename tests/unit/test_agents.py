"""Rules of the agents beyond row arithmetic: signals' lives, drift with a cause, forecasts, lead times, feeds."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from tests.auditor.adapter import Rig

ROW = {"sku": "A", "location": "L"}
ARRIVED = 1_900_000_000_000_000


class Told(Rig):
    """An engine that is told events by day and hour of March 2026."""

    def __init__(self) -> None:
        super().__init__(2)
        self.n = 0
        self.tell("item.defined", 1, sku="A", base_unit="each", units={"case": 12})

    def tell(self, kind: str, day: float, refused: str | None = None, source: str = "t", **data: Any) -> str:
        self.n += 1
        time = f"{date(2026, 3, 1) + timedelta(days=int(day) - 1)}T{int(day % 1 * 24):02}:{self.n % 60:02}:00Z"
        event = {"specversion": "1.0", "id": f"{self.n}", "source": source, "type": kind, "time": time, "data": data}
        assert self.send([json.dumps(event).encode()], ARRIVED) == ({0: refused} if refused else {})
        return f"{source}/{self.n}"

    def row(self, kind: str, day: float, refused: str | None = None, **data: Any) -> str:
        return self.tell(kind, day, refused, **ROW, **data)

    def alert(self, kind: str) -> Any:
        """The one open alert of a kind as it was published, or None."""
        found = [a for a in self.latest("alerts") if a["kind"] == kind and a["status"] != "resolved"]
        assert len(found) <= 1
        return found[0] if found else None

    def signal(self) -> Any:
        """The one standing signal as it was published, or None."""
        standing = [s for s in self.latest("signals") if s["status"] in ("open", "accepted")]
        assert len(standing) <= 1
        return standing[0] if standing else None

    def policy(self, day: float, **more: Any) -> None:
        self.row("policy.set", day, policy={"kind": "min_max", "min": 50, "max": 120}, **more)


def stocked(qty: int) -> Told:
    told = Told()
    told.row("stock.counted", 1, qty=qty)
    return told


# signals --------------------------------------------------------------------------------------------------------------


def triggered(**policy: Any) -> Told:
    told = stocked(40)
    told.policy(1.1, **policy)
    return told


def test_a_signal_is_amended_only_beyond_the_dead_band() -> None:
    told = triggered()
    assert told.signal()["qty"] == 80
    told.row("stock.issued", 2, qty=8)
    assert (told.signal()["qty"], told.signal()["revision"]) == (80, 1)
    told.row("stock.issued", 2, qty=1)
    assert (told.signal()["qty"], told.signal()["revision"]) == (89, 2)


def test_a_signal_is_withdrawn_when_its_cause_is_gone() -> None:
    told = triggered()
    told.row("stock.returned", 2, qty=11, disposition="available")
    assert told.signal() is None
    assert [s["status"] for s in told.latest("signals")] == ["withdrawn"]


def test_an_accepted_signal_stands_for_seven_days() -> None:
    told = triggered()
    name = told.signal()["id"]
    told.row("signal.accepted", 2, signal=name, by="p")
    told.row("stock.returned", 3, qty=50, disposition="available")
    assert told.signal()["status"] == "accepted"
    told.row("stock.issued", 8.9, qty=1)
    assert told.signal()["status"] == "accepted"
    told.tell("item.defined", 9.5, sku="B", base_unit="each")
    assert [s["status"] for s in told.latest("signals")] == ["expired"]


def test_a_rejected_proposal_is_not_repeated_while_it_says_the_same() -> None:
    told = triggered()
    told.row("signal.rejected", 2, signal=told.signal()["id"], by="p", reason="season ends")
    told.row("stock.issued", 3, qty=1)
    assert told.signal() is None
    told.row("stock.issued", 3.5, qty=20)
    assert told.signal()["qty"] == 101


def test_an_announced_order_holds_back_the_next_signal_until_it_is_known_or_two_days_old() -> None:
    told = triggered()
    told.row("signal.ordered", 2, signal=told.signal()["id"], by="erp", order="P", line=1)
    told.row("stock.issued", 2.5, qty=1)
    assert told.signal() is None
    told.row("order.placed", 3, order="P", line=1, supplier="S", qty=81, due="2026-03-09")
    assert told.signal() is None
    late = triggered()
    late.row("signal.ordered", 2, signal=late.signal()["id"], by="erp", order="P", line=1)
    late.row("stock.issued", 4.5, qty=1)
    assert late.signal() is not None


@pytest.mark.parametrize(
    ("policy", "reasons"),
    [
        ({}, ["no_auto_limits"]),
        ({"auto": {"max_qty": 80}}, []),
        ({"auto": {"max_qty": 79}}, ["quantity_over_limit"]),
        ({"auto": {"max_value": 800}}, ["unit_cost_unknown"]),
        ({"auto": {"max_value": 800}, "unit_cost": "10.00"}, []),
        ({"auto": {"max_value": 800}, "unit_cost": "10.01"}, ["value_over_limit"]),
    ],
)
def test_only_what_is_within_limits_goes_without_a_planner(policy: dict[str, Any], reasons: list[str]) -> None:
    signal = triggered(**policy).signal()
    assert signal["reasons"] == reasons
    assert signal["disposition"] == ("review" if reasons else "auto")


def test_negative_stock_is_not_bought_for_without_a_planner() -> None:
    told = triggered(auto={"max_qty": 1000})
    told.row("stock.issued", 2, qty=60)
    assert told.signal()["reasons"] == ["negative_stock"]
    assert told.alert("negative_stock")["evidence"]["lowest"] == -20


def test_an_order_due_after_the_lead_window_still_counts() -> None:
    told = stocked(40)
    told.row("order.placed", 1.1, order="P", line=1, supplier="S", qty=30, due="2026-09-01")
    told.policy(1.2)
    assert told.signal() is None


# drift ----------------------------------------------------------------------------------------------------------------

MOVES: dict[str, dict[str, Any]] = {"goods.received": {"receipt": "R", "qty": 48}, "stock.issued": {"qty": 7}}


@pytest.mark.parametrize(
    ("moved", "posted", "cause"),
    [
        ("goods.received", 0, "not_posted"),
        ("goods.received", 96, "posted_twice"),
        ("goods.received", 4, "unit_factor"),
        ("stock.issued", -84, "unit_factor"),
        ("stock.issued", 7, "flipped_sign"),
        ("stock.issued", -14, "posted_twice"),
    ],
)
def test_a_wrong_balance_opens_drift_with_its_cause(moved: str, posted: int, cause: str) -> None:
    told = stocked(200)
    ref = told.row(moved, 2.2, **MOVES[moved])
    told.row("balance.reported", 2.8, on_hand=200 + posted)
    found = told.alert("balance_drift")["evidence"]["causes"][0]
    assert (found["cause"], found["events"]) == (cause, [ref])
    told.row("balance.reported", 3.8, on_hand=200 + (48 if moved == "goods.received" else -7))
    assert told.alert("balance_drift") is None


def test_a_movement_at_the_cut_off_is_named_so_and_a_missing_transfer_leg_too() -> None:
    told = stocked(200)
    ref = told.row("stock.issued", 2.25, qty=9)
    told.row("balance.reported", 2.25, on_hand=200)
    assert told.alert("balance_drift")["evidence"]["causes"][0] == {
        "cause": "cut_off", "events": [ref], "explains": 9, "score": 96,
    }  # fmt: skip
    other = stocked(200)
    leg = other.tell("transfer.shipped", 2.1, sku="A", **{"from": "L"}, to="M", transfer="T", qty=30)
    other.row("balance.reported", 2.8, on_hand=200)
    found = other.alert("balance_drift")["evidence"]["causes"][0]
    assert (found["cause"], found["events"]) == ("transfer_leg", [leg])


def test_goods_in_flight_are_no_drift_and_a_late_movement_mends_it() -> None:
    told = stocked(100)
    told.row("order.placed", 1.5, order="P", line=1, supplier="S", qty=40, due="2026-03-05")
    told.row("shipment.notified", 2, order="P", line=1, shipment="S1", qty=40, eta="2026-03-04")
    told.row("balance.reported", 2.5, on_hand=140)
    assert told.alert("balance_drift") is None
    told.row("balance.reported", 3.5, on_hand=95)
    assert told.alert("balance_drift")["evidence"]["difference"] == -5
    told.row("stock.issued", 3.2, qty=5)
    assert told.alert("balance_drift") is None


# days ---------------------------------------------------------------------------------------------------------------


def test_days_are_local_days() -> None:
    told = stocked(40)
    told.tell("location.defined", 1, location="L", time_zone="Asia/Tokyo")
    told.row("order.placed", 2, order="P", line=1, supplier="S", qty=9, due="2026-03-04")
    told.tell("item.defined", 4.5, sku="B", base_unit="each")
    assert told.alert("late_supply") is None
    told.tell("item.defined", 4.7, sku="C", base_unit="each")
    assert told.alert("late_supply")["evidence"]["overdue"] is True


def test_a_due_date_at_the_end_of_time_is_only_a_far_one() -> None:
    told = stocked(40)
    told.tell("location.defined", 1, location="L", time_zone="Asia/Tokyo")
    told.row("order.placed", 2, order="P", line=1, supplier="S", qty=9, due="9999-12-31")
    told.row(
        "forecast.revised", 2, version="v", mode="replace", buckets=[{"start": "9999-12-31", "days": 366, "qty": 9}]
    )
    told.tell("transfer.shipped", 2, sku="A", **{"from": "M"}, to="L", transfer="T", qty=3, eta="9999-12-31")
    told.row("stock.issued", 3, qty=1)
    assert not told.dead_letters()
    assert told.detail(("A", "L"), 5)["position"] == 51
