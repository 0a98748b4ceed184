"""What a row says is a function of the set of its events: no order of arrival changes it, equal times included.

What depends on arrival by contract is left out here: duplicates and conflicts, refusals, movements outside the window,
and which signals opened on the way.
"""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.auditor.adapter import Rig
from tests.auditor.model import HOUR, Event, instant
from tests.auditor.teller import iso
from tests.auditor.workload import encoded

SETS = json.loads((Path(__file__).parents[1] / "data" / "arrival-orders.json").read_text())
OUTSIDE_THE_WINDOW = (11, 12, 13)
"""Sets with a movement older than 48 hours before the latest event: the contract lets arrival decide there."""
BEGIN = instant("2026-03-02T12:00:00+00:00")
ARRIVAL = instant("2026-03-05T00:00:00+00:00")
LATER = ARRIVAL + 49 * HOUR
ROW = {"sku": "S", "location": "L"}
DAYS = 30

qty = st.integers(1, 20)
count_qty = st.integers(0, 30)
day = st.sampled_from(["2026-03-01", "2026-03-04", "2026-03-09", "2026-03-18"])
maybe_day = st.none() | day
order, shipment, name = st.sampled_from("OP"), st.sampled_from("HI"), st.sampled_from("ab")
line = st.integers(1, 2)
of_line = {"order": order, "line": line}
version = st.sampled_from(["v1", "v2", "d1", "d2"])
buckets = st.lists(
    st.fixed_dictionaries(
        {"start": st.sampled_from(["2026-03-02", "2026-03-09"]), "days": st.just(7), "qty": st.integers(0, 60)}
    ),
    max_size=2,
    unique_by=lambda bucket: bucket["start"],
)
promise = st.fixed_dictionaries(
    {"status": st.sampled_from(["accepted", "changed", "backordered", "rejected", "pending"]), "qty": count_qty},
    optional={"due": day},
)
POLICIES = st.sampled_from(
    [
        {"kind": "min_max", "min": 10, "max": 40},
        {"kind": "reorder_point", "point": 15, "qty": 12},
        {"kind": "forecast"},
        {"kind": "none"},
    ]
)


def data(required: dict[str, Any], **optional: st.SearchStrategy) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


received = st.one_of(
    data({"qty": qty, **of_line}, closes_line=st.booleans(), held=count_qty, damaged=count_qty),
    data({"qty": qty, **of_line, "shipment": shipment}),
    data({"qty": qty, "shipment": shipment}, closes_line=st.booleans()),
    data({"qty": qty, "order": order}, closes_line=st.booleans()),
    data({"qty": qty}),
)
status = st.sampled_from(["available", "held"])
named = {"order": order, "line": line, "shipment": shipment}
taken_back = st.one_of(
    data({"receipt": st.just("R")}, reopens_line=st.booleans(), **named),
    data({"receipt": st.just("R"), "qty": qty}, held=count_qty, damaged=count_qty, reopens_line=st.booleans(), **named),
)
TYPES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "item.defined": data({"base_unit": st.just("each"), "units": st.just({"case": 12})}),
    "policy.set": data(
        {"policy": POLICIES},
        lead_time_days=st.integers(0, 5),
        ack_days=st.integers(0, 3),
        asn_days=st.integers(0, 9),
        moq=st.integers(0, 30),
        multiple=st.integers(1, 6),
    ),
    "forecast.revised": st.one_of(
        data({"version": version, "mode": st.just("replace"), "buckets": buckets}),
        data({"version": version, "mode": st.just("delta"), "base_version": version, "buckets": buckets}),
    ),
    "order.placed": data(
        {**of_line, "supplier": st.sampled_from("XY"), "qty": qty, "due": day}, revision=st.integers(0, 2)
    ),
    "order.changed": data({**of_line}, qty=count_qty, due=day, revision=st.integers(0, 2)),
    "order.cancelled": data({**of_line}),
    "order.closed": data({**of_line}),
    "order.acknowledged": data({**of_line, "schedule": st.lists(promise, max_size=2)}),
    "shipment.notified": data({**of_line, "shipment": shipment, "qty": qty}, eta=day),
    "shipment.changed": data({**of_line, "shipment": shipment}, qty=count_qty, eta=day, revision=st.integers(0, 2)),
    "shipment.cancelled": data({**of_line, "shipment": shipment}, revision=st.integers(0, 2)),
    "goods.received": received,
    "receipt.reversed": taken_back,
    "stock.adjusted": data({"qty": st.integers(-20, -1), "reason": st.just("x")}, status=status),
    "stock.counted": data({"qty": count_qty}, status=status),
    "stock.issued": data({"qty": qty}, reservation=name),
    "stock.returned": data({"qty": qty, "disposition": st.sampled_from(["available", "held", "scrap"])}),
    "stock.returned_to_supplier": data({"qty": qty}, status=status, order=order, line=line),
    "stock.held": data({"qty": qty}),
    "stock.released": data({"qty": qty}),
    "stock.reserved": data(
        {"reservation": name, "qty": qty},
        expires=st.sampled_from(["2026-03-02T18:00:00Z", "2026-03-20T00:00:00Z"]),
    ),
    "reservation.released": data({"reservation": name}, qty=qty),
    "transfer.shipped": data({"transfer": name, "from": st.just("K"), "to": st.just("L"), "qty": qty}, eta=day),
    "transfer.received": data({"transfer": name, "to": st.just("L"), "qty": qty}, held=count_qty),
    "balance.reported": data({"on_hand": count_qty}, held=count_qty),
}
moments = st.sampled_from([BEGIN, BEGIN, BEGIN + 1_000_000, BEGIN + HOUR, BEGIN + 26 * HOUR])


