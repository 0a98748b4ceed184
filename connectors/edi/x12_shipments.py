"""856, a supplier's notice of a shipment: a tree of HL loops, of shipment, order, pack and item."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from connectors.edi import codes, x12
from connectors.edi.message import Loop, Message, Nothing, Outcome, every, find, gather
from connectors.edi.problems import Fault, Misread
from connectors.edi.segments import Segment
from connectors.edi.shipments import ShippedLine, notices, positions
from connectors.edi.values import reference

_DEEPEST = 32
"""So many levels are above an item at most: a shipment, an order, a pallet, a pack and an item are five."""


@dataclass(frozen=True)
class _Level:
    """An HL loop with those above it, from the outermost on."""

    loop: Loop
    above: Sequence[Loop]

    @property
    def all(self) -> Sequence[Loop]:
        return (*self.above, self.loop)


def ship_notice(message: Message) -> Iterator[Outcome]:
    """Each line of an order that is shipped; a loop without a LIN divides the quantity of the item above it."""
    begin = message.first("BSN")
    message.read_purpose(begin, begin[1], codes.X12_PURPOSES)
    message.document(begin[2], "BSN02, the shipment's number,")
    message.day = message.values.x12_when(begin[3], begin[4]) if begin[3] else None
    levels = list(_levels(message))
    items = [level for level in levels if _line(level.loop) is not None]
    if not levels and find(message.segments, "LIN", "SN1") is not None:
        raise Misread("the notice has items and no HL, which says of which order they are")
    nameless = list(_nameless(levels, items))
    yield from nameless
    if not items and message.purpose != "original":
        raise Misread(f"the shipment {message.number} is changed or cancelled without its lines")
    if not items and not nameless:
        yield Nothing(begin, "a notice of no items")
    places = positions(_name(level) for level in items)
    lines, refused = gather(
        [each.loop for each in items], lambda place, _: _shipped(message, items[place - 1], places[place - 1])
    )
    yield from (*refused, *notices(message, lines))


def _levels(message: Message) -> Iterator[_Level]:
    """The HL loops with what is above each; a parent that is not there, or is itself, has nothing above it."""
    known: dict[str, _Level] = {}
    for loop in message.loops(("HL",), x12.ENDS):
        parent = known.get(loop[0][2])
        level = known[loop[0][1]] = _Level(loop, parent.all if parent else ())
        if len(level.above) > _DEEPEST:
            raise Misread(f"the HL {loop[0][1]} of segment {loop[0].number} lies below more than {_DEEPEST} others")
        yield from _items_of(level)


def _items_of(level: _Level) -> Iterator[_Level]:
    """A level of several items as a level for each, from its LIN (or its SN1, where that comes first) on."""
    loop = level.loop
    if len([segment for segment in loop if _names_an_item(segment)]) < 2:
        yield level
        return
    first = next(segment.tag for segment in loop if _names_an_item(segment) or segment.tag == "SN1")
    starts = [
        at for at, segment in enumerate(loop) if segment.tag == first and (first == "SN1" or _names_an_item(segment))
    ]
    for start, end in pairwise([*starts, len(loop)]):
        yield _Level(loop[start:end], (*level.above, loop[: starts[0]]))


def _line(loop: Loop) -> Segment | None:
    """The LIN of a loop that names its item."""
    return next((segment for segment in loop if _names_an_item(segment)), None)


def _names_an_item(segment: Segment) -> bool:
    """Whether it is a LIN of an item. One that names only a returnable container (RC) is of none."""
    return segment.tag == "LIN" and {kind for kind, _ in x12.pairs(segment, 2)} != {"RC"}


def _nameless(levels: Sequence[_Level], items: Sequence[_Level]) -> Iterator[Fault]:
    """Quantities of which no LIN says the item: neither their own loop, nor one above or below it."""
    named = {id(loop) for level in items for loop in level.all}
    for level in levels:
        if find(level.loop, "SN1") is None or id(level.loop) in named:
            continue
        if not any(_line(loop) for loop in level.all):
            yield Fault.of(level.loop[0], Misread("SN1 says a quantity, and no LIN says of which item"))


def _name(level: _Level) -> tuple[str, ...]:
    """What the notice itself calls a line: its order, its number and its item."""
    item = _line(level.loop)
    assert item is not None
    return (_order(level), *(item[place] for place in range(1, len(item) + 1)))


def _shipped(message: Message, level: _Level, position: int) -> ShippedLine:
    item, detail = _line(level.loop), find(level.loop, "SN1")
    assert item is not None
    if detail is None:
        raise Misread("the item has no SN1, which says its quantity")
    if len(every(level.loop, "SN1")) > 1:
        raise Misread("the item has several SN1: which of their quantities is shipped?")
    header = message.header(("HL",))
    number = item[1] or detail[1]
    return ShippedLine(
        level.loop[0],
        reference(_order(level) or _order_of(header), "the number of the order (PRF01, or PO of LIN or REF)"),
        number,
        position,
        message.values.item(x12.pairs(item, 2)),
        message.values.location(x12.parties(header, *level.all), ("ST",)),
        x12.quantity(message, detail, 2, 3),
        x12.best_date(message, message.values.profile.dates.eta, header, *level.all),
    )


def _order(level: _Level) -> str:
    """The order's number: of the nearest PRF, of the item itself, or of a REF above."""
    for loop in reversed(level.all):
        if found := _order_of(loop):
            return found
    return ""


def _order_of(loop: Loop) -> str:
    order, item = find(loop, "PRF"), _line(loop)
    if order is not None and order[1]:
        return order[1]
    named = dict(x12.pairs(item, 2)) if item is not None else {}
    return named.get("PO") or named.get("ON") or x12.referenced(loop, ("PO",))
