"""What suppliers say of their order lines: checked against what is theirs, and made into events of their own source."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from engine.access.sending import SUPPLIER
from engine.core.events import decode
from engine.core.fields import Checked, LineNumber, Quantity, Reference, Text
from engine.core.outcomes import Rejection
from engine.runtime.supplied import SuppliedLine

MAX_LINES = 1000

Status = Literal["accepted", "changed", "backordered", "rejected"]
Name = tuple[str, str]
"""The order and the line."""


class Entry(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """So much of a line, as a supplier promises or rejects it; without a date the line's own holds."""

    status: Status
    qty: Annotated[int, Meta(ge=0, le=10**12)]
    due: date | None = None


class LineAnswer(Checked, forbid_unknown_fields=True):
    """What a supplier says of a line: its whole schedule, which replaces what it said before."""

    order: Reference
    line: LineNumber
    schedule: Annotated[list[Entry], Meta(min_length=1, max_length=104)]


class Acknowledging(Struct, forbid_unknown_fields=True):
    """A supplier acknowledges lines."""

    lines: Annotated[list[LineAnswer], Meta(min_length=1, max_length=MAX_LINES)]


class ShippedLine(Checked, forbid_unknown_fields=True):
    """So much of a line is in a shipment."""

    order: Reference
    line: LineNumber
    qty: Quantity


class Announcing(Checked, forbid_unknown_fields=True, omit_defaults=True):
    """A supplier announces a shipment."""

    shipment: Reference
    lines: Annotated[list[ShippedLine], Meta(min_length=1, max_length=MAX_LINES)]
    eta: date | None = None


class LineOutcome(Struct, omit_defaults=True):
    """What became of what a supplier said of a line; `row` is its number in an uploaded file."""

    order: str
    line: str
    accepted: bool
    reason: Text | None = None
    detail: str | None = None
    row: int | None = None


class Outcomes(Struct):
    """What became of what a supplier said."""

    accepted: int
    refused: int
    lines: list[LineOutcome]


class Teller(NamedTuple):
    """Who says something, and when."""

    supplier: str
    at: datetime


class Said(NamedTuple):
    """An answer to a line: its event, or None where this was said before and stands; or why it is refused."""

    name: Name
    event: bytes | None
    rejected: tuple[str, str] | None


def name_of(order: str, line: int | str) -> Name:
    """The name of a line; `3` and `"3"` are the same."""
    return order, str(line)


def acknowledged(name: Name, said: Sequence[Entry], line: SuppliedLine | None, teller: Teller) -> Said:
    """What a supplier says of a line, as an event."""
    if line is None or line.closed:
        return Said(name, None, _not_open(name, line))
    told = [(entry.status, entry.qty, entry.due or _due(entry, line)) for entry in said]
    if told == [(promise.status, promise.qty, promise.due) for promise in line.schedule]:
        return Said(name, None, None)
    schedule = [
        {"status": status, "qty": qty} | ({} if due is None else {"due": due.isoformat()}) for status, qty, due in told
    ]
    return _said(teller, line, "order.acknowledged", {"schedule": schedule})


def shipped(announced: Announcing, part: ShippedLine, line: SuppliedLine | None, teller: Teller) -> Said:
    """What a supplier says is on its way, as an event."""
    name = name_of(part.order, part.line)
    if line is None or line.closed:
        return Said(name, None, _not_open(name, line))
    for known in line.shipments:
        if known.shipment == announced.shipment:
            if (known.qty, known.eta) == (part.qty, announced.eta):
                return Said(name, None, None)
            detail = f"shipment {announced.shipment} was announced for this line with {known.qty}: take another number"
            return Said(name, None, ("shipment_known", detail))
    eta = {} if announced.eta is None else {"eta": announced.eta.isoformat()}
    data = {"shipment": announced.shipment, "qty": part.qty, **eta}
    return _said(teller, line, "shipment.notified", data)


def outcomes_of(said: Sequence[Said], refused: Mapping[int, tuple[str, str]]) -> Outcomes:
    """What became of each answer; `refused` are those that the rules refused, by their place."""
    lines = []
    for index, each in enumerate(said):
        reason = each.rejected or refused.get(index)
        lines.append(LineOutcome(*each.name, reason is None, *(reason or (None, None))))
    accepted = sum(line.accepted for line in lines)
    return Outcomes(accepted, len(lines) - accepted, lines)


def _due(entry: Entry, line: SuppliedLine) -> date | None:
    """What is accepted without a date is promised for the line's own day."""
    return line.due if entry.status == "accepted" else None


def _not_open(name: Name, line: SuppliedLine | None) -> tuple[str, str]:
    if line is None:
        # The same sentence for a line of somebody else and for one that does not exist.
        return "unknown_line", f"you have no line {name[1]} of an order {name[0]}"
    return "line_closed", f"line {name[1]} of order {name[0]} is closed: nothing more is expected"


def _said(teller: Teller, line: SuppliedLine, kind: str, data: Mapping[str, object]) -> Said:
    name = line.order, line.line
    event = {
        "specversion": "1.0",
        "id": f"{kind}-{name[0]}-{name[1]}-{secrets.token_hex(8)}"[-256:],
        "source": SUPPLIER + teller.supplier,
        "type": kind,
        "time": teller.at,
        "data": {"sku": line.sku, "location": line.location, "order": line.order, "line": line.line, **data},
    }
    raw = msgspec.json.encode(event)
    decoded = decode(raw)
    if isinstance(decoded, Rejection):
        return Said(name, None, (decoded.reason, decoded.detail))
    return Said(name, raw, None)
