"""The chain of a row: from forecasts and movements over signals, orders and shipments to receipts and reversals."""

from collections.abc import Callable, Sequence
from typing import Any

from engine.core import events as e
from engine.core import payloads as p
from engine.core.outputs import SOURCE, Signal
from engine.core.values import day_of
from engine.trace.graph import Figure, Graph, Node, NodeKind
from engine.trace.rows import LineNow, RowHistory
from engine.trace.words import line_sentence, sentence_of, signal_sentence, span_of

LOWERS = (e.GoodsReceived, e.StockReturned, e.TransferReceived)
"""What brings goods may stand among the events of a signal, as all movements before it do, but never asked for it."""


_ANSWERS = (
    e.SignalAccepted, e.SignalRejected, e.SignalOrdered, e.SignalReopened, e.SignalSnoozed, e.SignalAssigned,
)  # fmt: skip

CLOCK = f"{SOURCE}/clock/"
"""The names of ticks begin with it. A tick is no event of a row, so it is never among those that are read."""


class Chain:
    """Adds what is known of one row to a graph."""

    def __init__(self, graph: Graph, history: RowHistory) -> None:
        self._graph, self._history = graph, history
        self._at = f"{history.sku}@{history.location}"
        self._by_ref = {event.ref: event for event in history.events}
        self._versions: dict[str, Node] = {}
        self._signals: dict[str, Node] = {}
        self._drafts: dict[str, Node] = {}
        self._decisions: dict[str, list[Node]] = {}
        """By signal the answers after which it was ordered."""
        self._orders: dict[str, list[Node]] = {}
        self._shipments: dict[str, dict[str, Node]] = {}
        """Shipment -> line -> node."""
        self._receipts: dict[str, list[Node]] = {}

    def add(self) -> None:
        """Add all nodes and edges of the row."""
        named = [event.data.signal for event in self._history.events if getattr(event.data, "signal", None)]
        known = list(self._history.signals(named))
        for signal, _ in known:
            self._signals[signal.id] = self._signal(signal)
        for take, types in self._stages():
            for event in self._history.events:
                if isinstance(event, types):
                    take(event)
        for signal, opener in known:
            self._explain(signal, opener)
            for decision in self._decisions.get(signal.id, ()):
                for order in self._orders.get(signal.id, ()):
                    self._graph.link(decision, order, "it was decided")
        self._explain_orders()

    def _stages(self) -> Sequence[tuple[Callable[[Any], object], tuple[type, ...]]]:
        """What takes which events: they may arrive in any order, so each stage finds what those before it have made."""
        return (
            (self._forecast, (e.ForecastRevised,)),
            (self._amends, (e.ForecastRevised,)),
            (self._drafted, (e.SignalDrafted, e.SignalDraftGone)),
            (self._order, (e.OrderPlaced, e.OrderChanged, e.OrderCancelled, e.OrderClosed)),
            (self._acknowledged, (e.OrderAcknowledged,)),
            (self._shipment, (e.ShipmentNotified, e.ShipmentChanged, e.ShipmentCancelled)),
            (self._receipt, (e.GoodsReceived,)),
            (self._reversal, (e.ReceiptReversed,)),
            (self._answer, _ANSWERS),
        )

    # nodes ------------------------------------------------------------------------------------------------------------

    def _node(self, kind: NodeKind, name: str, event: e.Event | None, key: str | None = None, **more: Any) -> Node:
        """The node of this name at the row; an event that is its first says when it happened."""
        node = self._graph.add(
            Node(
                key=f"{kind}:{self._at}:{key or name}",
                kind=kind,
                id=name,
                sku=self._history.sku,
                location=self._history.location,
                time=None if event is None else event.time,
                **({"sentence": "" if event is None else sentence_of(event)} | more),
            )
        )
        if event is not None and event.ref not in node.events:
            node.events.append(event.ref)
        return node

    def _signal(self, signal: Signal) -> Node:
        figures: dict[str, Figure] = {
            "qty": signal.qty, "due": signal.due.isoformat(), "revision": signal.revision,
            "disposition": signal.disposition,
        }  # fmt: skip
        node = self._node("signal", signal.id, None, sentence=signal_sentence(signal), status=signal.status)
        node.time, node.figures = signal.opened, figures
        return node

    def _line(self, order: str, number: str) -> Node:
        """The node of an order line, as the row has it now."""
        now = self._history.line(order, number)
        node = self._node("order", f"{order}/{number}", None, sentence=line_sentence(f"{order}/{number}", now))
        if now is not None:
            node.status, node.figures = now.status, _figures(now)
        else:
            node.status = "announced"
        return node

    def add_order(self, order: str) -> None:
        """Add the lines of an order, also where its events are not among those that were read."""
        self._lines(order, None)

    def _lines(self, order: str, number: str | int | None) -> list[Node]:
        """The node of a line; where no line is named those of all lines of the order at the row."""
        numbers = self._history.lines(order) if number is None else [str(number)]
        return [self._line(order, each) for each in numbers]

    def _cause(self, ref: str) -> Node:
        """The node of an event that moved a signal."""
        event = self._by_ref.get(ref)
        if event is None and ref.startswith(CLOCK):
            return self._node("event", ref, None, sentence=f"Time passed: {ref.removeprefix(CLOCK)}.", events=[ref])
        if event is None:
            sentence = "This event is not among the events of the row that were read."
            return self._node("event", ref, None, sentence=sentence, events=[ref], status="not read")
        if isinstance(event, e.ForecastRevised):
            return self._forecast(event)
        if isinstance(event, e.ReceiptReversed):
            return self._reversal(event)
        if isinstance(event, e.PolicySet):
            return self._node("policy", ref, event)
        return self._node("event", ref, event, figures={"type": e.type_name(event)})

    # events -----------------------------------------------------------------------------------------------------------

    def _forecast(self, event: e.ForecastRevised) -> Node:
        data, span = event.data, span_of(event)
        figures: dict[str, Figure] = {"mode": data.mode, "qty": sum(bucket.qty for bucket in data.buckets)}
        if span is not None:
            figures |= {"from": span[0], "until": span[1]}
        node = self._node("forecast", data.version, event, event.ref, figures=figures)
        self._versions[data.version] = node
        return node

    def _amends(self, event: e.ForecastRevised) -> None:
        if event.data.base_version:
            self._graph.link(self._versions.get(event.data.base_version), self._forecast(event), "it is amended by")

    def _order(self, event: e.OrderPlaced | e.OrderChanged | e.OrderCancelled | e.OrderClosed) -> None:
        data = event.data
        node = self._line(data.order, str(data.line))
        self._happened(node, event)
        if isinstance(event, e.OrderPlaced) and event.data.signal:
            self._ordered(event.data.signal, node)

    def _happened(self, node: Node, event: e.Event) -> None:
        """Note an event of a thing that has several."""
        node.time = event.time if node.time is None else min(node.time, event.time)
        if event.ref not in node.events:
            node.events.append(event.ref)

    def _ordered(self, signal: str, order: Node) -> None:
        self._graph.link(self._signals.get(signal), order, "it was ordered as")
        self._orders.setdefault(signal, []).append(order)
        draft = self._drafts.get(signal)
        if draft is not None:
            draft.status = "ordered"
            self._graph.link(draft, order, "the draft became")

    def _acknowledged(self, event: e.OrderAcknowledged) -> None:
        node = self._node("acknowledgement", event.ref, event)
        self._graph.link(self._line(event.data.order, str(event.data.line)), node, "the supplier answered")

    def _shipment(self, event: e.ShipmentNotified | e.ShipmentChanged | e.ShipmentCancelled) -> None:
        data = event.data
        label = f"{data.order}/{data.line}"
        node = self._node("shipment", data.shipment, None, f"{label}:{data.shipment}")
        self._shipments.setdefault(data.shipment, {})[label] = node
        self._happened(node, event)
        node.sentence = sentence_of(event)
        node.status = "cancelled" if isinstance(event, e.ShipmentCancelled) else "announced"
        if data.qty is not None:
            node.figures["qty"] = data.qty
        if data.eta is not None:
            node.figures["eta"] = data.eta.isoformat()
        self._graph.link(self._line(data.order, str(data.line)), node, "it is shipped by")

    def _receipt(self, event: e.GoodsReceived) -> None:
        data = event.data
        node = self._node("receipt", data.receipt, event, event.ref)
        node.figures = {"qty": data.qty, "held": data.held, "damaged": data.damaged}
        self._receipts.setdefault(data.receipt, []).append(node)
        shipments = self._arrived_in(data)
        for shipment in shipments:
            self._graph.link(shipment, node, "it arrived as")
        if not shipments and data.order is not None:
            for line in self._lines(data.order, data.line):
                self._graph.link(line, node, "it arrived as")

    def _arrived_in(self, data: p.GoodsReceivedData) -> list[Node]:
        """The nodes of the shipment that a receipt names; where it names a line too only that of the line."""
        found = self._shipments.get(data.shipment or "", {})
        label = f"{data.order}/{data.line}"
        return [found[label]] if label in found else list(found.values())

    def _reversal(self, event: e.ReceiptReversed) -> Node:
        node = self._node("reversal", event.data.receipt, event, event.ref)
        for receipt in self._receipts.get(event.data.receipt, ()):
            self._graph.link(receipt, node, "it was taken back by")
        return node

    def _answer(self, event: e.Event) -> None:
        signal = self._signals.get(event.data.signal)
        node = self._node("decision", event.ref, event, figures={"type": e.type_name(event), "by": event.data.by})
        self._graph.link(signal, node, "it was answered by")
        if isinstance(event, e.SignalAccepted | e.SignalOrdered):
            self._decisions.setdefault(event.data.signal, []).append(node)
        if isinstance(event, e.SignalOrdered) and event.data.order is not None:
            for line in self._lines(event.data.order, event.data.line):
                self._ordered(event.data.signal, line)

    def _drafted(self, event: e.SignalDrafted | e.SignalDraftGone) -> None:
        data = event.data
        node = self._node("draft", data.document, None, f"{data.signal}:{data.system}:{data.document}")
        self._happened(node, event)
        node.sentence = sentence_of(event)
        node.status = "gone" if isinstance(event, e.SignalDraftGone) else "waiting"
        self._graph.link(self._signals.get(data.signal), node, "it is drafted as")
        self._drafts[data.signal] = node

    def _explain(self, signal: Signal, opener: str | None) -> None:
        """Link a signal with the events that opened, amended and moved it."""
        node, explanation = self._signals[signal.id], signal.explanation
        cause = explanation.get("cause")
        if opener is not None:
            self._graph.link(self._cause(opener), node, "it opened")
        if cause is not None and cause != opener:
            self._graph.link(self._cause(cause), node, "it moved last")
        for ref in explanation.get("events", ()):
            if ref not in (opener, cause) and not isinstance(self._by_ref.get(ref), LOWERS):
                self._graph.link(self._cause(ref), node, "it moved")

    def _explain_orders(self) -> None:
        """Link an order that names no signal with the forecast in force when it was placed, which is all that is known.

        Many buyers place an order without saying which proposal it answers.
        """
        answered = {edge.target for edge in self._graph.edges}
        forecasts = [event for event in self._history.events if isinstance(event, e.ForecastRevised)]
        for event in self._history.events:
            if isinstance(event, e.OrderPlaced) and event.data.signal is None:
                order = self._line(event.data.order, str(event.data.line))
                before = [forecast for forecast in forecasts if forecast.time <= event.time]
                if before and order.key not in answered:
                    latest = max(before, key=lambda forecast: (forecast.time, forecast.ref))
                    self._graph.link(self._forecast(latest), order, "it was in force when this was ordered")


def _figures(now: LineNow) -> dict[str, Figure]:
    return {
        "supplier": now.supplier, "ordered": now.ordered, "due": None if now.due is None else str(day_of(now.due)),
        "promised": now.promised, "received": now.received, "on_order": now.on_order, "in_transit": now.in_transit,
    }  # fmt: skip
