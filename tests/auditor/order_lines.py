"""The lines of purchase orders at a row, recomputed from the facts about the row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Fact = dict[str, Any]


@dataclass
class Line:
    """One order line, with all that is known of it."""

    name: tuple[str, int]
    ordered: int = 0
    due: str | None = None
    schedule: list[dict[str, Any]] | None = None  # of the latest acknowledgement, None before there is one
    shipments: dict[str, dict[str, Any]] = field(default_factory=dict[str, Any])  # shipment -> {"qty", "eta"}
    received: int = 0
    received_by_shipment: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    closings: list[int] = field(default_factory=list)  # when something closed it
    reopenings: list[int] = field(default_factory=list)  # when a reversed receipt opened it again

    @property
    def closed(self) -> bool:
        return bool(self.closings) and max(self.closings) > max(self.reopenings, default=-1)

    @property
    def promised(self) -> int:
        if self.schedule is None:
            return self.ordered
        return min(self.ordered, sum(int(entry["qty"]) for entry in self.schedule if entry["status"] != "rejected"))

    @property
    def open(self) -> int:
        return 0 if self.closed else max(0, self.promised - self.received)

    @property
    def shipped(self) -> int:
        return sum(shipment["qty"] for shipment in self.shipments.values())

    @property
    def in_transit(self) -> int:
        return 0 if self.closed else max(0, self.shipped - self.received)

    @property
    def on_order(self) -> int:
        return max(0, self.open - self.in_transit)

    @property
    def owed(self) -> int:
        return self.on_order + self.in_transit


def last(facts: Iterable[Fact]) -> Fact | None:
    return max(facts, key=lambda fact: fact["rank"], default=None)


def order_lines(facts: list[Fact]) -> dict[tuple[str, int], Line]:
    names = {
        (fact["order"], fact["line"])
        for fact in facts
        if fact.get("line") is not None and fact["type"].startswith(("order.", "shipment.", "goods."))
    }
    lines = {name: _line(facts, name) for name in sorted(names)}
    _close(facts, lines)
    _receive(facts, lines)
    return lines


def _close(facts: list[Fact], lines: dict[tuple[str, int], Line]) -> None:
    """Note what receipts close and what their reversals open again.

    It is the line that a receipt names, that of its shipment, or the only one of its order.
    """
    of_shipment = lines_of_shipments(facts)
    for fact in _of(facts, "goods.received"):
        order, shipment = fact.get("order"), fact.get("shipment")
        if order is not None:
            meant = [name for name in lines if name[0] == order and fact.get("line") in (None, name[1])]
            meant = meant if fact.get("line") is not None or len(meant) == 1 else []
        else:
            meant = [of_shipment[shipment]] if shipment in of_shipment else []
        for name in meant:
            lines[name].closings += [fact["at"]] if fact.get("closes_line") else []
            lines[name].reopenings += fact.get("reopened", [])


def lines_of_shipments(facts: list[Fact]) -> dict[str, tuple[str, int]]:
    """The line of each shipment: that of its earliest notice."""
    notices = sorted(_of(facts, "shipment.notified"), key=lambda fact: fact["rank"], reverse=True)
    return {fact["shipment"]: (fact["order"], fact["line"]) for fact in notices}


def _line(facts: list[Fact], name: tuple[str, int]) -> Line:
    about = [fact for fact in facts if (fact.get("order"), fact.get("line")) == name]
    line = Line(name)
    orders = [fact for fact in about if fact["type"] in ("order.placed", "order.changed")]
    by_revision = sorted(orders, key=lambda fact: (fact.get("revision", 0), fact["rank"]))
    for fact in by_revision:
        line.ordered = fact["qty"] if fact.get("qty") is not None else line.ordered
        line.due = fact.get("due") or line.due
    acknowledged = last(fact for fact in about if fact["type"] == "order.acknowledged")
    line.schedule = acknowledged["schedule"] if acknowledged else None
    announced = [fact for fact in about if fact["type"].startswith("shipment.")]
    line.shipments = {
        shipment: _shipment([fact for fact in announced if fact["shipment"] == shipment])
        for shipment in sorted({fact["shipment"] for fact in announced})
    }
    line.closings = [fact["at"] for fact in about if fact["type"] in ("order.cancelled", "order.closed")]
    return line


def _shipment(about: list[Fact]) -> dict[str, Any]:
    """What a shipment brings to a line by all that is said of it there.

    Notices add up and rank as the first of them, with revision 0; a change or a cancellation that outranks them states
    the quantity in their place.
    """
    said, eta = [], None
    notices = _of(about, "shipment.notified")
    if notices:
        said.append((0, min(fact["rank"] for fact in notices), sum(fact["qty"] for fact in notices)))
    for fact in about:
        revision = fact.get("revision", 0)
        if fact["type"] == "shipment.cancelled":
            said.append((revision, fact["rank"], 0))
        elif fact["type"] == "shipment.changed" and fact.get("qty") is not None:
            said.append((revision, fact["rank"], fact["qty"]))
    dated = [fact for fact in about if fact.get("eta") and fact["type"] != "shipment.cancelled"]
    for fact in sorted(dated, key=lambda fact: (fact.get("revision", 0), fact["rank"])):
        eta = fact["eta"]
    return {"qty": max(said)[2] if said else 0, "eta": eta}


def _receive(facts: list[Fact], lines: dict[tuple[str, int], Line]) -> None:
    """Set each receipt against its line: the one it names, its shipment's, or its order's in ascending order."""
    of_shipment = {shipment: lines[name] for shipment, name in lines_of_shipments(facts).items()}
    of_order: dict[str, int] = defaultdict(int)
    for fact in _of(facts, "goods.received"):
        qty = fact.get("qty", 0) + fact.get("held", 0) + fact.get("damaged", 0) - fact.get("reversed", 0)
        shipment, order = fact.get("shipment"), fact.get("order")
        if order is not None and fact.get("line") is not None:
            line = lines[order, fact["line"]]
        elif order is None and shipment in of_shipment:
            line = of_shipment[shipment]
        else:
            if order is not None:
                of_order[order] += qty
            continue
        line.received += qty
        if shipment in line.shipments:
            line.received_by_shipment[shipment] += qty
    for order, qty in of_order.items():
        _spread(qty, [line for name, line in sorted(lines.items()) if name[0] == order])


def _spread(qty: int, lines: list[Line]) -> None:
    """Set a receipt that names no line against an order's lines, ascending; what is too much goes to the first."""
    for line in lines:
        taken = min(qty, line.owed)
        line.received += taken
        qty -= taken
    if lines:
        lines[0].received += qty


def _of(facts: list[Fact], kind: str) -> list[Fact]:
    return [fact for fact in facts if fact["type"] == kind]
