"""At which rows a document is found, and that every edge of a trace is told from both of its ends."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bus.memory.bus import MemoryBus
from engine.core.rules import Rules
from engine.runtime.single.engine import Engine
from engine.trace import answer, documents, located
from engine.trace.chains import Chain
from engine.trace.documents import DocumentIndex
from engine.trace.graph import Edge, Graph, Node, reach
from engine.trace.rows import RowHistory
from tables.purchasing import LINE, SHIPMENT
from tables.receipts import RECEIPT
from tests.unit.documents import ROOT
from tests.unit.test_agents import ARRIVED
from tests.unit.test_agents_planning import week
from tests.unit.test_trace import ORDERED, ROW, Traced, told

__all__ = ["told"]


# documents ------------------------------------------------------------------------------------------------------------


def test_an_order_of_several_rows_is_found_by_its_number_alone(told: Traced) -> None:
    for sku in ("E", "F"):
        told.tell(
            "order.placed", 2, sku=sku, location="M", order="PO-1", line=1, supplier="ACME", qty=5, due="2026-03-09"
        )
    assert told.index.rows_of("order", "PO-1") == [("D", "L"), ("E", "M"), ("F", "M")]
    assert len(told.found(order="PO-1").start) == 3
    assert told.found(order="PO-1", **ROW).start == ["order:D@L:PO-1/1"]
    assert told.trace(order="PO-") is None


def test_an_order_of_very_many_rows_is_told_in_part(told: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "MOST_ROWS", 1)
    told.tell("order.placed", 2, sku="E", location="M", order="PO-1", line=1, supplier="ACME", qty=5, due="2026-03-09")
    assert told.found(order="PO-1").truncated.rows == 1


def golden() -> MemoryBus:
    bus = MemoryBus(4)
    engine = Engine(bus, Rules(clock="log"))
    for name in ("log", "answers", "purchases"):
        engine.submit((ROOT / "tests" / "golden" / f"{name}.ndjson").read_bytes().splitlines(), ARRIVED)
    return bus


def written(bus: MemoryBus) -> Iterator[tuple[Any, str, tuple[str, str]]]:
    """(kind, number, row) of every document of a bus."""
    kinds: list[tuple[bytes, documents.DocumentKind]] = [(LINE, "order"), (SHIPMENT, "shipment"), (RECEIPT, "receipt")]
    for tag, kind in kinds:
        for key, _ in bus.state.scan(tag, bytes([tag[0] + 1])):
            sku, location, number = key[1:].decode().split("\0")[:3]
            yield kind, number, (sku, location)


def test_every_document_is_found_at_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = golden()
    expected: dict[tuple[Any, str], set[tuple[str, str]]] = {}
    for kind, number, row in written(bus):
        expected.setdefault((kind, number), set()).add(row)
    assert len(expected) > 50
    for few in (documents.FEW, 5):
        monkeypatch.setattr(documents, "FEW", few)
        index = DocumentIndex(bus)
        assert {asked: set(index.rows_of(*asked)) for asked in expected} == expected


def test_documents_that_come_later_are_found_too(told: Traced) -> None:
    assert told.index.rows_of("order", "PO-2") == []
    told.tell("order.placed", 2, **{**ORDERED, "order": "PO-2"}, supplier="ACME", qty=5, due="2026-03-09")
    assert told.index.rows_of("order", "PO-2") == [("D", "L")]
    assert told.index.rows_of("receipt", "R-1") == [("D", "L")]


def test_an_index_of_a_bus_that_begins_anew_is_read_anew(told: Traced) -> None:
    told.index.rows_of("order", "PO-2")
    told.bus.observers.remove(told.index)
    told.tell("order.placed", 2, **{**ORDERED, "order": "PO-2"}, supplier="ACME", qty=5, due="2026-03-09")
    assert told.index.rows_of("order", "PO-2") == []
    told.index.discarded()
    assert told.index.rows_of("order", "PO-2") == [("D", "L")]


# events ---------------------------------------------------------------------------------------------------------------


def test_an_event_is_found_by_its_name_alone(told: Traced) -> None:
    assert told.found(event="t/6").summary == told.found(**ROW, version="v2").summary
    assert told.trace(event="t/1") is None, "it defines an item, and concerns no row"
    assert told.trace(event="t/999") is None


def test_every_event_of_the_recorded_log_is_found_at_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(located, "PORTION", 7)
    bus = MemoryBus(4)
    engine = Engine(bus, Rules(clock="log"))
    lines = (ROOT / "tests" / "golden" / "log.ndjson").read_bytes().splitlines()
    for count, line in enumerate(lines):
        engine.submit([line], ARRIVED + count // 20)
    events = [json.loads(line) for line in lines]
    of_rows = [event for event in events if {"sku", "location"} <= event["data"].keys()]
    assert len(of_rows) > 200
    for event in of_rows:
        row = (event["data"]["sku"], event["data"]["location"])
        assert located.rows_of_event(bus, f"{event['source']}/{event['id']}") == [row]


def test_names_with_slashes_are_told_apart(told: Traced) -> None:
    told.tell("stock.issued", 2, source="wms/leeds/a", **ROW, qty=1)
    assert located.rows_of_event(told.bus, f"wms/leeds/a/{told.n}") == [("D", "L")]


class Copy:
    """What a process on Kafka has of a bus: all but the log."""

    def __init__(self, bus: MemoryBus) -> None:
        self.partitions, self.state, self.published, self.marker = bus.partitions, bus.state, bus.published, bus.marker


@pytest.mark.parametrize("source", ["t", "shop/leeds/a"])
def test_without_the_log_at_hand_a_decision_is_found_by_its_name_and_no_other_event(source: str) -> None:
    told = Traced()
    told.item("D", "A")
    told.stock("D", 200)
    told.tell("forecast.revised", 1.3, **ROW, version="v2", mode="delta", base_version="v1", buckets=[week(1, 150)])
    told.tell("signal.accepted", 1.4, source=source, **ROW, signal=told.signal()["id"], by="ann")
    copy = Copy(told.bus)
    assert (located.finds_every_event(told.bus), located.finds_every_event(copy)) == (True, False)
    assert located.rows_of_event(copy, f"{source}/{told.n}") == [("D", "L")]
    assert located.rows_of_event(told.bus, f"{source}/{told.n}") == [("D", "L")]
    assert located.rows_of_event(copy, "t/6") == []
    assert located.rows_of_event(copy, "t/999") == []


# edges ----------------------------------------------------------------------------------------------------------------


def graph_of(edges: list[tuple[int, int]]) -> Graph:
    graph = Graph()
    for number in {number for edge in edges for number in edge}:
        graph.add(Node(key=f"{number}", kind="event", id="", sku="", location="", time=None, sentence=""))
    for source, target in edges:
        graph.link(graph.nodes[f"{source}"], graph.nodes[f"{target}"], "")
    return graph


def assert_both_ways(graph: Graph, edges: list[Edge]) -> None:
    """Each edge is told to whoever asks for its cause, and to whoever asks for its effect."""
    for edge in edges:
        assert edge in reach(graph, [edge.source], 10_000).edges
        assert edge in reach(graph, [edge.target], 10_000).edges


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25))
def test_every_edge_forward_is_there_backward(edges: list[tuple[int, int]]) -> None:
    graph = graph_of(edges)
    assert_both_ways(graph, list(graph.edges))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=25))
def test_what_is_told_ahead_of_a_thing_has_that_thing_behind_it(edges: list[tuple[int, int]]) -> None:
    graph = graph_of(edges)
    for key in graph.nodes:
        for other in reach(graph, [key], 10_000).nodes:
            assert key in reach(graph, [other], 10_000).nodes


def test_every_edge_of_the_recorded_log_is_there_both_ways() -> None:
    bus, count = golden(), 0
    for row in sorted({row for _, _, row in written(bus)}):
        graph = Graph()
        Chain(graph, RowHistory(bus, *row, 5_000)).add()
        assert_both_ways(graph, list(graph.edges))
        assert all(edge.source in graph.nodes and edge.target in graph.nodes for edge in graph.edges)
        count += len(graph.edges)
    assert count > 100


def test_a_long_chain_is_walked_to_its_end() -> None:
    graph = graph_of(list(pairwise(range(100))))
    assert len(reach(graph, ["50"], 1_000).nodes) == 100
