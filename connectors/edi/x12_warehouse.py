"""940, 944, 945 and 947: what a warehouse is told to ship, and what it received, shipped and adjusted."""

from collections.abc import Iterator, Sequence

from connectors.edi import codes, x12
from connectors.edi.codes import Condition
from connectors.edi.customer_orders import Demand, demands
from connectors.edi.message import Loop, Message, Nothing, Outcome, Statement, each, every, gather
from connectors.edi.movements import Received, issued, receipts, row_of
from connectors.edi.problems import Misread
from connectors.edi.segments import Segment
from connectors.edi.values import Quantity
from connectors.edi.x12_stock import condition

_ENDS = ("W76", "W03", "W14", "W66", "W27")


def shipping_order(message: Message) -> Iterator[Outcome]:
    """940: each W01 is a reservation of the order."""
    begin = message.first("W05")
    message.read_purpose(begin, begin[1], codes.WAREHOUSE_ORDER_PURPOSES)
    order = message.document(begin[2], "W0502, the depositor's order number,")
    yield from demands(message, order, x12.lines(message, ("W01",), (*_ENDS, "LX")), _ordered)


def _ordered(message: Message, position: int, loop: Loop) -> Demand:
    first = loop[0]
    sku = message.values.item(x12.goods(first, 3))
    number = x12.referenced(loop, ("LI",))
    where = message.values.location(x12.parties(message.header(("LX", "W01"))), ("WH", "SF"))
    return Demand(first, message.line(number, position, sku), sku, where, x12.quantity(message, first, 1, 2))


def stock_receipt(message: Message) -> Iterator[Outcome]:
    """944: each W07, with its exceptions in W13, is a `goods.received`."""
    begin = message.first("W17")
    header = message.header(("LX", "W07"))
    place = _dated(message, begin, (2, 3, 4, 1), header, ("50",))
    message.document(begin[3 if place not in (1, 3) else 2], "W1703, the receipt's number,")
    lines, refused = gather(
        x12.lines(message, ("W07",), (*_ENDS, "LX")), lambda _, loop: _received(message, begin, header, loop)
    )
    yield from (*refused, *receipts(message, lines))


def _received(message: Message, begin: Segment, header: Loop, loop: Loop) -> Received:
    parts: dict[Condition, list[Quantity]] = {"good": [x12.quantity(message, loop[0], 1, 2)]}
    for segment in every(loop, "W13"):
        parts.setdefault(condition(message, segment[3]), []).append(x12.quantity(message, segment, 1, 2))
    order = x12.referenced([*loop, *header], ("PO",)) or begin[4]
    return Received(
        loop[0],
        message.values.item(x12.goods(loop[0], 3)),
        message.values.location(x12.parties(header, loop), ("WH", "ST")),
        parts,
        order,
        x12.referenced(loop, ("LI",)),
        begin[5],
    )


def shipping_advice(message: Message) -> Iterator[Outcome]:
    """945: each W12 is a `stock.issued` of what was shipped."""
    begin = message.first("W06")
    header = message.header(("LX", "W12"))
    place = _dated(message, begin, (3, 4), header, ("11",))
    # The depositor's order may be shipped in parts, so the document is known by both its numbers.
    numbers = filter(None, (begin[2], begin[4] if place != 4 else ""))
    message.document("/".join(numbers), "W0602, the depositor's order number,")

    def make(_: int, loop: Loop) -> Iterator[Outcome]:
        sku = message.values.item(x12.goods(loop[0], 6))
        where = message.values.location(x12.parties(header, loop), ("WH", "SF"))
        yield issued(loop[0], row_of(sku, where, begin[2]), x12.quantity(message, loop[0], 3, 5))

    yield from each(x12.lines(message, ("W12",), (*_ENDS, "LX")), make)


def adjustment(message: Message) -> Iterator[Outcome]:
    """947: each W19 is a `stock.adjusted`."""
    begin = message.first("W15")
    header = message.header(("LX", "W19"))
    place = _dated(message, begin, (1, 2, 3), header, ("07",))
    message.document(begin[2 if place != 2 else 1], "W1502, the adjustment's number,")

    def make(_: int, loop: Loop) -> Iterator[Outcome]:
        yield _adjusted(message, header, loop)

    yield from each(x12.lines(message, ("W19",), (*_ENDS, "LX")), make)


def _adjusted(message: Message, header: Loop, loop: Loop) -> Outcome:
    first = loop[0]
    quantity = x12.quantity(message, first, 2, 3)
    if not quantity.qty:
        return Nothing(first, "a quantity of 0")
    status = message.values.profile.codes.adjustment.get(first[1], "available")
    data = {
        "sku": message.values.item(x12.goods(first, 4)),
        "location": message.values.location(x12.parties(header, loop), ("WH", "SF")),
        "qty": quantity.qty,
        **({"status": status} if status != "available" else {}),
        "reason": f"947 reason {first[1] or 'not stated'}",
        **({"uom": quantity.uom} if quantity.uom else {}),
    }
    key = (str(data["sku"]), str(data["location"]), first[1])
    return Statement(first, "stock.adjusted", data, key, counts_once=True)


def _dated(message: Message, begin: Segment, places: Sequence[int], header: Loop, qualifiers: Sequence[str]) -> int:
    """Set the date of a warehouse's document, and return the element that has it; 0 where a G62 says it.

    It belongs into the first of `places`; some writers have it in one of the others. Raises `Misread`.
    """
    for place in places:
        if begin[place].isdigit() and len(begin[place]) in (6, 8):
            message.day = message.values.x12_when(begin[place])
            return place
    message.day = x12.best_date(message, qualifiers, header)
    if message.day is None:
        raise Misread(f"{begin.tag} has no date in element {places[0]}, and no G62 of {qualifiers[0]} says one")
    return 0
