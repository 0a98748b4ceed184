"""ORDRSP, what a supplier answers to our order; ORDERS and ORDCHG, what a customer orders of us."""

from collections.abc import Iterator

from connectors.edi import codes, edifact
from connectors.edi.codes import LineStatus
from connectors.edi.customer_orders import Demand, demands
from connectors.edi.message import Loop, Message, Nothing, Outcome, every, find, gather
from connectors.edi.problems import Misread
from connectors.edi.schedules import AcknowledgedLine, Part, of_whole_order, statements, total_of
from connectors.edi.segments import Segment
from connectors.edi.values import Quantity, reference

_ORDERED = ("21", "1", "113")
_PROMISED = ("113", "194", "12", "170", "66", "21", "1", "11")
"""What is promised, the best first: a line that says what was ordered beside it does not promise all of that."""
_LATER: dict[str, LineStatus] = {"83": "backordered", "182": "rejected", "185": "rejected"}
"""Quantities that are no part of what is promised."""


def acknowledgement(message: Message) -> Iterator[Outcome]:
    """ORDRSP: each line, with all its parts, is an `order.acknowledged`."""
    begin = edifact.begin(message)
    loops = edifact.lines(message)
    if not loops:
        order = edifact.referenced(message.header(("LIN",)), ("ON",))
        yield of_whole_order(begin, order, _of_all(message, begin))
    silent = [loop for loop in loops if _says_nothing(message, begin, loop)]
    yield from (Nothing(loop[0], "a line accepted as ordered, without a quantity") for loop in silent)
    lines, refused = gather(loops, lambda position, loop: _acknowledged(message, begin, position, loop))
    yield from (*refused, *statements(line for line in lines if line.parts))


def _says_nothing(message: Message, begin: Segment, loop: Loop) -> bool:
    return find(loop, "QTY") is None and _status(message, begin, loop[0]) != "rejected"


def _acknowledged(message: Message, begin: Segment, position: int, loop: Loop) -> AcknowledgedLine:
    header = message.header(("LIN",))
    order = edifact.order_of(header, loop)
    sku = message.values.item(edifact.items(loop))
    silent = _says_nothing(message, begin, loop)
    parts = [] if silent else _parts(message, header, loop, _status(message, begin, loop[0]))
    return AcknowledgedLine(
        loop[0], reference(order, "the number of the order (RFF+ON)"), line_of(message, loop, position, sku), sku,
        message.values.location(edifact.parties(header, loop), ("DP", "ST")), parts,
    )  # fmt: skip


def line_of(message: Message, loop: Loop, position: int, sku: str) -> int | str:
    """The number of the order's line: by reference, else the message's own."""
    return message.line(number_of(loop), position, sku)


def number_of(loop: Loop) -> str:
    """The number that a line gives itself; some writers repeat the order's number as its reference."""
    number = edifact.referenced(loop, ("LI",))
    if number and number != edifact.referenced(loop, ("ON",)):
        return number
    return edifact.referenced(loop, ("ON",), 3) or loop[0][1]


def _of_all(message: Message, begin: Segment) -> LineStatus:
    """What the message says of the whole order: by its purpose, or by the kind of its answer."""
    if message.purpose == "cancel":
        return "rejected"
    return codes.WHOLE_ANSWERS.get(begin[3]) or codes.WHOLE_ANSWERS.get(begin[4].upper(), "accepted")


def _status(message: Message, begin: Segment, line: Segment) -> LineStatus:
    if not line[2] or _of_all(message, begin) == "rejected":
        return _of_all(message, begin)
    found = message.values.profile.codes.line.get(line[2]) or codes.LINE_ACTIONS.get(line[2])
    if found is None:
        raise Misread(f"the action {line[2]!r} of LIN is not known: say what it means in `codes.line` of the profile")
    return found


def _parts(message: Message, header: Loop, loop: Loop, status: LineStatus) -> list[Part]:
    """The quantities of a line, each with the date after it; what is backordered is a part of what was ordered."""
    dates = message.values.profile.dates.due
    # A date after a quantity is of that quantity; what stands before them is of the line.
    due = edifact.best_date(message, dates, header, loop[: next(_places(loop), len(loop))])
    promised = edifact.quantities(edifact.schedule(loop)[1], _PROMISED) or edifact.quantities(loop, _PROMISED)
    later = [segment for segment in every(loop, "QTY") if segment[1] in _LATER]
    if not promised and not later:
        if status == "rejected":
            return [Part(status, Quantity(0))]
        raise Misread(f"the line has no QTY of a kind that promises ({', '.join(_PROMISED)})")
    found = [
        Part(status, edifact.quantity(message, each), edifact.best_date(message, dates, _after(loop, each)) or due)
        for each in promised
    ]
    waiting = [
        Part(_LATER[each[1]], edifact.quantity(message, each), edifact.best_date(message, dates, _after(loop, each)))
        for each in later
    ]
    if len(found) == 1 and promised[0].part(1, 1) in ("21", "1"):
        whole = found[0]
        rest = whole.quantity.qty - sum(part.quantity.qty for part in waiting)
        found = [Part(whole.status, Quantity(rest, whole.quantity.uom), whole.due)] if rest > 0 or not waiting else []
    return [*(part for part in found if part.quantity.qty or not waiting), *waiting]


def _places(loop: Loop) -> Iterator[int]:
    """Where the quantities of a line stand."""
    return (index for index, segment in enumerate(loop) if segment.tag == "QTY")


def _after(loop: Loop, segment: Segment) -> Loop:
    """The segments that follow a QTY, up to the next one: its dates are among them."""
    following = list(loop)[list(loop).index(segment) + 1 :]
    end = next((index for index, each in enumerate(following) if each.tag in ("QTY", "SCC", "LOC")), len(following))
    return following[:end]


def order(message: Message) -> Iterator[Outcome]:
    """ORDERS: each line of a customer's order is a reservation."""
    begin = edifact.begin(message)
    name = message.document(begin[2], "the order's number (BGM)")
    yield from demands(message, name, edifact.lines(message), _ordered)


def order_change(message: Message) -> Iterator[Outcome]:
    """ORDCHG: each line sets its reservation anew, or releases it."""
    edifact.begin(message)
    message.purpose = "cancel" if message.purpose == "cancel" else "change"
    header = message.header(("LIN",))
    name = reference(edifact.referenced(header, ("ON",)), "the number of the order (RFF+ON)")
    yield from demands(message, name, edifact.lines(message), _ordered)


def _ordered(message: Message, position: int, loop: Loop) -> Demand:
    first = loop[0]
    change = message.values.profile.codes.order_change.get(first[2]) or codes.ORDER_CHANGES.get(first[2], "set")
    if message.purpose == "original":
        change = "set"
    sku = message.values.item(edifact.items(loop))
    found = edifact.quantities(edifact.schedule(loop)[0], _ORDERED) or edifact.quantities(loop, _ORDERED)
    if not found and message.purpose == "original":
        raise Misread(f"the line has no QTY of a kind that orders ({', '.join(_ORDERED)})")
    total = total_of([edifact.quantity(message, each) for each in found]) if found else None
    where = message.values.location(edifact.parties(message.header(("LIN",)), loop), ("SF", "WH"))
    return Demand(first, message.line(first[1], position, sku), sku, where, total, change)
