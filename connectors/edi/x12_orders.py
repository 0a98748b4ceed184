"""855 and 865, what a supplier answers to our order; 850 and 860, what a customer orders of us."""

from collections.abc import Iterator
from dataclasses import replace

from connectors.edi import codes, x12
from connectors.edi.codes import LineStatus
from connectors.edi.customer_orders import Demand, demands
from connectors.edi.message import Loop, Message, Outcome, find, gather
from connectors.edi.problems import Misread
from connectors.edi.schedules import AcknowledgedLine, Part, of_whole_order, statements, strongest, total_of
from connectors.edi.segments import Segment
from connectors.edi.values import Quantity, reference

_LINES = ("PO1", "POC")
_CHANGES_OF_QUANTITY = ("AI", "QD", "QI", "RZ")


def acknowledgement(message: Message) -> Iterator[Outcome]:
    """855 and 865: each line, with all its parts, is an `order.acknowledged`."""
    begin = message.first("BAK", "BCA")
    message.read_purpose(begin, begin[1], codes.X12_PURPOSES)
    message.number = reference(begin[3], f"{begin.tag}03, the order's number,")
    agreed = begin[9] if begin.tag == "BAK" else begin[10]
    message.day = message.values.x12_when(agreed) if agreed else None
    loops = message.loops(_LINES, x12.ENDS)
    if not loops:
        rejected = message.purpose == "cancel"
        yield of_whole_order(
            begin, message.number, "rejected" if rejected else codes.ORDER_STATUSES.get(begin[2], "accepted")
        )
    lines, refused = gather(loops, lambda position, loop: _acknowledged(message, position, loop))
    yield from (*refused, *statements(lines))


def _acknowledged(message: Message, position: int, loop: Loop) -> AcknowledgedLine:
    first, header = loop[0], message.header(_LINES)
    begin = message.first("BAK", "BCA")
    sku = message.values.item(x12.pairs(first, 6 if first.tag == "PO1" else 8))
    return AcknowledgedLine(
        first, message.number, message.line(first[1], position, sku), sku,
        message.values.location(x12.parties(header, loop), ("ST",)),
        _parts(message, loop, _usual_status(message, begin, first)),
    )  # fmt: skip


def _usual_status(message: Message, begin: Segment, first: Segment) -> LineStatus:
    """The status of a line without an ACK: by the line's change, else by the whole answer."""
    if message.purpose == "cancel" or (first.tag == "POC" and codes.ORDER_CHANGES.get(first[2]) == "cancel"):
        return "rejected"
    return codes.ORDER_STATUSES.get(begin[2], "accepted")


def _parts(message: Message, loop: Loop, usual: LineStatus) -> list[Part]:
    """ACKs with a quantity are parts of the line; those without say something of all of it."""
    first = loop[0]
    number, unit = (2, 3) if first.tag == "PO1" else (3, 5)
    ordered = x12.quantity(message, first, number, unit) if first[number] else None
    acks = [segment for segment in loop if segment.tag == "ACK"]
    line = strongest([_status(message, ack) for ack in acks if not ack[2]], usual)
    due = x12.best_date(message, message.values.profile.dates.due, message.header(_LINES), loop)
    due = next((message.values.x12_when(ack[5]) for ack in acks if not ack[2] and ack[5]), due)
    for ack in acks:
        if ack[1] == "IS":
            message.note_substitute(ack)
    parts: list[Part] = []
    for ack in (ack for ack in acks if ack[2]):
        status = _status(message, ack)
        status = "changed" if status == "accepted" and line == "changed" else status
        day = message.values.x12_when(ack[5]) if ack[5] else due
        parts.append(Part(status, message.values.quantity(ack[2], ack[3] or first[unit]), day))
    if not parts:
        if ordered is None:
            raise Misread(f"{first.tag}{number:02} has no quantity, and no ACK has one")
        if line == "partial":
            raise Misread("ACK says that a part of the line is backordered, and no quantity of either part")
        parts = [Part(line, ordered, due)]
    return _scheduled(message, loop, _without_partials(parts, ordered))


