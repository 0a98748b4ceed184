"""DESADV, RECADV, INVRPT and DELFOR: what is on its way, was received, is there, and is expected."""

from collections.abc import Iterator

from connectors.edi import codes, edifact
from connectors.edi.balances import Balance, balances, one_place
from connectors.edi.codes import Condition
from connectors.edi.edifact_orders import line_of, number_of
from connectors.edi.forecasts import Bucket, Expected, forecasts
from connectors.edi.message import Loop, Message, Nothing, Outcome, every, gather
from connectors.edi.movements import Received, receipts
from connectors.edi.problems import Misread
from connectors.edi.schedules import total_of
from connectors.edi.segments import Segment
from connectors.edi.shipments import ShippedLine, notices, positions
from connectors.edi.values import Quantity, reference

_SHIPPED = ("12", "46", "113", "21", "1")
_NOTICES = ("AAK", "DQ")
_RECEIVED = ("48", "46")
_EXPECTED = ("113", "1", "21", "131", "187")
_PLACES = ("18", "14", "19")
_CUMULATIVE = ("3", "74", "78")
_DELIVERED = ("2", "17", "67", "69", "10", "11", "64")
_AT_ONCE = ("5", "10")
"""Element 4017, of SCC, for what is overdue or wanted at once: without a date it is due on the document's."""
Place = tuple[tuple[str, str], ...]
"""Where a LOC says that a quantity is, as its qualifier and code; empty where none says it."""


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
        reference(edifact.order_of(header, loop), "the number of the order (RFF+ON)"),
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
    if edifact.quantities(loop, _RECEIVED):
        parts["good"] = [_good(message, loop, parts, bool(accepted))]
    if not parts:
        raise Misread("the line has no QTY of a kind that was received (194, 48, 46)")
    sku = message.values.item(edifact.items(loop))
    both = [*loop, *header]
    return Received(
        loop[0], sku, message.values.location(edifact.parties(header, loop), ("DP", "ST")), parts,
        edifact.order_of(header, loop), str(line_of(message, loop, position, sku)),
        edifact.referenced(both, _NOTICES), edifact.best_date(message, ("50", "35"), loop),
    )  # fmt: skip


def _good(message: Message, loop: Loop, parts: dict[Condition, list[Quantity]], accepted: bool) -> Quantity:
    """What is good of all that was received: what was accepted, or all but what is held or damaged."""
    total = _total(message, loop, ("194",) if accepted else _RECEIVED)
    bad = 0 if accepted else sum(each.qty for kind in ("held", "damaged") for each in parts.get(kind, ()))
    return Quantity(total.qty - bad, total.uom)


def inventory_report(message: Message) -> Iterator[Outcome]:
    """INVRPT: each item at a location is a `balance.reported`; parts of it, as by bin, are summed."""
    edifact.begin(message)
    header = message.header(("LIN",))
    message.day = edifact.best_date(message, ("366", "356", "7", "137"), header) or message.day
    loops = edifact.lines(message)
    lines, refused = gather(loops, lambda _, loop: _balances(message, header, loop))
    yield from (*refused, *balances(message, (balance for line in lines for balance in line)))


def _balances(message: Message, header: Loop, loop: Loop) -> list[Balance]:
    """The balance of an item at each place: a LOC after a QTY says where that quantity is, else the line's party."""
    _only_good(loop)
    one_place(edifact.every_party(loop))
    sku = message.values.item(edifact.items(loop))
    when = edifact.best_date(message, ("366", "356", "7"), loop)
    usual = edifact.parties(header, loop)
    return [
        Balance(loop[0], sku, message.values.location([*place, *usual], (*_PLACES, "WH", "ST", "DP")), said, when)
        for place, said in _by_place(message, loop).items()
    ]


