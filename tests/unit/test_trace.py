"""What led to something and what it led to, over the engine's own rows, from every place of a chain."""

from typing import Any

import pytest

from engine.trace import answer
from engine.trace.answer import Trace, trace_of
from engine.trace.documents import DocumentIndex
from engine.trace.question import Question
from tests.unit.test_agents_planning import week
from tests.unit.test_work import Planned

ROW = {"sku": "D", "location": "L"}
ORDERED: dict[str, Any] = {**ROW, "order": "PO-1", "line": 1}


class Traced(Planned):
    """Rows, and the traces through them."""

    def __init__(self) -> None:
        super().__init__()
        self.index = DocumentIndex(self.bus)
        self.bus.observers.append(self.index)

    def trace(self, events: int = 300, **asked: str) -> Trace | None:
        return trace_of(self.bus, self.index.rows_of, Question(**asked), self.now, events)

    def found(self, **asked: str) -> Trace:
        trace = self.trace(300, **asked)
        assert trace is not None
        return trace


def names(trace: Trace) -> list[str]:
    return [f"{node.kind} {node.id}" for node in trace.nodes]


def chain(trace: Trace) -> list[tuple[str, str, str]]:
    """The edges of a trace: cause, why, effect."""
    told = {node.key: f"{node.kind} {node.id}" for node in trace.nodes}
    return sorted((told[edge.source], edge.why, told[edge.target]) for edge in trace.edges)


@pytest.fixture
def told() -> Traced:
    """A forecast change that opens a signal, which is accepted, drafted, ordered, shipped, received and taken back."""
    told = Traced()
    told.item("D", "A")
    told.stock("D", 200)
    told.tell("forecast.revised", 1.3, **ROW, version="v2", mode="delta", base_version="v1", buckets=[week(1, 150)])
    signal = told.signal()["id"]
    told.tell("signal.accepted", 1.4, **ROW, signal=signal, by="ann")
    told.tell("signal.drafted", 1.5, **ROW, signal=signal, system="erp", document="Q-1")
    told.tell("order.placed", 1.6, **ORDERED, supplier="ACME", qty=20, due="2026-03-08", signal=signal)
    told.tell("order.acknowledged", 1.7, **ORDERED, schedule=[{"status": "accepted", "qty": 20, "due": "2026-03-08"}])
    told.tell("shipment.notified", 1.8, **ORDERED, shipment="S-1", qty=12, eta="2026-03-07")
    told.tell("goods.received", 1.9, **ORDERED, receipt="R-1", shipment="S-1", qty=12)
    told.tell("receipt.reversed", 1.95, **ROW, receipt="R-1", qty=2)
    return told


SIGNAL = "sig-0d4a2cd721413e3bfcc5"
BACK = [
    ("event t/3", "it moved", f"signal {SIGNAL}"),
    ("forecast v1", "it is amended by", "forecast v2"),
    ("forecast v2", "it opened", f"signal {SIGNAL}"),
]
ORDERING = [
    ("draft Q-1", "the draft became", "order PO-1/1"),
    (f"signal {SIGNAL}", "it is drafted as", "draft Q-1"),
    (f"signal {SIGNAL}", "it was ordered as", "order PO-1/1"),
]
DECIDING = [
    (f"signal {SIGNAL}", "it was answered by", "decision t/7"),
    ("decision t/7", "it was decided", "order PO-1/1"),
]
ANSWERING = [("order PO-1/1", "the supplier answered", "acknowledgement t/10")]
SHIPPING = [("order PO-1/1", "it is shipped by", "shipment S-1")]
ARRIVING = [("shipment S-1", "it arrived as", "receipt R-1")]
REVERSING = [("receipt R-1", "it was taken back by", "reversal R-1")]
AHEAD = [*ORDERING, *DECIDING, *ANSWERING, *SHIPPING, *ARRIVING, *REVERSING]


