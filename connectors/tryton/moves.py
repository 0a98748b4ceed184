"""A stock move that is done, or was done and is cancelled, as events. Nothing here does I/O.

| from | to | event |
|---|---|---|
| supplier | warehouse | `goods.received`, good or held by the bin |
| warehouse | customer | `stock.issued` |
| customer | warehouse | `stock.returned`, available or held by the bin |
| warehouse | supplier | `stock.returned_to_supplier` |
| warehouse | another warehouse | `transfer.shipped` and `transfer.received` |
| warehouse | transit, and back out of it | `transfer.shipped`, `transfer.received` of the shipment |
| bin | held bin of the same warehouse, and back | `stock.held`, `stock.released` |
| bin | bin | none |
| anything else | warehouse, and back | `stock.adjusted`, with the other side as its reason |

A reversal of a receipt is `receipt.reversed`. For every other move it compensates what the move did to the balances, by
`stock.adjusted`, and to the goods in transit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from connectors.base import JsonObject
from connectors.tryton.places import Place

REASONS = {"lost_found": "counted, lost or found"}


class Effect(NamedTuple):
    """An event to be: what its id has behind the move's, its type, its data."""

    suffix: str
    type: str
    data: JsonObject


class Change(NamedTuple):
    """What a move does to a balance: the warehouse, whether it is the held balance, base units with a sign."""

    location: str
    is_held: bool
    qty: int


@dataclass(frozen=True)
class OrderLine:
    """The purchase line that a move belongs to; `is_open` says whether Tryton still expects goods on it."""

    order: str
    line: int
    is_open: bool = True


@dataclass(frozen=True)
class Move:
    """A move: `qty` in base units; `route` is the shipment between warehouses, with where it begins and ends."""

    id: int
    sku: str
    qty: int
    origin: Place
    target: Place
    at: datetime
    is_cancelled: bool = False
    document: str | None = None
    line: OrderLine | None = None
    route: tuple[str, str, str] | None = None

    @property
    def name(self) -> str:
        """The reference under which its receipt or transfer is known."""
        return f"{self.document}/{self.id}" if self.document else str(self.id)


def changes(move: Move) -> Iterator[Change]:
    """What a move that is done does to the balances of the warehouses."""
    if move.origin.location is not None:
        yield Change(move.origin.location, move.origin.is_held, -move.qty)
    if move.target.location is not None:
        yield Change(move.target.location, move.target.is_held, move.qty)


def done(move: Move) -> list[Effect]:
    """The events of a move that is done; none where nothing of ours changes."""
    if not move.qty:
        return []
    origin, target = move.origin, move.target
    if origin.location is None:
        return [] if target.location is None else [_arrival(move, target.location)]
    if origin.location == target.location:
        return [] if origin.is_held == target.is_held else [_status(move, origin.location, target.is_held)]
    return _departure(move, origin.location)


def cancelled(move: Move) -> list[Effect]:
    """The events by which a move that was done is undone."""
    if not move.qty:
        return []
    origin, target = move.origin, move.target
    if origin.location is not None and origin.location == target.location:
        return [] if origin.is_held == target.is_held else [_status(move, origin.location, origin.is_held)]
    if origin.kind == "supplier" and target.location is not None:
        received = _received(move, target.location)
        if move.line is not None and move.line.is_open:
            received["reopens_line"] = True
        return [Effect("", "receipt.reversed", received)]
    legs = _legs_again(move)
    reason = f"move {move.id} was cancelled"
    undone = [Change(each.location, each.is_held, -each.qty) for each in changes(move)]
    # A leg that is told again, to set right what is in transit, moves stock as well: that is taken back too.
    undone += [Change(each.data["from"], False, move.qty) for each in legs if "from" in each.data]
    undone += [Change(each.data["to"], False, -move.qty) for each in legs if "from" not in each.data]
    return [*legs, *(_adjusted(move, each, reason, f"-{number}") for number, each in enumerate(undone))]


