"""What is known of orders is a function of the set of events: of no order of arrival, and not of who came first."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.auditor.adapter import Rig, differences
from tests.auditor.model import HOUR, Event, instant
from tests.auditor.plan import Plan
from tests.auditor.workload import encoded

ROW = {"sku": "S", "location": "L"}
KEY = ("S", "L")
ARRIVED = instant("2026-03-04T00:00:00+00:00")
LATER = ARRIVED + 30 * HOUR
DAYS = 25

times = st.sampled_from(["2026-03-02T12:00:00+00:00", "2026-03-02T12:01:00+00:00", "2026-03-03T08:00:00+00:00"])
days = st.sampled_from(["2026-03-01", "2026-03-04", "2026-03-06", "2026-03-20"])
orders = st.sampled_from("OOOP")
numbers = st.sampled_from([2, 2, 2, 10, 1])
shipments = st.sampled_from("IIJ")
quantities = st.integers(1, 20)
lines = {"order": orders, "line": numbers}
revisions = st.integers(0, 2)
promises = st.fixed_dictionaries(
    {"status": st.sampled_from(["accepted", "changed", "backordered", "rejected"]), "qty": st.integers(0, 20)},
    optional={"due": days},
)
received = {"receipt": st.just("R"), "qty": quantities}

Strategies = dict[str, st.SearchStrategy[Any]]


def of(kind: str, needed: Strategies, optional: Strategies | None = None) -> st.SearchStrategy[tuple[Any, ...]]:
    """An event of a kind, without its name, as (type, time, data)."""
    data: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(needed, optional=optional or {})
    return st.tuples(st.just(kind), times, data)


purchasing = st.one_of(
    of("order.placed", {**lines, "supplier": st.sampled_from("XY"), "qty": quantities, "due": days},
       {"revision": revisions}),
    of("order.changed", lines, {"qty": st.integers(0, 20), "due": days, "revision": revisions}),
    of("order.cancelled", lines),
    of("order.closed", lines),
    of("order.acknowledged", {**lines, "schedule": st.lists(promises, max_size=3)}),
    of("shipment.notified", {**lines, "shipment": shipments, "qty": quantities}, {"eta": days}),
    of("shipment.notified", {**lines, "shipment": shipments, "qty": quantities, "eta": days}),
    of("shipment.changed", {**lines, "shipment": shipments},
       {"qty": st.integers(0, 20), "eta": days, "revision": revisions}),
    of("shipment.cancelled", {**lines, "shipment": shipments}, {"revision": revisions, "qty": quantities, "eta": days}),
    of("goods.received", {**received, **lines}, {"shipment": shipments, "closes_line": st.booleans()}),
    of("goods.received", {**received, "order": orders}, {"shipment": shipments, "closes_line": st.booleans()}),
    of("goods.received", {**received, "shipment": shipments}, {"closes_line": st.booleans()}),
    of("receipt.reversed", {"receipt": st.just("R")},
       {"order": orders, "line": numbers, "shipment": shipments, "reopens_line": st.booleans()}),
    of("receipt.reversed", {**received},
       {"order": orders, "line": numbers, "shipment": shipments, "reopens_line": st.booleans()}),
)  # fmt: skip
policies = of(
    "policy.set", {"policy": st.just({"kind": "none"})}, {"ack_days": st.integers(0, 2), "asn_days": st.integers(0, 5)}
)
transfers = st.one_of(
    of("transfer.shipped", {"transfer": st.sampled_from("TU"), "qty": quantities}, {"eta": days}),
    of("transfer.received", {"transfer": st.sampled_from("TU"), "qty": quantities}),
)


@st.composite
def told(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """The same events in two orders of arrival, some of them at equal times."""
    drawn = draw(st.lists(st.one_of(purchasing, purchasing, purchasing, transfers, policies), min_size=4, max_size=18))
    drawn += draw(st.sampled_from([[], PLANNED]))
    events = [named(number, *event) for number, event in enumerate(drawn)]
    return events, draw(st.permutations(events))


def named(number: int, kind: str, time: str, data: dict[str, Any]) -> Event:
    place = ROW
    if kind.startswith("transfer."):
        place = {"sku": "S", "to": "L"} | ({"from": "M"} if kind == "transfer.shipped" else {})
    return {
        "specversion": "1.0", "id": f"x{number}", "source": "t", "type": kind, "time": time, "data": place | data,
    }  # fmt: skip


PLANNED = [
    (
        "policy.set",
        "2026-03-02T12:00:00+00:00",
        {"policy": {"kind": "forecast"}, "lead_time_days": 3, "ack_days": 1, "asn_days": 2},
    ),
    (
        "forecast.revised",
        "2026-03-02T12:00:00+00:00",
        {"version": "v", "mode": "replace", "buckets": [{"start": "2026-03-02", "days": 20, "qty": 70}]},
    ),
]


def fed(events: list[Event], size: int) -> Rig:
    rig = Rig(1)
    for start in range(0, len(events), size):
        assert rig.send([encoded(event) for event in events[start : start + size]], ARRIVED) == {}
    rig.tick(ARRIVED)
    rig.tick(LATER)
    return rig


def known(rig: Rig) -> dict[str, Any]:
    """What the row shows of orders, supply and lead times, and which alerts are open, whatever event they name."""
    detail = rig.detail(KEY, DAYS)
    if detail is None:
        return {}
    names = ("on_order", "in_transit", "available", "orders", "supply", "projection", "atp", "lead_times_days")
    alerts = [(a["kind"], {**a["evidence"], "events": None}) for a in detail["alerts"]]
    return {name: detail[name] for name in names} | {"alerts": sorted(alerts, key=repr)}


@given(told(), st.integers(1, 5))
@settings(max_examples=150)
def test_order_of_arrival_changes_nothing(both: tuple[list[Event], list[Event]], size: int) -> None:
    one, other = both
    assert known(fed(one, size)) == known(fed(other, 1))


@given(told(), st.integers(1, 5))
@settings(max_examples=100)
def test_rows_and_projection_are_those_of_the_model(both: tuple[list[Event], list[Event]], size: int) -> None:
    rig = fed(both[1], size)
    model = Plan(both[1], LATER)
    assert differences(model.rows(), rig.rows()) == []
    for key in rig.rows():
        days = [day["projected"] for day in rig.detail(key, DAYS)["projection"]]
        assert days == model.projection(key, DAYS)
