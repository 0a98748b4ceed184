"""What a trace begins with: a signal, an order, a shipment, a receipt, an event, or a row."""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from engine.core.errors import StocklineError
from engine.trace.graph import Graph, Node

DocumentKind = Literal["order", "shipment", "receipt"]
Row = tuple[str, str]
"""(sku, location)"""


class NotFound(StocklineError):
    """Nothing is known of what a trace should begin with."""


class Question(Struct, frozen=True, kw_only=True):
    """What a trace begins with. `line` goes with `order`, `version` with a row; `event` is `source/id`."""

    signal: str | None = None
    order: str | None = None
    line: str | None = None
    shipment: str | None = None
    receipt: str | None = None
    event: str | None = None
    sku: str | None = None
    location: str | None = None
    version: str | None = None

    @property
    def row(self) -> Row | None:
        """The row that the question names, if it does."""
        return None if self.sku is None or self.location is None else (self.sku, self.location)

    @property
    def document(self) -> tuple[DocumentKind, str] | None:
        """The order, shipment or receipt that the question names, if it does."""
        named: tuple[tuple[DocumentKind, str | None], ...] = (
            ("order", self.order), ("shipment", self.shipment), ("receipt", self.receipt),
        )  # fmt: skip
        return next(((kind, number) for kind, number in named if number is not None), None)

    def starts(self, graph: Graph) -> Iterator[str]:
        """The keys of the nodes of a graph with which the trace begins."""
        for node in graph.nodes.values():
            if self._begins_with(node):
                yield node.key

    def _begins_with(self, node: Node) -> bool:
        if self.signal is not None:
            return node.kind == "signal" and node.id == self.signal
        if self.event is not None:
            return self.event in node.events
        if self.version is not None:
            return node.kind == "forecast" and node.id == self.version
        if self.order is not None:
            order, _, line = node.id.rpartition("/")
            return node.kind == "order" and order == self.order and self.line in (None, line)
        if self.shipment is not None:
            return node.kind == "shipment" and node.id == self.shipment
        if self.receipt is not None:
            return node.kind in ("receipt", "reversal") and node.id == self.receipt
        return True
