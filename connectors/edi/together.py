"""Lines of one item stay together: where one of them cannot be read, the others of that item wait with it.

What is known of an item is the sum or the list of its lines. Without one of them a balance or a schedule would be too
small, and the ids of those behind it would be other ones once all are read: what was taken would count twice.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from connectors.edi import edifact, x12
from connectors.edi.edifact_orders import number_of
from connectors.edi.message import Loop, Message, Statement
from connectors.edi.problems import Fault, Misread
from connectors.edi.segments import Segment
from connectors.mapping.values import Unreadable

_GOODS: Final[dict[str, Callable[[Segment], Iterable[tuple[str, str]]]]] = {
    "LIN": lambda segment: x12.pairs(segment, 2),
    "PO1": lambda segment: x12.numbers(segment, 6),
    "POC": lambda segment: x12.numbers(segment, 8),
    "W01": lambda segment: x12.goods(segment, 3),
    "W07": lambda segment: x12.goods(segment, 3),
    "W12": lambda segment: x12.goods(segment, 6),
    "W19": lambda segment: x12.goods(segment, 4),
}
"""Where the segments of X12 that name an item have its numbers."""


def held_back(message: Message, told: Sequence[Statement], refused: Iterable[Fault]) -> dict[int, Fault]:
    """The statements that a refused line may belong to, each as a fault by the number of its segment."""
    if not told:
        return {}
    broken: dict[tuple[str, str | None], Fault] = {}
    for cause in refused:
        for name, number in _names(message, _loop_at(message, cause.place.segment)):
            broken |= {(name, number): cause, (name, None): cause}
    waiting: dict[int, Fault] = {}
    for statement in told:
        sku, line = str(statement.data["sku"]), _line_of(statement)
        # A statement of no order's line is of all lines of its item; a line without a number may be any of them.
        fault = broken.get((sku, line)) or (broken.get((sku, "")) if line else None)
        if fault is not None:
            why = Misread(f"it waits for segment {fault.place.segment}, a line of the same item")
            waiting[statement.segment.number] = Fault.of(statement.segment, why)._replace(unmapped=fault.unmapped)
    return waiting


def _line_of(statement: Statement) -> str | None:
    """The number of the order's line that a statement is of, without leading zeros; None where it is of no line."""
    if "reservation" in statement.data:
        return statement.key[0].lstrip("0")
    return str(statement.data["line"]).lstrip("0") if "line" in statement.data else None


def _loop_at(message: Message, number: int) -> Loop:
    """The segments of the line that begins at the segment with this number."""
    segments = message.segments
    start = number - segments[0].number
    end = next((at for at in range(start + 1, len(segments)) if segments[at].tag == segments[start].tag), len(segments))
    return segments[start:end]


def _names(message: Message, loop: Loop) -> Iterator[tuple[str, str]]:
    """Our items in a line, as far as they can be read, each with the line's number, and with none where it has none."""
    numbers = [number_of(loop)] if message.standard == "EDIFACT" else _x12_numbers(loop)
    own = {number.lstrip("0") for number in numbers if number} or {""}
    for pairs in _goods(message, loop):
        try:
            sku = message.values.item(pairs)
        except Unreadable:
            continue
        yield from ((sku, line) for line in own)


def _x12_numbers(loop: Loop) -> Iterator[str]:
    yield from (segment[1] for segment in loop if segment.tag in ("LIN", "SN1", "PO1", "POC", "RCD"))
    yield x12.referenced(loop, ("LI",))


def _goods(message: Message, loop: Loop) -> Iterator[list[tuple[str, str]]]:
    if message.standard == "EDIFACT":
        yield edifact.items(loop)
        return
    for segment in loop:
        if segment.tag in _GOODS:
            yield list(_GOODS[segment.tag](segment))
