"""What segments of EDIFACT say, whatever the message."""

from collections.abc import Iterable, Sequence

from connectors.edi.codes import EDIFACT_PURPOSES
from connectors.edi.dates import Period, When, period
from connectors.edi.message import Loop, Message, every
from connectors.edi.problems import Misread
from connectors.edi.segments import Segment
from connectors.edi.values import Quantity
from connectors.mapping.values import Unreadable

ENDS = ("UNS", "CNT")
_OTHER_ITEMS = ("2", "3", "4", "6", "7", "8")
"""Element 4347, of PIA, where it names another item: a substitute, a successor, or what was replaced."""
_SUBSTITUTE = "3"
_FREE_GOODS = "192"


def begin(message: Message) -> Segment:
    """The BGM, read: the purpose, the document's number and its date."""
    segment = message.first("BGM")
    message.read_purpose(segment, segment[3], EDIFACT_PURPOSES)
    header = message.header(("LIN", "CPS", "LOC"))
    message.day = best_date(message, ("137", "4"), header)
    message.number = segment[2]
    return segment


def lines(message: Message, ends: Sequence[str] = ENDS) -> list[Loop]:
    """The lines of a message. A sub-line only says what its line consists of, and is noted."""
    found = []
    for loop in message.loops(("LIN",), ends):
        if loop[0].part(4, 1) == "1":
            what = "a sub-line, which says what another line consists of"
            message.note(loop[0], what, f"a sub-line of {loop[0].part(4, 2)}")
            continue
        if any(segment[1] == _SUBSTITUTE for segment in every(loop, "PIA")):
            message.note_substitute(loop[0])
        for free in (segment for segment in every(loop, "QTY") if segment[1] == _FREE_GOODS):
            message.note(free, "free goods, which are not added to what the line says", f"{free.part(1, 2)} free ones")
        found.append(loop)
    return found


def items(loop: Loop) -> list[tuple[str, str]]:
    """The (qualifier, number) of the item: LIN, then PIA, but for those of items in its place."""
    found = [(segment.part(3, 2), segment.part(3, 1)) for segment in every(loop, "LIN")]
    for segment in every(loop, "PIA"):
        if segment[1] in _OTHER_ITEMS:
            continue
        found += [(segment.part(place, 2), segment.part(place, 1)) for place in range(2, len(segment) + 1)]
    return [(qualifier, number) for qualifier, number in found if number]


def parties(*loops: Loop) -> list[tuple[str, str]]:
    """The (qualifier, identification) of the parties of NAD, the innermost loop last and best."""
    found: dict[str, str] = {}
    for loop in loops:
        found |= dict(reversed(every_party(loop)))
    return list(found.items())


def every_party(loop: Loop, tag: str = "NAD") -> list[tuple[str, str]]:
    """The (qualifier, identification) of each NAD, or LOC, of a loop, in its order."""
    return [(segment[1], segment.part(2, 1)) for segment in every(loop, tag) if segment.part(2, 1)]


def best_date(message: Message, qualifiers: Sequence[str], *loops: Loop) -> When | None:
    """The date of the best qualifier, in the last loop that has one; one that cannot be read is noted, and is none."""
    for loop in reversed(loops):
        found = {segment.part(1, 1): segment for segment in reversed(every(loop, "DTM")) if segment.part(1, 2)}
        for qualifier in qualifiers:
            if qualifier in found:
                try:
                    return date_of(found[qualifier]).first
                except Unreadable as error:
                    message.note(found[qualifier], "a date that cannot be read, which is taken as not said", str(error))
    return None


def date_of(segment: Segment) -> Period:
    """The date of a DTM. Raises `Misread`."""
    return period(segment.part(1, 2), segment.part(1, 3))


def referenced(loop: Loop, qualifiers: Iterable[str], component: int = 2) -> str:
    """The reference of the best qualifier in RFF; of the component 3 the line that it names."""
    known = {segment.part(1, 1): segment.part(1, component) for segment in reversed(every(loop, "RFF"))}
    return next((known[qualifier] for qualifier in qualifiers if known.get(qualifier)), "")


def order_of(header: Loop, loop: Loop) -> str:
    """The order that a line is of, empty where none is named. Raises `Misread` where it may be one of several."""
    for place in (loop, header):
        named = dict.fromkeys(segment.part(1, 2) for segment in every(place, "RFF") if segment.part(1, 1) == "ON")
        if len(named) > 1:
            raise Misread(f"the line is of one of the orders {', '.join(named)}: its own RFF+ON has to say of which")
        if named:
            return next(iter(named))
    return ""


def quantity(message: Message, segment: Segment) -> Quantity:
    """The quantity of a QTY. Raises `Misread`."""
    if not segment.part(1, 2):
        raise Misread(f"{segment.tag} has no quantity")
    return message.values.quantity(segment.part(1, 2), segment.part(1, 3), segment.delimiters.decimal)


def schedule(loop: Loop) -> tuple[Loop, Loop]:
    """What a line says before its schedule (SCC), and the schedule, which divides the line's quantity once more."""
    start = next((at for at, segment in enumerate(loop) if segment.tag == "SCC"), len(loop))
    return loop[:start], loop[start:]


def quantities(loop: Loop, qualifiers: Sequence[str]) -> list[Segment]:
    """The QTY of a loop that have the best of the qualifiers which any has."""
    found = every(loop, "QTY")
    for qualifier in qualifiers:
        if best := [segment for segment in found if segment.part(1, 1) == qualifier]:
            return best
    return []
