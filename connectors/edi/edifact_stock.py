"""DESADV, RECADV, INVRPT and DELFOR: what is on its way, was received, is there, and is expected."""

from collections.abc import Iterator

from connectors.edi import codes, edifact
from connectors.edi.balances import Balance, balances
from connectors.edi.codes import Condition
from connectors.edi.edifact_orders import line_of, number_of
from connectors.edi.forecasts import Bucket, Expected, forecasts
from connectors.edi.message import Loop, Message, Nothing, Outcome, every, gather
from connectors.edi.movements import Received, receipts
from connectors.edi.problems import Misread
from connectors.edi.schedules import total_of
from connectors.edi.segments import Segment
from connectors.edi.shipments import ShippedLine, notices, positions
from connectors.edi.values import Quantity, When, reference

_SHIPPED = ("12", "46", "113", "21", "1")
_NOTICES = ("AAK", "DQ")
_EXPECTED = ("113", "1", "21")
_DELIVERED = ("2", "17", "67", "69", "10", "11", "64")


def despatch_advice(message: Message) -> Iterator[Outcome]:
    """DESADV: each line of an order that is shipped."""
    begin = edifact.begin(message)
    message.document(begin[2], "the shipment's number (BGM)")
    header = message.header(("CPS", "LIN"))
    loops = edifact.lines(message, (*edifact.ENDS, "CPS"))
    if not loops and message.purpose != "original":
        raise Misread(f"the shipment {message.number} is changed or cancelled without its lines")
    if not loops:
        yield Nothing(begin, "a notice of no items")
    # What the notice itself calls a line: its order, its number and its item.
    places = positions((_order(header, loop), number_of(loop), *map("/".join, edifact.items(loop))) for loop in loops)
    lines, refused = gather(loops, lambda place, loop: _shipped(message, header, loop, places[place - 1]))
    yield from (*refused, *notices(message, lines))


def _order(header: Loop, loop: Loop) -> str:
    return edifact.referenced(loop, ("ON",)) or edifact.referenced(header, ("ON",))


def _shipped(message: Message, header: Loop, loop: Loop, position: int) -> ShippedLine:
    return ShippedLine(
        loop[0],
        reference(_order(header, loop), "the number of the order (RFF+ON)"),
        number_of(loop),
        position,
        message.values.item(edifact.items(loop)),
        message.values.location(edifact.parties(header, loop), ("DP", "ST")),
        _total(message, loop, _SHIPPED),
        edifact.best_date(message, message.values.profile.dates.eta, header, loop),
    )


def _total(message: Message, loop: Loop, kinds: tuple[str, ...]) -> Quantity:
    """The sum of the quantities of the best kind, as of a line that is split over places."""
    found = [edifact.quantity(message, segment) for segment in edifact.quantities(loop, kinds)]
    if not found:
        raise Misread(f"the line has no QTY of the kinds {', '.join(kinds)}")
    return total_of(found)


def receiving_advice(message: Message) -> Iterator[Outcome]:
    """RECADV: each line is a `goods.received`; a cancellation takes it back."""
    begin = edifact.begin(message)
    message.document(begin[2], "the receipt's number (BGM)")
    header = message.header(("CPS", "LIN"))
    message.day = edifact.best_date(message, ("50", "35"), header) or message.day
    loops = edifact.lines(message, (*edifact.ENDS, "CPS"))
    lines, refused = gather(loops, lambda position, loop: _received(message, header, position, loop))
    yield from (*refused, *receipts(message, lines))


