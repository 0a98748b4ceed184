"""855 and 865, what a supplier answers to our order; 850 and 860, what a customer orders of us."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile

from connectors.edi import codes, x12
from connectors.edi.codes import LineStatus
from connectors.edi.customer_orders import Demand, demands
from connectors.edi.message import Loop, Message, Outcome, every, gather
from connectors.edi.problems import Misread
from connectors.edi.schedules import AcknowledgedLine, Part, of_whole_order, statements, strongest, total_of
from connectors.edi.segments import Segment
from connectors.edi.values import Quantity, When, reference

_LINES = ("PO1", "POC")
_BEHIND_AN_ACK = ("ACK", "SCH", "N1", "QTY", "TD1", "TD5")
"""What ends the loop of an ACK: with it other things are said of the line."""
_CHANGES_OF_QUANTITY = ("AI", "QD", "QI", "RZ")


def acknowledgement(message: Message) -> Iterator[Outcome]:
    """855 and 865: each line, with all its parts, is an `order.acknowledged`."""
    begin = message.first("BAK", "BCA")
    message.read_purpose(begin, begin[1], codes.X12_PURPOSES)
    message.number = reference(begin[3], f"{begin.tag}03, the order's number,")
    agreed = begin[9] if begin.tag == "BAK" else begin[10]
    message.day = message.values.x12_when(agreed) if agreed else None
    loops = [x12.own(loop) for loop in x12.lines(message, _LINES)]
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
    sku = message.values.item(x12.numbers(first, 6 if first.tag == "PO1" else 8))
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
    answers, due = _answers(message, loop)
    line = strongest([_status(message, ack) for ack, _ in answers if not ack[2]], usual)
    due = next((day for ack, day in answers if not ack[2] and day is not None), due)
    for ack, _ in answers:
        if ack[1] == "IS":
            message.note_substitute(ack)
    parts: list[Part] = []
    for ack, day in answers:
        if ack[2]:
            status = _status(message, ack)
            status = "changed" if status == "accepted" and line == "changed" else status
            parts.append(Part(status, message.values.quantity(ack[2], ack[3] or first[unit]), day or due))
    if not parts:
        if ordered is None:
            raise Misread(f"{first.tag}{number:02} has no quantity, and no ACK has one")
        if line == "partial":
            raise Misread("ACK says that a part of the line is backordered, and no quantity of either part")
        parts = [Part(line, ordered, due)]
    return _scheduled(message, loop, _without_partials(parts, ordered))


def _answers(message: Message, loop: Loop) -> tuple[list[tuple[Segment, When | None]], When | None]:
    """Each ACK with the date in it or in a DTM behind it; and the date of the line, which the others have."""
    wanted = message.values.profile.dates.due
    found: list[tuple[Segment, When | None]] = []
    of_parts: set[int] = set()
    for index, ack in enumerate(loop):
        if ack.tag == "ACK":
            behind = [*takewhile(lambda each: each.tag not in _BEHIND_AN_ACK, loop[index + 1 :])]
            of_parts |= {each.number for each in behind}
            day = message.values.x12_when(ack[5]) if ack[5] else x12.best_date(message, wanted, behind)
            found.append((ack, day))
    line = [segment for segment in loop if segment.number not in of_parts]
    return found, x12.best_date(message, wanted, message.header(_LINES), line)


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
    name = _order_of(message, begin)
    message.day = message.values.x12_when(begin[5]) if begin[5] else None
    yield from demands(message, name, x12.lines(message, ("PO1",)), _ordered)


def order_change(message: Message) -> Iterator[Outcome]:
    """860: each line sets its reservation anew, or releases it."""
    begin = message.first("BCH")
    message.read_purpose(begin, begin[1], codes.X12_PURPOSES)
    message.purpose = "cancel" if message.purpose == "cancel" else "change"
    yield from demands(message, _order_of(message, begin), x12.lines(message, _LINES), _ordered)


def _order_of(message: Message, begin: Segment) -> str:
    """The order's number, with that of the release where there is one."""
    what = f"{begin.tag}03, the order's number,"
    return message.document("/".join(filter(None, (reference(begin[3], what), begin[4]))), what)


def _ordered(message: Message, position: int, whole: Loop) -> Demand:
    loop = x12.own(whole)
    first = loop[0]
    change: codes.OrderChange = "set"
    if first.tag == "POC":
        change = message.values.profile.codes.order_change.get(first[2]) or codes.ORDER_CHANGES.get(first[2], "set")
    number, unit, items = (2, 3, 6) if first.tag == "PO1" else (3, 5, 8)
    sku = message.values.item(x12.numbers(first, items))
    where = message.values.location(x12.parties(message.header(_LINES), loop), ("SF", "WH"))
    qty = x12.quantity(message, first, number, unit) if first[number] else _of_parts(message, loop)
    if qty is None and first.tag == "POC" and first[2] in _CHANGES_OF_QUANTITY:
        raise Misread(f"POC03 has no quantity, and POC02 says by {first[2]} that the quantity changes")
    if qty is None and first.tag == "PO1" and message.purpose != "cancel":
        raise Misread("PO102 has no quantity, and neither SCH nor SDQ has one")
    if qty is not None and first.tag == "PO1":
        _compare_stores(message, loop, qty)
    return Demand(first, message.line(first[1], position, sku), sku, where, qty, change)


def _of_parts(message: Message, loop: Loop) -> Quantity | None:
    """The quantity of a line that only its SCH say, or its SDQ."""
    scheduled = [x12.quantity(message, segment, 1, 2) for segment in every(loop, "SCH")]
    return total_of(scheduled) if scheduled else _of_stores(message, loop)


def _of_stores(message: Message, loop: Loop) -> Quantity | None:
    """What the SDQ of a line divide over the customer's stores, in all."""
    found = [
        message.values.quantity(quantity, segment[1])
        for segment in every(loop, "SDQ")
        for _, quantity in x12.pairs(segment, 3)
    ]
    return total_of(found) if found else None


def _compare_stores(message: Message, loop: Loop, ordered: Quantity) -> None:
    """Check that the stores get what is ordered, where both are in one unit. Raises `Misread`."""
    stores = _of_stores(message, loop)
    if stores is not None and stores.uom == ordered.uom and stores.qty != ordered.qty:
        raise Misread(f"PO102 orders {ordered.qty}, and SDQ divides {stores.qty} over the stores")
