"""What a customer orders of us: each line is a reservation, which a change sets anew and a cancellation releases."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from connectors.base import JsonObject
from connectors.edi.codes import OrderChange
from connectors.edi.message import Loop, Message, Nothing, Outcome, Statement, gather
from connectors.edi.problems import Fault, Misread
from connectors.edi.segments import Segment
from connectors.edi.values import Quantity, reference


@dataclass(frozen=True)
class Demand:
    """A line of a customer's order. `change` says what a change of an order makes of it."""

    segment: Segment
    line: int | str
    sku: str
    location: str
    quantity: Quantity | None
    change: OrderChange = "set"

    @property
    def row(self) -> tuple[str, str, str]:
        """What its reservation is known by within the order."""
        return (str(self.line), self.sku, self.location)


def demands(
    message: Message, order: str, loops: Sequence[Loop], read: Callable[[Message, int, Loop], Demand]
) -> Iterator[Outcome]:
    """The reservations of an order; a cancellation that names no lines is refused: it does not say what to free."""
    if not loops and message.purpose == "cancel":
        raise Misread(f"the order {order} is cancelled without its lines: release its reservations by hand")
    if not loops:
        yield Nothing(message.segments[0], "an order without lines")
    lines, refused = gather(loops, lambda position, loop: read(message, position, loop))
    yield from refused
    rows: dict[tuple[str, str, str], list[Demand]] = {}
    for line in lines:
        if line.change != "none":
            rows.setdefault(line.row, []).append(line)
    twice = {row: _twice(same) for row, same in rows.items() if len(same) > 1}
    for line in lines:
        try:
            if line.change != "none" and twice.get(line.row):
                raise Misread(twice[line.row])
            yield _reservation(message, order, line)
        except Misread as error:
            yield Fault.of(line.segment, error)


def _twice(same: Sequence[Demand]) -> str:
    """Why a line must not stand in a document so often; empty where it says one quantity again.

    A reservation is set, not added to, so that the last of them alone would count.
    """
    if len({(each.change, each.quantity) for each in same}) == 1:
        return ""
    places = " and ".join(str(each.segment.number) for each in same[:5])
    return (
        f"the line {same[0].line} of {same[0].sku} stands in the order {len(same)} times (segments {places}): "
        "each line needs a number of its own"
    )


def _reservation(message: Message, order: str, demand: Demand) -> Statement | Nothing:
    if demand.change == "none":
        return Nothing(demand.segment, "a line that does not change")
    name = reference(f"{order}/{demand.line}", "the reservation's name")
    key = (str(demand.line), demand.sku)
    data: JsonObject = {"reservation": name, "sku": demand.sku, "location": demand.location}
    if message.purpose == "cancel" or demand.change == "cancel":
        return Statement(demand.segment, "reservation.released", data, key)
    if demand.quantity is None:
        return Nothing(demand.segment, "a change of something else than the quantity")
    if demand.quantity.qty < 1:
        raise Misread(f"a quantity of {demand.quantity.qty} cannot be reserved")
    data |= {"qty": demand.quantity.qty} | ({"uom": demand.quantity.uom} if demand.quantity.uom else {})
    return Statement(demand.segment, "stock.reserved", data, key, counts_once=message.purpose == "original")
