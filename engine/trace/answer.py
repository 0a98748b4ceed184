"""The answer to a question after what something led to, and what led to it."""

from collections.abc import Callable, Sequence
from itertools import islice

import msgspec
from msgspec import Struct

from engine.bus.single import Kept
from engine.core.outputs import Signal
from engine.core.values import iso
from engine.trace.chains import Chain
from engine.trace.documents import DocumentKind, Row
from engine.trace.graph import Edge, Graph, Node, Reached, reach
from engine.trace.located import rows_of_event
from engine.trace.question import Question
from engine.trace.rows import RowHistory
from engine.trace.summary import summary_of

MOST_ROWS = 20
"""An order or a shipment may concern many rows; so many of them are traced."""
MOST_NODES = 200
"""So many things are told in each direction."""
MOST_TOLD = 5
"""A summary tells of so many of the things that were asked for."""
DEFAULT_EVENTS, MOST_EVENTS = 300, 5_000
"""How many of the last events of a row are read."""

RowsOf = Callable[[DocumentKind, str], Sequence[Row]]
"""Finds the rows at which a document is known."""


class Cut(Struct, kw_only=True):
    """Where there is more than the answer tells, and what was not looked at.

    `forward`, `backward`: more things than are told; `rows`: how many more rows know what was asked for; `events`: a
    row has more events than were read; `trimmed`: retention has deleted events of a row.
    """

    forward: bool
    backward: bool
    rows: int
    events: bool
    trimmed: bool


class Trace(Struct, kw_only=True):
    """What something led to and what led to it.

    `start` has the keys of the nodes that were asked for. `summary` are sentences about them. `nodes` are in the order
    of their time; an edge leads from a cause to its effect.
    """

    as_of: str
    start: list[str]
    summary: list[str]
    nodes: list[Node]
    edges: list[Edge]
    truncated: Cut


class _Published(Struct):
    data: Signal


_signals = msgspec.json.Decoder(_Published)


def trace_of(bus: Kept, rows_of: RowsOf, question: Question, now: int, most_events: int) -> Trace | None:
    """What something led to and what led to it; None where nothing is known of it.

    Args:
        bus: what was published and committed.
        rows_of: finds the rows of a document.
        question: what is asked for.
        now: the engine's clock in microseconds.
        most_events: how many of the last events of a row are read.
    """
    rows = _rows(bus, rows_of, question)
    histories = [RowHistory(bus, *row, most_events) for row in rows[:MOST_ROWS]]
    graph = _graph(histories, question)
    start = list(islice(question.starts(graph), MOST_NODES))
    if not start:
        return None
    reached = reach(graph, start, MOST_NODES)
    return Trace(
        as_of=iso(now),
        start=start,
        summary=[summary_of(graph, graph.nodes[key]) for key in start[:MOST_TOLD]],
        nodes=sorted((graph.nodes[key] for key in reached.nodes), key=_when),
        edges=reached.edges,
        truncated=_cut(reached, histories, len(rows)),
    )


def _graph(histories: Sequence[RowHistory], question: Question) -> Graph:
    graph = Graph()
    for history in histories:
        chain = Chain(graph, history)
        chain.add()
        if question.order is not None:
            chain.add_order(question.order)
    return graph


def _cut(reached: Reached, histories: Sequence[RowHistory], rows: int) -> Cut:
    return Cut(
        forward=reached.forward_cut,
        backward=reached.backward_cut,
        rows=max(0, rows - MOST_ROWS),
        events=any(history.cut for history in histories),
        trimmed=any(history.trimmed for history in histories),
    )


def _rows(bus: Kept, rows_of: RowsOf, question: Question) -> Sequence[Row]:
    """The rows that know what a question asks for."""
    if question.row is not None:
        return [question.row]
    if question.signal is not None:
        value = bus.published.latest("signals", question.signal)
        signal = None if value is None else _signals.decode(value).data
        return [] if signal is None else [(signal.sku, signal.location)]
    if question.event is not None:
        return rows_of_event(bus, question.event)
    return [] if question.document is None else rows_of(*question.document)


def _when(node: Node) -> tuple[str, str]:
    return "" if node.time is None else node.time.isoformat(), node.key
