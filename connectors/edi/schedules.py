"""The schedule of an acknowledged line: what is promised, when, and in which state."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from connectors.base import JsonObject
from connectors.edi.codes import LineStatus
from connectors.edi.dates import When
from connectors.edi.message import Nothing, Statement, day_of
from connectors.edi.problems import Fault, Misread
from connectors.edi.segments import Segment
from connectors.edi.values import Quantity
from connectors.mapping.values import Unreadable

MOST_PARTS = 104
"""The parts that the contract allows in a schedule."""
_STRENGTH: Sequence[LineStatus] = ("accepted", "changed", "partial", "backordered", "pending", "rejected")


@dataclass(frozen=True)
class Part:
    """A part of a line: a status, a quantity, and when it is due."""

    status: LineStatus
    quantity: Quantity
    due: When | None = None

    @property
    def data(self) -> JsonObject:
        """The part as the contract has it."""
        due = day_of(self.due)
        return {"status": self.status, "qty": self.quantity.qty, **({"due": due} if due else {})}


@dataclass
class AcknowledgedLine:
    """The line of an order, and the parts that the message says of it, maybe in several places."""

    segment: Segment
    order: str
    line: int | str
    sku: str
    location: str
    parts: list[Part] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, ...]:
        """What the line is known by."""
        return (self.order, str(self.line), self.sku, self.location)

    def statement(self) -> Statement:
        """The event. Raises `Misread`."""
        if len(self.parts) > MOST_PARTS:
            raise Misread(f"the line has {len(self.parts)} parts, more than {MOST_PARTS}")
        if (least := min(part.quantity.qty for part in self.parts)) < 0:
            raise Misread(f"a quantity of {least} cannot be promised")
        uom = one_unit(part.quantity for part in self.parts)
        data = {
            "order": self.order, "line": self.line, "sku": self.sku, "location": self.location,
            "schedule": [part.data for part in self.parts], **({"uom": uom} if uom else {}),
        }  # fmt: skip
        return Statement(self.segment, "order.acknowledged", data, self.key)


def statements(lines: Iterable[AcknowledgedLine]) -> Iterator[Statement | Fault]:
    """An event for each line: an acknowledgement replaces the one before, so all parts of a line are in one."""
    found: dict[tuple[str, ...], AcknowledgedLine] = {}
    for line in lines:
        if line.key in found:
            found[line.key].parts.extend(line.parts)
        else:
            found[line.key] = line
    for line in found.values():
        try:
            yield line.statement()
        except Unreadable as error:
            yield Fault.of(line.segment, error)


def of_whole_order(begin: Segment, order: str, status: LineStatus) -> Nothing:
    """An answer to an order that names no lines. Raises `Misread` unless it accepts them as they were ordered."""
    if status != "accepted":
        raise Misread(
            f"the supplier says of the whole order {order or '(no number)'} that it is {status}, and names no lines: "
            "ask for an answer by line, or cancel the order"
        )
    return Nothing(begin, "an acknowledgement of a whole order, which names no lines")


def strongest(statuses: Iterable[LineStatus], default: LineStatus) -> LineStatus:
    """The status that says most against the line."""
    return max(statuses, key=_STRENGTH.index, default=default)


def total_of(quantities: Sequence[Quantity]) -> Quantity:
    """The sum of quantities, of which there is at least one. Raises `Misread` where their units differ."""
    return Quantity(sum(quantity.qty for quantity in quantities), one_unit(quantities))


def one_unit(quantities: Iterable[Quantity]) -> str | None:
    """The unit that all quantities of one event have. Raises `Misread`."""
    units = {quantity.uom for quantity in quantities}
    if len(units) > 1:
        raise Misread(f"two units in one line: {', '.join(sorted(unit or 'the base unit' for unit in units))}")
    return next(iter(units), None)
