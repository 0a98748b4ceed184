"""Quantities at the ends of what events and rows may hold: the engine goes on, and can read what it publishes."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.bus.single import Commit
from engine.core.outputs import Alert, Position, Signal
from engine.core.topics import Topic
from engine.runtime.marker import Marker
from tables import keys
from tables.ledger import FLOOR, Floor
from tables.stock import STOCK, Stock
from tests.auditor.adapter import Rig
from tests.auditor.model import HOUR, instant
from tests.auditor.teller import START
from tests.auditor.workload import encoded

MOST = 10**12
ENDS = 2**63 - 1
KEY = ("A", "L")
ROW = {"sku": "A", "location": "L"}
AT = instant(START)
FAR = "9999-12-31"

quantities = st.sampled_from([1, 2, 7, MOST // 3, MOST - 1, MOST])
counts = st.sampled_from([0, 1, MOST - 1, MOST])
days = st.sampled_from([0.0, 0.5, 1.0, 3650.0])
policies = st.one_of(
    st.just({"kind": "forecast"}),
    st.builds(lambda point, qty: {"kind": "reorder_point", "point": point, "qty": qty}, counts, quantities),
    st.builds(lambda low, more: {"kind": "min_max", "min": low, "max": min(MOST, low + more)}, counts, counts),
)
limits = st.fixed_dictionaries(
    {"policy": policies},
    optional={
        "moq": counts, "multiple": quantities, "max_qty": quantities, "safety_stock": counts,
        "lead_time_days": days, "lead_time_std_days": days, "review_days": days,
        "service_level": st.sampled_from([1e-300, 0.5, 0.9999999999999999]),
        "unit_cost": st.sampled_from(["0", "1e12", "1e-30"]),
        "auto": st.just({"max_qty": MOST, "max_value": "1e12"}),
    },
)  # fmt: skip
buckets = st.builds(
    lambda qty, length, number: [{"start": START[:10], "days": length, "qty": qty}] * number,
    counts, st.sampled_from([1, 7, 366]), st.sampled_from([1, 1000]),
)  # fmt: skip


def of(kind: str, **data: Any) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    drawn = {name: value if isinstance(value, st.SearchStrategy) else st.just(value) for name, value in data.items()}
    return st.tuples(st.just(kind), st.fixed_dictionaries(drawn))


LINE = {"order": "O", "line": 1}
events = st.one_of(
    limits.map(lambda policy: ("policy.set", policy)),
    of("forecast.revised", version="v", mode="replace", buckets=buckets),
    of("order.placed", **LINE, supplier="S", qty=quantities, due=st.sampled_from([START[:10], FAR])),
    of("shipment.notified", **LINE, shipment="T", qty=quantities, eta=FAR),
    of("goods.received", **LINE, receipt="R", qty=counts, held=quantities, damaged=counts),
    of("stock.adjusted", qty=st.sampled_from([-MOST, -1, 1, MOST]), reason="found"),
    of("stock.counted", qty=counts),
    of("stock.issued", qty=quantities),
    of("stock.reserved", reservation="B", qty=quantities),
    of("stock.held", qty=quantities),
)
histories = st.lists(events, min_size=1, max_size=10)


def line(number: int, kind: str, data: dict[str, Any]) -> bytes:
    return encoded(
        {"specversion": "1.0", "id": f"e-{number}", "source": "ends", "type": kind, "time": START, "data": ROW | data}
    )


def check(rig: Rig) -> None:
    """All that was published is what its type says, rows can be read again, and the largest horizon can be answered."""
    kinds: dict[Topic, type[msgspec.Struct]] = {"positions": Position, "signals": Signal, "alerts": Alert}
    for topic, kind in kinds.items():
        for data in rig.latest(topic):
            msgspec.convert(data, kind)
    for signal in rig.latest("signals"):
        assert 1 <= signal["qty"] <= MOST
        terms = {term["term"]: term["value"] for term in signal["explanation"]["terms"]}
        assert abs(terms["wanted"]) <= ENDS
    detail = rig.detail(KEY, 365)
    assert detail is not None
    assert all(abs(day[column]) <= ENDS for day in detail["projection"] for column in ("projected", "atp", "demand"))
    msgspec.json.encode(detail)
    rig.crash()
    rig.tick(AT + HOUR)


def play(rig: Rig, history: list[tuple[str, dict[str, Any]]]) -> None:
    for number, (kind, data) in enumerate(history):
        refused = rig.send([line(number, kind, data)], AT)
        assert set(refused.values()) <= {"quantity_out_of_range"}
    if rig.positions():
        check(rig)


@given(histories)
@settings(max_examples=120)
@example(
    [
        ("policy.set", {"policy": {"kind": "forecast"}, "lead_time_days": 1.0, "lead_time_std_days": 3650.0,
                        "service_level": 0.9999999999999999}),
        ("forecast.revised", {"version": "v", "mode": "replace",
                              "buckets": [{"start": START[:10], "days": 1, "qty": MOST}] * 1000}),
    ]
)  # fmt: skip
def test_the_engine_goes_on_whatever_the_quantities(history: list[tuple[str, dict[str, Any]]]) -> None:
    play(Rig(1), history)


@given(st.sampled_from([-ENDS, -ENDS + MOST, ENDS - MOST, ENDS]), histories)
@settings(max_examples=120)
@example(-ENDS, [("policy.set", {"policy": {"kind": "reorder_point", "point": 0, "qty": 7}, "multiple": 5})])
@example(
    -ENDS,
    [
        ("policy.set", {"policy": {"kind": "forecast"}}),
        ("forecast.revised", {"version": "v", "mode": "replace",
                              "buckets": [{"start": START[:10], "days": 1, "qty": MOST}] * 1000}),
    ],
)  # fmt: skip
def test_a_row_at_the_end_of_64_bits_goes_on(balance: int, history: list[tuple[str, dict[str, Any]]]) -> None:
    rig = Rig(1)
    row = keys.row(*KEY)
    rows: dict[bytes, Stock | Floor] = {
        STOCK + row: Stock(available=balance, moved_at=0, floor_at=0),
        FLOOR + row: Floor(balance),
    }
    marker = msgspec.msgpack.encode(Marker(0, AT, {}, rig.rules))
    changes: list[tuple[bytes, bytes | None]] = [(key, msgspec.msgpack.encode(value)) for key, value in rows.items()]
    rig.bus.commit([Commit(0, [], changes, [], [], marker, 0)])
    rig.crash()
    play(rig, history)


def test_a_quantity_beyond_the_most_that_an_order_can_say_is_capped_and_says_so() -> None:
    rig = Rig(1)
    assert rig.send([line(1, "stock.issued", {"qty": MOST})], AT) == {}
    policy = {"policy": {"kind": "min_max", "min": 0, "max": MOST}, "multiple": 7}
    assert rig.send([line(2, "policy.set", policy)], AT) == {}
    [signal] = rig.latest("signals")
    assert signal["qty"] == MOST // 7 * 7
    assert signal["explanation"]["binding"] == "quantity_limit"
    assert "the most that one order can say" in signal["explanation"]["sentence"]
    accepted = {"signal": signal["id"], "by": "ann", "qty": signal["qty"]}
    assert rig.send([line(3, "signal.accepted", accepted)], AT) == {}