def _status(message: Message, ack: Segment) -> LineStatus:
    found = message.values.profile.codes.line.get(ack[1]) or codes.LINE_STATUSES.get(ack[1])
    if found is None:
        raise Misread(f"the status {ack[1]!r} of ACK is not known: say what it means in `codes.line` of the profile")
    return found


def _without_partials(parts: list[Part], ordered: Quantity | None) -> list[Part]:
    """What is partly accepted is backordered for the rest of the line, beside what other ACKs say of it."""
    if all(part.status != "partial" for part in parts):
        return parts
    found = [replace(part, status="accepted") if part.status == "partial" else part for part in parts]
    rest = ordered.qty - sum(part.quantity.qty for part in parts) if ordered is not None else 0
    if ordered is not None and rest > 0:
        found.append(Part("backordered", Quantity(rest, ordered.uom)))
    return found


def _scheduled(message: Message, loop: Loop, parts: list[Part]) -> list[Part]:
    """A single part, divided by the line's SCH; what they leave of it keeps the part's own date."""
    schedules = [segment for segment in loop if segment.tag == "SCH"]
    if len(parts) != 1 or not schedules:
        return parts
    whole, found = parts[0], []
    for segment in schedules:
        day = message.values.x12_when(segment[6], segment[7]) if segment[6] else whole.due
        found.append(Part(whole.status, x12.quantity(message, segment, 1, 2), day))
    left = whole.quantity.qty - sum(part.quantity.qty for part in found)
    if left < 0 and {part.quantity.uom for part in found} == {whole.quantity.uom}:
        raise Misread(f"SCH divides {whole.quantity.qty} into parts of {whole.quantity.qty - left} in all")
    return [*found, Part(whole.status, Quantity(left, whole.quantity.uom), whole.due)] if left > 0 else found


def order(message: Message) -> Iterator[Outcome]:
    """850: each line of a customer's order is a reservation."""
    begin = message.first("BEG")
    message.read_purpose(begin, begin[1], codes.X12_PURPOSES)
    name = message.document("/".join(filter(None, (begin[3], begin[4]))), "BEG03, the order's number,")
    message.day = message.values.x12_when(begin[5]) if begin[5] else None
    yield from demands(message, name, message.loops(("PO1",), x12.ENDS), _ordered)


def order_change(message: Message) -> Iterator[Outcome]:
    """860: each line sets its reservation anew, or releases it."""
    begin = message.first("BCH")
    message.read_purpose(begin, begin[1], codes.X12_PURPOSES)
    message.purpose = "cancel" if message.purpose == "cancel" else "change"
    name = message.document("/".join(filter(None, (begin[3], begin[4]))), "BCH03, the order's number,")
    yield from demands(message, name, message.loops(_LINES, x12.ENDS), _ordered)


def _ordered(message: Message, position: int, loop: Loop) -> Demand:
    first = loop[0]
    change: codes.OrderChange = "set"
    if first.tag == "POC":
        change = message.values.profile.codes.order_change.get(first[2]) or codes.ORDER_CHANGES.get(first[2], "set")
    number, unit, items = (2, 3, 6) if first.tag == "PO1" else (3, 5, 8)
    sku = message.values.item(x12.pairs(first, items))
    where = message.values.location(x12.parties(message.header(_LINES), loop), ("SF", "WH"))
    qty = x12.quantity(message, first, number, unit) if first[number] else _of_schedule(message, loop)
    if qty is None and first.tag == "POC" and first[2] in _CHANGES_OF_QUANTITY:
        raise Misread(f"POC03 has no quantity, and POC02 says by {first[2]} that the quantity changes")
    return Demand(first, message.line(first[1], position, sku), sku, where, qty, change)


def _of_schedule(message: Message, loop: Loop) -> Quantity | None:
    """The quantity of a line that only its SCH say."""
    if find(loop, "SCH") is None:
        return None
    return total_of([x12.quantity(message, segment, 1, 2) for segment in loop if segment.tag == "SCH"])
