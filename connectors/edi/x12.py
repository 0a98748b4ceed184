"""What segments of X12 say, whatever the transaction set."""

from collections.abc import Iterable, Iterator, Sequence

from connectors.edi.message import Loop, Message, every, find
from connectors.edi.problems import Misread
from connectors.edi.segments import Segment
from connectors.edi.values import Quantity, When
from connectors.mapping.values import Unreadable

ENDS = ("CTT",)
_OF_LINES = ("ACK", "FST", "LIN", "PO1", "POC", "QTY", "RCD", "SCH", "SDQ", "SN1", "W01", "W07", "W12", "W19")


def lines(message: Message, starts: Sequence[str], ends: Sequence[str] = ENDS) -> list[Loop]:
    """The loops of the lines. Raises `Misread` where there are items or quantities, and no line begins."""
    found = message.loops(starts, ends)
    stray = None if found else find(message.segments, *_OF_LINES)
    if stray is not None:
        raise Misread(
            f"there is {stray.tag} in segment {stray.number} and no {' or '.join(starts)}, which the lines of a "
            f"{message.transaction.code} begin with"
        )
    return found


def pairs(segment: Segment, start: int) -> Iterator[tuple[str, str]]:
    """The (qualifier, value) pairs of a segment, from the element `start` on."""
    for position in range(start, len(segment), 2):
        if segment[position] and segment[position + 1]:
            yield segment[position], segment[position + 1]


def numbers(segment: Segment, start: int) -> Iterator[tuple[str, str]]:
    """The item numbers of PO1 or POC, in pairs from `start` on.

    Some writers leave out the element before them, the basis of the price, and begin the pairs in its place: a
    qualifier has two characters, so that it can be told from a number.
    """
    shifted = len(segment[start]) > 2 and len(segment[start - 1]) == 2
    return pairs(segment, start - 1 if shifted else start)


def own(loop: Loop) -> Loop:
    """A line of an order without its SLN, which say what it consists of."""
    return loop[: next((index for index, segment in enumerate(loop) if segment.tag == "SLN"), len(loop))]


def goods(segment: Segment, code: int) -> list[tuple[str, str]]:
    """The item numbers of a warehouse's segment: a UPC case code at `code`, then pairs.

    Some writers leave the case code out and begin the pairs in its place.
    """
    first = segment[code]
    if len(first) == 2 and first.isalpha():
        return list(pairs(segment, code))
    return [*pairs(segment, code + 1), *([("UA", first)] if first else [])]


def parties(*loops: Loop) -> list[tuple[str, str]]:
    """The (qualifier, identification) of the parties of N1, the innermost loop last and best."""
    found: dict[str, str] = {}
    for loop in loops:
        found |= dict(reversed(every_party(loop)))
    return list(found.items())


def every_party(loop: Loop) -> list[tuple[str, str]]:
    """The (qualifier, identification) of each N1 of a loop, in its order."""
    return [(segment[1], segment[4]) for segment in every(loop, "N1") if segment[4]]


def dates(loop: Loop) -> dict[str, Segment]:
    """The segments of dates by their qualifier: DTM, and G62 of the warehouses."""
    return {segment[1]: segment for segment in reversed(every(loop, "DTM", "G62"))}


def when(message: Message, segment: Segment) -> When:
    """The date of a DTM or G62. Raises `Misread`."""
    day = segment[2] or segment[6].partition("-")[0]
    if segment.tag == "G62":
        return message.values.x12_when(day, segment[4], segment[5])
    return message.values.x12_when(day, segment[3], segment[4])


def best_date(message: Message, qualifiers: Sequence[str], *loops: Loop) -> When | None:
    """The date of the best qualifier, in the last loop that has one; one that cannot be read is none.

    Dates of this kind (an arrival, a due date) are optional in the contract, and must not cost the line.
    """
    for loop in reversed(loops):
        found = dates(loop)
        for qualifier in qualifiers:
            if qualifier in found:
                try:
                    return when(message, found[qualifier])
                except Unreadable:
                    continue
    return None


def referenced(loop: Loop, qualifiers: Iterable[str]) -> str:
    """The reference of the best qualifier in REF or N9."""
    known = {segment[1]: segment[2] for segment in reversed(every(loop, "REF", "N9"))}
    return next((known[qualifier] for qualifier in qualifiers if known.get(qualifier)), "")


def quantity(message: Message, segment: Segment, number: int, unit: int) -> Quantity:
    """The quantity at `number` in the unit at `unit`. Raises `Misread`."""
    if not segment[number]:
        raise Misread(f"{segment.tag}{number:02} has no quantity")
    return message.values.quantity(segment[number], segment[unit])


def unit_of(loop: Loop) -> str:
    """The unit of a loop that states it apart from its quantities, in UIT or UNT."""
    segment = find(loop, "UIT", "UNT")
    return segment[1] if segment is not None else ""