def _arrival(move: Move, location: str) -> Effect:
    kind, row = move.origin.kind, {"sku": move.sku, "location": location}
    if kind == "supplier":
        return Effect("", "goods.received", _received(move, location))
    if kind == "customer":
        disposition = "held" if move.target.is_held else "available"
        return Effect("", "stock.returned", {**row, "qty": move.qty, "disposition": disposition})
    if move.origin.is_transit and move.route is not None and move.route[2] == location:
        return Effect("", "transfer.received", _transfer_received(move, move.route[0], location))
    return _adjusted(move, Change(location, move.target.is_held, move.qty), _reason(move.origin))


def _departure(move: Move, location: str) -> list[Effect]:
    """What leaves a warehouse; from a held bin it is released first where the event takes only what is available."""
    target, row = move.target, {"sku": move.sku, "location": location, "qty": move.qty}
    released = [Effect("-released", "stock.released", row)] if move.origin.is_held else []
    if target.kind == "customer":
        return [*released, Effect("", "stock.issued", row)]
    if target.kind == "supplier":
        status = {"status": "held"} if move.origin.is_held else {}
        return [Effect("", "stock.returned_to_supplier", {**row, **status, **_order(move)})]
    if target.location is not None:
        shipped = _shipped(move, move.name, location, target.location)
        received = _transfer_received(move, move.name, target.location)
        return [*released, Effect("-shipped", *shipped), Effect("-received", "transfer.received", received)]
    if target.is_transit and move.route is not None and move.route[1] == location:
        return [*released, Effect("", *_shipped(move, move.route[0], location, move.route[2]))]
    return [_adjusted(move, Change(location, move.origin.is_held, -move.qty), _reason(target))]


def _legs_again(move: Move) -> list[Effect]:
    """The other leg of a transfer through transit, told so that nothing stays, or is missing, in transit."""
    if move.route is None:
        return []
    name, start, end = move.route
    if move.target.is_transit and move.origin.location == start:
        return [
            Effect("-transit", "transfer.received", {"transfer": name, "sku": move.sku, "to": end, "qty": move.qty})
        ]
    if move.origin.is_transit and move.target.location == end:
        return [Effect("-transit", *_shipped(move, name, start, end))]
    return []


def _status(move: Move, location: str, becomes_held: bool) -> Effect:
    kind = "stock.held" if becomes_held else "stock.released"
    bins = f"{move.origin.name} to {move.target.name}"
    return Effect("", kind, {"sku": move.sku, "location": location, "qty": move.qty, "reason": bins})


def _received(move: Move, location: str) -> JsonObject:
    good, held = (0, move.qty) if move.target.is_held else (move.qty, 0)
    data = {"receipt": move.name, "sku": move.sku, "location": location, "qty": good}
    return {**data, **({"held": held} if held else {}), **_order(move)}


def _transfer_received(move: Move, transfer: str, location: str) -> JsonObject:
    data: JsonObject = {"transfer": transfer, "sku": move.sku, "to": location, "qty": move.qty}
    return data | ({"qty": 0, "held": move.qty} if move.target.is_held else {})


def _shipped(move: Move, transfer: str, start: str, end: str) -> tuple[str, JsonObject]:
    return "transfer.shipped", {"transfer": transfer, "sku": move.sku, "from": start, "to": end, "qty": move.qty}


def _adjusted(move: Move, change: Change, reason: str, suffix: str = "") -> Effect:
    data = {"sku": move.sku, "location": change.location, "qty": change.qty, "reason": reason}
    return Effect(suffix, "stock.adjusted", data | ({"status": "held"} if change.is_held else {}))


def _order(move: Move) -> JsonObject:
    return {} if move.line is None else {"order": move.line.order, "line": move.line.line}


def _reason(other: Place) -> str:
    return REASONS.get(other.kind, f"{other.kind}: {other.name}")