@st.composite
def told(draw: st.DrawFn, most: int = 6) -> list[Event]:
    """A few events of one row, of any types, many of them at equal times."""
    kinds = draw(st.lists(st.sampled_from(sorted(TYPES)), min_size=2, max_size=most))
    numbers = count()
    events = []
    for kind in kinds:
        said = draw(TYPES[kind])
        row = {"sku": "S"} if kind.startswith(("item", "transfer")) else ROW
        if kind == "goods.received":
            said = {"receipt": draw(st.sampled_from([f"R{next(numbers)}", "R"])), **said}
        if kind in ("stock.adjusted", "order.changed") and not said.get("qty", 1):
            said.pop("qty")
        events.append(
            {"specversion": "1.0", "id": f"x{next(numbers)}", "source": "t", "type": kind,
             "time": iso(draw(moments)), "data": row | said}
        )  # fmt: skip
    return events


def said(events: list[Event], batch: int) -> dict[str, Any]:
    """All that the engine says of the row in the end, but for what speaks of order."""
    rig = Rig(1)
    for start in range(0, len(events), batch):
        refused = rig.send([encoded(event) for event in events[start : start + batch]], ARRIVAL)
        assert refused == {}
    rig.tick(LATER)
    detail = rig.detail(("S", "L"), DAYS) or {}
    alerts = sorted(alert["kind"] for alert in detail.pop("alerts", ()) if alert["kind"] != "late_count")
    if any(event["type"].startswith(("shipment", "transfer")) for event in events):
        # Whether goods in flight explain a difference is judged when the report is compared.
        alerts = [kind for kind in alerts if kind != "balance_drift"]
    signal = detail.pop("signal", None)
    left_out = ("updated", "reorder", "forecast", "policy")
    forecast = detail.get("forecast") or {}
    return {
        **{name: value for name, value in detail.items() if name not in left_out},
        "forecast": {name: forecast.get(name) for name in ("version", "complete", "buckets")},
        "signal": signal is not None,
        "alerts": alerts,
    }


@given(events=told(), data=st.data())
@settings(max_examples=400)
def test_no_order_of_arrival_changes_what_a_row_says(events: list[Event], data: st.DataObject) -> None:
    other = data.draw(st.permutations(events))
    batch = data.draw(st.integers(1, 3))
    assert said(events, 1) == said(other, batch)


@pytest.mark.parametrize("number", [n for n in range(len(SETS)) if n not in OUTSIDE_THE_WINDOW])
def test_sets_whose_rows_once_differed(number: int) -> None:
    found = SETS[number]
    one, other = ([found["events"][place] for place in order] for order in found["orders"])
    assert said(one, 1) == said(other, 1)
