"""861, 867 and 846: what was received, what was sold, and what somebody else's books say is there."""

from collections.abc import Iterator
from itertools import pairwise

from connectors.edi import codes, x12
from connectors.edi.balances import Balance, balances, one_place
from connectors.edi.codes import Condition
from connectors.edi.message import Loop, Message, Nothing, Outcome, each, every, find, gather
from connectors.edi.movements import Received, issued, only_original, receipts, row_of
from connectors.edi.problems import Misread
from connectors.edi.segments import Segment
from connectors.edi.values import Quantity, When

_RECEIVED_DATES = ("050", "035", "111")
_SOLD_DATES = ("011", "003", "004", "035")
_REPORT_ENDS = ("091", "007", "090")
_SOLD, _RETURNED = ("32", "39", "01", "1"), ("76",)


def receiving_advice(message: Message) -> Iterator[Outcome]:
    """861: each RCD is a `goods.received`; a cancellation takes it back."""
    begin = message.first("BRA")
    message.read_purpose(begin, begin[3], codes.X12_PURPOSES)
    message.document(begin[1], "BRA01, the receipt's number,")
    header = message.header(("RCD",))
    message.day = x12.best_date(message, _RECEIVED_DATES, header)
    message.day = message.day or (message.values.x12_when(begin[2], begin[5]) if begin[2] else None)
    lines, refused = gather(x12.lines(message, ("RCD",)), lambda _, loop: _received(message, header, loop))
    yield from (*refused, *receipts(message, lines))


def _received(message: Message, header: Loop, loop: Loop) -> Received:
    first, item = loop[0], find(loop, "LIN")
    if item is None:
        raise Misread("RCD has no LIN, which names the item")
    if first[4] and message.values.number(first[4]):
        raise Misread(f"RCD04 says that {first[4]} were returned: ask for the return as a document of its own")
    good = [x12.quantity(message, first, 2, 3)] if first[2] else []
    parts: dict[Condition, list[Quantity]] = {"good": good, "held": [], "damaged": [], "none": []}
    for place in range(6, 21, 3):
        if first[place]:
            parts[condition(message, first[place + 2])].append(x12.quantity(message, first, place, place + 1))
    named = dict(x12.pairs(item, 2))
    order = find(loop, "PRF") or find(header, "PRF")
    return Received(
        first,
        message.values.item(x12.pairs(item, 2)),
        message.values.location(x12.parties(header, loop), ("ST", "WH", "RC")),
        parts,
        (order[1] if order else "") or named.get("PO") or x12.referenced([*loop, *header], ("PO",)),
        first[1] or item[1],
        x12.referenced([*loop, *header], ("SI",)),
        x12.best_date(message, _RECEIVED_DATES, loop),
    )


def condition(message: Message, code: str) -> Condition:
    """What the condition of goods in question means. Raises `Misread` for a code that nobody declares."""
    found = message.values.profile.codes.condition.get(code) or codes.CONDITIONS.get(code)
    if found is None:
        raise Misread(f"the condition {code!r} is not known: say what it means in `codes.condition` of the profile")
    return found


def resale(message: Message) -> Iterator[Outcome]:
    """867: each quantity sold is a `stock.issued` at the distributor, each returned one a `stock.returned`."""
    begin = message.first("BPT")
    message.read_purpose(begin, begin[1], codes.X12_PURPOSES)
    message.number = begin[2]
    only_original(message)
    header = message.header(("PTD",))
    message.day = x12.best_date(message, _REPORT_ENDS, header)
    message.day = message.day or (message.values.x12_when(begin[3]) if begin[3] else None)

    sales = [(loop, *sale) for loop in x12.lines(message, ("PTD",)) for sale in _sales(loop)]

    def make(position: int, _: Loop) -> Iterator[Outcome]:
        loop, quantity, about = sales[position - 1]
        yield _sale(message, x12.parties(header, loop), loop, quantity, about)

    yield from each((about for _, _, about in sales), make)


def _sales(loop: Loop) -> list[tuple[Segment, Loop]]:
    """The quantities of a PTD loop, each with what is said of it: a QTY and the LIN behind it.

    Some writers have the LIN first; then the quantities behind it are of that item.
    """
    first = find(loop, "QTY", "LIN")
    starts = [index for index, segment in enumerate(loop) if first is not None and segment.tag == first.tag]
    groups = [loop[start:end] for start, end in pairwise([*starts, len(loop)])]
    return [(quantity, group) for group in groups for quantity in every(group, "QTY")]


def _sale(message: Message, where: list[tuple[str, str]], loop: Loop, quantity: Segment, about: Loop) -> Outcome:
    kind = loop[0][1]
    if quantity[1] not in (*_SOLD, *_RETURNED):
        return Nothing(quantity, f"a quantity of the kind {quantity[1]}, which is no sale")
    if kind in codes.OTHER_TRANSFERS:
        raise Misread(f"PTD01 says by {kind} {codes.OTHER_TRANSFERS[kind]}, which is no sale from stock")
    named = find(about, "LIN")
    item = named if named is not None or len(every(loop, "LIN")) != 1 else find(loop, "LIN")
    if item is None:
        raise Misread("QTY has no LIN, which names the item")
    sku = message.values.item(x12.pairs(item, 2))
    location = message.values.location(where, ("DS", "DB", "SF", "WH"))
    sold = x12.quantity(message, quantity, 2, 3)
    sold = Quantity(-sold.qty, sold.uom) if quantity[1] in _RETURNED else sold
    if kind in codes.RETURNS and sold.qty > 0:
        raise Misread(f"PTD01 says by {kind} that goods came back, and QTY01 by {quantity[1]} that they were sold")
    day = x12.best_date(message, _SOLD_DATES, loop, about)
    order = x12.referenced([*about, *loop], ("PO", "CO"))
    return issued(quantity, row_of(sku, location, order), sold, day)


def inventory(message: Message) -> Iterator[Outcome]:
    """846: each item at a location is a `balance.reported`; parts of it, as by lot, are summed."""
    begin = message.first("BIA")
    message.read_purpose(begin, begin[1], codes.X12_PURPOSES)
    message.number = begin[3]
    header = message.header(("LIN",))
    message.day = x12.best_date(message, ("007", "097", "102"), header)
    message.day = message.day or (message.values.x12_when(begin[4], begin[5]) if begin[4] else None)
    lines, refused = gather(x12.lines(message, ("LIN",)), lambda _, loop: _balance(message, header, loop))
    yield from (*refused, *balances(message, lines))


def _balance(message: Message, header: Loop, loop: Loop) -> Balance:
    if find(loop, "SDQ") is not None:
        raise Misread("SDQ divides the balance over places, which is not read: ask for a LIN for each place")
    one_place(x12.every_party(loop))
    said: list[tuple[str, Quantity]] = []
    for index, segment in enumerate(loop):
        if segment.tag == "QTY":
            after = loop[index + 1] if index + 1 < len(loop) and loop[index + 1].tag == "UIT" else None
            unit = segment[3] or (after[1] if after is not None else x12.unit_of(loop))
            if not segment[2]:
                raise Misread(f"QTY02 has no quantity of the kind {segment[1] or '(none)'}")
            said.append((segment[1], message.values.quantity(segment[2], unit)))
    when: When | None = x12.best_date(message, ("007", "097", "102"), loop)
    return Balance(
        loop[0],
        message.values.item(x12.pairs(loop[0], 2)),
        message.values.location(x12.parties(header, loop), ("WH", "ST", "SF", "LW")),
        said,
        when,
    )