def _only_good(loop: Loop) -> None:
    """Refuse stock of another state than accepted (element 7491, of INV), which a balance would have to tell apart."""
    state = next((segment[2] for segment in every(loop, "INV") if segment[2] not in ("", "1")), None)
    if state is not None:
        raise Misread(
            f"INV says stock of the type {state}, which is not read: ask for one QTY with all that is on hand"
        )


def _by_place(message: Message, loop: Loop) -> dict[Place, list[tuple[str, Quantity]]]:
    """The quantities of a line by the LOC behind each; empty for those without, where none before them says it."""
    found: list[tuple[Place, Segment]] = []
    of_line: Place = ()
    for segment in loop:
        if segment.tag == "QTY":
            found.append((of_line, segment))
        elif segment.tag == "LOC" and segment[1] in _PLACES and segment.part(2, 1):
            here: Place = ((segment[1], segment.part(2, 1)),)
            if found:
                found[-1] = (here, found[-1][1])
            else:
                of_line = here
    by_place: dict[Place, list[tuple[str, Quantity]]] = {}
    for place, segment in found:
        by_place.setdefault(place, []).append((segment[1], edifact.quantity(message, segment)))
    if len(by_place) > 1:
        _check_totals(message, by_place.pop((), []), [each for said in by_place.values() for each in said])
    return by_place or {(): []}


def _check_totals(message: Message, totals: list[tuple[str, Quantity]], parts: list[tuple[str, Quantity]]) -> None:
    """Compare what a line says in all with what it says by place. Raises `Misread` where they differ."""
    meanings = {**codes.STOCK[message.standard], **message.values.profile.codes.stock}
    for kind, total in totals:
        by_place = [quantity for each, quantity in parts if each == kind]
        if meanings.get(kind, "none") != "none" and (not by_place or total_of(by_place) != total):
            raise Misread(f"QTY {kind} says {total.qty} without a place, which is not the sum of those with a place")


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
    buckets = list(_buckets(message, loop))
    if not buckets and any(segment[1] in _CUMULATIVE for segment in every(edifact.schedule(loop)[1], "QTY")):
        raise Misread("the schedule has cumulative quantities only: ask for discrete ones (QTY 113)")
    return Expected(
        loop[0],
        message.values.item(edifact.items(loop)),
        message.values.location(edifact.parties(header, loop), ("SF", "WH")),
        buckets,
    )


def _buckets(message: Message, loop: Loop) -> Iterator[Bucket]:
    """Each quantity to be delivered, with the dates after it and the frequency of the SCC before it."""
    plan: Segment | None = None
    pending: Segment | None = None
    days: dict[str, Segment] = {}
    for segment in [*loop, loop[0]]:
        if segment.tag in ("QTY", "SCC", "LIN") and pending is not None:
            yield _bucket(message, pending, plan, days)
            pending = None
        if segment.tag == "SCC":
            plan = segment
        elif segment.tag == "QTY" and segment[1] in _EXPECTED:
            pending, days = segment, {}
        elif segment.tag == "DTM":
            days[segment.part(1, 1)] = segment


def _bucket(message: Message, quantity: Segment, plan: Segment | None, days: dict[str, Segment]) -> Bucket:
    """What is expected in a period: between two dates, in a week or month, or as the frequency of the SCC says."""
    # A flexible interval (F) says its end itself, or it is the day of the one date that is there.
    timing, qty = "D" if plan is None or plan[3] in ("", "F") else plan[3], edifact.quantity(message, quantity)
    start, end = days.get("64"), days.get("63")
    if start is not None and end is not None:
        last = edifact.date_of(end)
        return Bucket(qty, edifact.date_of(start).first, timing, last.last or last.first.day)
    day = next((days[kind] for kind in _DELIVERED if kind in days), None)
    if day is not None:
        found = edifact.date_of(day)
        return Bucket(qty, found.first, timing, found.last)
    if plan is not None and plan[1] in _AT_ONCE and message.day is not None:
        return Bucket(qty, message.day)
    raise Misread(f"the QTY of segment {quantity.number} has no date of delivery")