def _received(message: Message, header: Loop, position: int, loop: Loop) -> Received:
    parts: dict[Condition, list[Quantity]] = {}
    for segment in every(loop, "QTY"):
        kind = message.values.profile.codes.condition.get(segment[1]) or codes.RECEIVED.get(segment[1])
        if kind is not None:
            parts.setdefault(kind, []).append(edifact.quantity(message, segment))
    accepted = edifact.quantities(loop, ("194",))
    if edifact.quantities(loop, ("48",)):
        parts["good"] = [_good(message, loop, parts, bool(accepted))]
    if not parts:
        raise Misread("the line has no QTY of a kind that was received (48, 194)")
    sku = message.values.item(edifact.items(loop))
    both = [*loop, *header]
    return Received(
        loop[0], sku, message.values.location(edifact.parties(header, loop), ("DP", "ST")), parts,
        edifact.referenced(both, ("ON",)), str(line_of(message, loop, position, sku)),
        edifact.referenced(both, _NOTICES), edifact.best_date(message, ("50", "35"), loop),
    )  # fmt: skip


def _good(message: Message, loop: Loop, parts: dict[Condition, list[Quantity]], accepted: bool) -> Quantity:
    """What is good of all that was received: what was accepted, or all but what is held or damaged."""
    total = _total(message, loop, ("194",) if accepted else ("48",))
    bad = 0 if accepted else sum(each.qty for kind in ("held", "damaged") for each in parts.get(kind, ()))
    return Quantity(total.qty - bad, total.uom)


def inventory_report(message: Message) -> Iterator[Outcome]:
    """INVRPT: each item at a location is a `balance.reported`; parts of it, as by bin, are summed."""
    edifact.begin(message)
    header = message.header(("LIN",))
    message.day = edifact.best_date(message, ("366", "356", "7", "137"), header) or message.day
    loops = edifact.lines(message)
    lines, refused = gather(loops, lambda _, loop: _balance(message, header, loop))
    yield from (*refused, *balances(message, lines))


def _balance(message: Message, header: Loop, loop: Loop) -> Balance:
    return Balance(
        loop[0],
        message.values.item(edifact.items(loop)),
        message.values.location(edifact.parties(header, loop), ("WH", "ST", "DP")),
        [(segment[1], edifact.quantity(message, segment)) for segment in every(loop, "QTY")],
        edifact.best_date(message, ("366", "356", "7"), loop),
    )


def delivery_schedule(message: Message) -> Iterator[Outcome]:
    """DELFOR: each item from a location is a `forecast.revised` of what is to be delivered."""
    begin = edifact.begin(message)
    message.number = begin[2] or message.transaction.control
    header = message.header(("LIN",))
    loops = edifact.lines(message)
    if not loops:
        yield Nothing(begin, "a schedule of no items")
    lines, refused = gather(loops, lambda _, loop: _expected(message, header, loop))
    yield from (*refused, *forecasts(message, lines))


def _expected(message: Message, header: Loop, loop: Loop) -> Expected:
    return Expected(
        loop[0],
        message.values.item(edifact.items(loop)),
        message.values.location(edifact.parties(header, loop), ("SF", "WH")),
        list(_buckets(message, loop)),
    )


def _buckets(message: Message, loop: Loop) -> Iterator[Bucket]:
    """Each quantity to be delivered, with the dates after it and the frequency of the SCC before it."""
    timing = "D"
    pending: Segment | None = None
    days: dict[str, Segment] = {}
    for segment in [*loop, loop[0]]:
        if segment.tag in ("QTY", "SCC", "LIN") and pending is not None:
            yield _bucket(message, pending, timing, days)
            pending = None
        if segment.tag == "SCC":
            timing = segment[3] or "D"
        elif segment.tag == "QTY" and segment[1] in _EXPECTED:
            pending, days = segment, {}
        elif segment.tag == "DTM":
            days[segment.part(1, 1)] = segment


def _bucket(message: Message, quantity: Segment, timing: str, days: dict[str, Segment]) -> Bucket:
    start, end = days.get("64"), days.get("63")
    if start is not None and end is not None:
        return Bucket(edifact.quantity(message, quantity), _when(message, start), timing, _when(message, end))
    day = next((days[kind] for kind in _DELIVERED if kind in days), None)
    if day is None:
        raise Misread(f"the QTY of segment {quantity.number} has no date of delivery")
    return Bucket(edifact.quantity(message, quantity), _when(message, day), timing)


def _when(message: Message, segment: Segment) -> When:
    return edifact.when(message, segment)