@pytest.mark.parametrize(
    ("asked", "edges", "summary"),
    [
        (
            {**ROW, "version": "v1"},
            [*BACK[1:], *AHEAD],
            f"Forecast v1 moved signal {SIGNAL}, and is in the open order PO-1/1.",
        ),
        (
            {**ROW, "event": "t/6"},
            [*BACK[1:], *AHEAD],
            f"Forecast v2 moved signal {SIGNAL}, and is in the open order PO-1/1.",
        ),
        (
            {"signal": SIGNAL},
            [*BACK, *AHEAD],
            f"Signal {SIGNAL} is ordered, moved by forecasts v2, v1, and is in the open order PO-1/1.",
        ),
        (
            {"order": "PO-1", "line": "1"},
            [*BACK, *ORDERING, *DECIDING, *ANSWERING, *SHIPPING, *ARRIVING, *REVERSING],
            f"Order PO-1/1 is open, and was asked for by signal {SIGNAL}, moved by forecasts v2, v1.",
        ),
        (
            {"shipment": "S-1"},
            [*BACK, *ORDERING, *DECIDING, *SHIPPING, *ARRIVING, *REVERSING],
            f"Shipment S-1 belongs to order PO-1/1, which was asked for by signal {SIGNAL}, moved by forecasts v2, v1.",
        ),
        (
            {"receipt": "R-1"},
            [*BACK, *ORDERING, *DECIDING, *SHIPPING, *ARRIVING, *REVERSING],
            f"Receipt R-1 belongs to order PO-1/1, which was asked for by signal {SIGNAL}, moved by forecasts v2, v1.",
        ),
        (
            {**ROW, "event": "t/7"},
            [*BACK, *DECIDING, *ANSWERING, *SHIPPING, *ARRIVING, *REVERSING],
            f"Decision t/7 is about signal {SIGNAL}, moved by forecasts v2, v1, and is in the open order PO-1/1.",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_chain_is_told_from_every_place_of_it(
    told: Traced, asked: dict[str, str], edges: list[tuple[str, str, str]], summary: str
) -> None:
    trace = told.found(**asked)
    assert chain(trace) == sorted(edges)
    assert trace.summary[0] == summary
    assert {node.key for node in trace.nodes} >= {*trace.start}
    assert trace.truncated == answer.Cut(forward=False, backward=False, rows=0, events=False, trimmed=False)


def test_everything_of_a_row_is_told_where_only_the_row_is_given(told: Traced) -> None:
    trace = told.found(**ROW)
    assert chain(trace) == sorted([*BACK, *AHEAD])
    assert len(trace.start) == len(trace.nodes) == 11


def test_things_are_told_as_they_are_now(told: Traced) -> None:
    nodes = {f"{node.kind} {node.id}": node for node in told.found(signal=SIGNAL).nodes}
    assert nodes["order PO-1/1"].sentence == (
        "20 ordered from ACME, due 2026-03-08: 10 received, 2 in transit, 8 on order."
    )
    assert nodes["order PO-1/1"].figures["on_order"] == 8
    assert (nodes["draft Q-1"].status, nodes["shipment S-1"].events) == ("ordered", ["t/11"])
    assert nodes["forecast v2"].sentence == "Forecast v2 changes v1 by +150 units."
    assert nodes[f"signal {SIGNAL}"].status == "ordered"
    told.tell("order.closed", 2, **ORDERED)
    assert told.found(order="PO-1").summary == [
        f"Order PO-1/1 is closed, and was asked for by signal {SIGNAL}, moved by forecasts v2, v1."
    ]


def test_a_forecast_change_that_is_not_ordered_yet_says_so() -> None:
    told = Traced()
    told.stock("D", 200)
    told.tell("forecast.revised", 1.3, **ROW, version="v2", mode="delta", base_version="v1", buckets=[week(1, 150)])
    signal = told.signal()["id"]
    assert told.found(**ROW, version="v2").summary == [f"Forecast v2 moved signal {signal}, and is in no order yet."]
    told.tell("signal.ordered", 1.4, **ROW, signal=signal, by="erp", order="PO-9", line=4)
    assert told.found(**ROW, version="v2").summary == [
        f"Forecast v2 moved signal {signal}, and is in the announced order PO-9/4."
    ]


def test_an_order_that_names_no_signal_is_told_with_the_forecast_that_was_in_force() -> None:
    told = Traced()
    told.stock("D", 500)
    told.tell("order.placed", 1.6, **ORDERED, supplier="ACME", qty=20, due="2026-03-08")
    told.tell("forecast.revised", 1.7, **ROW, version="v2", mode="delta", base_version="v1", buckets=[week(1, 5)])
    trace = told.found(order="PO-1")
    assert chain(trace) == [("forecast v1", "it was in force when this was ordered", "order PO-1/1")]
    assert trace.summary == ["Order PO-1/1 is open, and names no signal, moved by forecast v1."]


def test_a_signal_that_time_has_opened_is_told_with_the_tick() -> None:
    told = Traced()
    told.tell("policy.set", 1, **ROW, policy={"kind": "min_max", "min": 50, "max": 120})
    told.tell("item.defined", 3, sku="D", base_unit="each")
    signal = told.signal()["id"]
    trace = told.found(signal=signal)
    tick = "stockline/clock/2026-03-03T00:03:00Z"
    assert chain(trace) == [(f"event {tick}", "it opened", f"signal {signal}")]
    assert trace.nodes[0].sentence == "Time passed: 2026-03-03T00:03:00Z."
    assert trace.summary == [f"Signal {signal} is open, moved by event {tick}, and is in no order yet."]


def test_events_tell_the_same_chain_in_any_order_of_arrival() -> None:
    lines: list[tuple[str, dict[str, Any]]] = [
        ("order.placed", {**ORDERED, "supplier": "ACME", "qty": 20, "due": "2026-03-08"}),
        ("order.acknowledged", {**ORDERED, "schedule": [{"status": "accepted", "qty": 20}]}),
        ("shipment.notified", {**ORDERED, "shipment": "S-1", "qty": 12}),
        ("goods.received", {**ORDERED, "receipt": "R-1", "shipment": "S-1", "qty": 12}),
        ("receipt.reversed", {**ROW, "receipt": "R-1", "qty": 2}),
    ]
    told, reverse = Traced(), Traced()
    for at, (kind, data) in enumerate(lines):
        told.tell(kind, 2 + at / 10, **data)
    for at, (kind, data) in reversed(list(enumerate(lines))):
        reverse.tell(kind, 2 + at / 10, **data)
    without_ids = [
        [(edge[0].split()[0], *edge[1:2]) for edge in chain(each.found(order="PO-1"))] for each in (told, reverse)
    ]
    assert sorted(without_ids[0]) == sorted(without_ids[1])
    assert len(without_ids[0]) == 4


# bounds ---------------------------------------------------------------------------------------------------------------


def test_only_so_many_events_are_read_and_the_answer_says_so(told: Traced) -> None:
    trace = told.trace(events=4, order="PO-1")
    assert trace is not None
    assert trace.truncated.events
    assert [edge for edge in chain(trace) if edge[0].startswith("order")] != []
    assert told.trace(events=4, **ROW, version="v1") is None


def test_so_many_things_are_told_in_each_direction(told: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "MOST_NODES", 3)
    trace = told.found(signal=SIGNAL)
    assert (trace.truncated.forward, trace.truncated.backward) == (True, True)
    assert len(trace.nodes) == 5


def test_events_that_are_gone_are_told_by_their_name(told: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    read = told.bus.published.row_events
    monkeypatch.setattr(told.bus.published, "row_events", lambda *asked: read(*asked)[:2])
    trace = told.found(signal=SIGNAL)
    assert trace.truncated.trimmed
    assert {(node.kind, node.status) for node in trace.nodes if node.events == ["t/6"]} == {("event", "not read")}
    assert ("event t/6", "it opened", f"signal {SIGNAL}") in chain(trace)
