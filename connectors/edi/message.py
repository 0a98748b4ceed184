"""One message under translation: its segments, purpose and time, and what becomes of it.

What an event's id is made of follows from what the event is. A movement (a shipment, a receipt, an issue) counts each
time, so its id names the document: sent again under other control numbers it is a duplicate, and with other content a
conflict. A statement (an acknowledgement, a balance, a forecast) replaces the one before, so its id names the control
numbers: each message is a new one. A change, a replacement and a cancellation are statements about a document.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple, TypeVar

from connectors.base import JsonObject
from connectors.edi import codes
from connectors.edi.dates import When
from connectors.edi.envelopes import Transaction
from connectors.edi.problems import Fault, Misread, Place, Remark
from connectors.edi.segments import Segment
from connectors.edi.values import Values, reference
from connectors.mapping.values import Unreadable

_MAX_ID: Final = 240
_GREATEST_LINE: Final = 10**9
_LONGEST_PURPOSE: Final = 3


@dataclass(frozen=True)
class Statement:
    """An event to be: `key` names it within its document, `when` is its time (None: the message's).

    `counts_once` is true for a movement.
    """

    segment: Segment
    type: str
    data: JsonObject
    key: tuple[str, ...]
    counts_once: bool = False
    when: When | None = None


class Nothing(NamedTuple):
    """What was read and means no event, and why in words that are counted."""

    segment: Segment
    why: str


Read = TypeVar("Read")
Outcome = Statement | Nothing | Fault | Remark
Loop = Sequence[Segment]


@dataclass
class Message:
    """A transaction, and the reading of its values.

    `number` is the document's own number, which a translation sets, and `day` its date, if it says one.
    """

    transaction: Transaction
    values: Values
    purpose: codes.Purpose = "original"
    number: str = ""
    day: When | None = None
    noted: list[Remark] = field(default_factory=list)
    _said: set[tuple[int, str]] = field(default_factory=set)

    @property
    def segments(self) -> list[Segment]:
        """All segments, from ST or UNH on."""
        return self.transaction.segments

    @property
    def standard(self) -> str:
        """`X12` or `EDIFACT`."""
        return self.transaction.standard

    def first(self, *tags: str) -> Segment:
        """The first segment with one of the tags. Raises `Misread` where there is none."""
        for segment in self.segments:
            if segment.tag in tags:
                return segment
        raise Misread(f"the {self.transaction.code} has no {' or '.join(tags)}")

    def read_purpose(self, segment: Segment, code: str, known: dict[str, codes.Purpose]) -> None:
        """Set the purpose by its code; a document without one is an original. Raises `Misread`.

        What is too long for a code stands in the wrong place: it is noted.
        """
        found = self.values.profile.codes.purpose.get(code) or known.get(code)
        if found is None and len(code) > _LONGEST_PURPOSE:
            what = "something else in the place of the purpose, read as an original"
            self.note(segment, what, f"the purpose {code!r} is not known")
        elif found is None and code:
            raise Misread(
                f"the purpose {code!r} of {segment.tag} is not known: say what it means in `codes.purpose` of the "
                "profile"
            )
        self.purpose = found or "original"

    def note(self, segment: Segment, what: str, detail: str) -> None:
        """Say what is wrong at a segment and costs nothing; a segment that is looked at again says it once."""
        if (segment.number, what) not in self._said:
            self._said.add((segment.number, what))
            self.noted.append(Remark(Place.of(segment), what, f"{segment.tag}: {detail}"))

    def note_substitute(self, segment: Segment) -> None:
        """Say that a supplier names another item in place of the one that was ordered."""
        what = "an item that comes in place of the one that was ordered: change the order to it"
        self.note(segment, what, "a substitute")

    def header(self, starts: Iterable[str]) -> Loop:
        """The segments before the first one with a tag of `starts`."""
        wanted = frozenset(starts)
        end = next((i for i, each in enumerate(self.segments) if each.tag in wanted), len(self.segments))
        return self.segments[:end]

    def loops(self, starts: Iterable[str], ends: Iterable[str]) -> list[Loop]:
        """The segments from each one with a tag of `starts` up to the next such, or to one of `ends`."""
        # UNT is the end of a message of EDIFACT, and a unit in old releases of X12.
        begin, stop = frozenset(starts), frozenset(ends) | {"SE" if self.standard == "X12" else "UNT"}
        found: list[list[Segment]] = []
        is_open = False
        for segment in self.segments:
            if segment.tag in begin:
                found.append([segment])
                is_open = True
            elif segment.tag in stop and not (segment.tag == "UNS" and segment[1] == "D"):
                is_open = False
            elif is_open:
                found[-1].append(segment)
        return list(found)

    # identity and time ------------------------------------------------------------------------------------------------

    def sent(self) -> When | None:
        """When the message was prepared, by its group or its interchange."""
        group, header = self.transaction.group, self.transaction.interchange.header
        tries = [(group.header[4], group.header[5])] if group is not None and group.header.tag == "GS" else []
        place = (9, 10) if header.tag == "ISA" else None
        tries.append((header[9], header[10]) if place else (header.part(4, 1), header.part(4, 2)))
        for day, clock in tries:
            try:
                return self.values.x12_when(day, clock)
            except Unreadable:
                continue
        return None

    def time_of(self, statement: Statement) -> str:
        """The time of an event. A date without a time of the day is its begin.

        A statement of the day on which the message was prepared is as of that minute, so that of two of one day the
        later one wins; a change always is, as what it changes was said before.
        """
        sent, when = self.sent(), statement.when or self.day
        changes = self.purpose != "original"
        if when is None or (changes and not statement.counts_once and sent is not None):
            when = sent or when
        elif not statement.counts_once and when.clock is None and sent is not None and sent.day == when.day:
            when = sent
        if when is None:
            raise Misread("neither the document nor its envelope says a date")
        return self.values.moment(when)

    def id_of(self, statement: Statement) -> str:
        """The id of an event, by the rule of the module."""
        transaction = self.transaction
        by_document = statement.counts_once and self.number and self.values.profile.identity == "document"
        if by_document:
            names: tuple[str, ...] = (transaction.sender, transaction.code, self.number, self.purpose)
        else:
            group = transaction.group.control if transaction.group else ""
            control = (transaction.interchange.control, group, transaction.control)
            names = (transaction.sender, transaction.code, "control", *control)
        whole = "/".join((*names, *statement.key))
        if len(whole) > _MAX_ID or not whole.isprintable():
            return "/".join((transaction.code, hashlib.sha256(whole.encode()).hexdigest()))
        return whole

    def event(self, statement: Statement, again: str = "") -> bytes:
        """A statement as one line of JSON; `again` ends the id of one that repeats a key. Raises `Misread`."""
        event = {
            "specversion": "1.0",
            "id": self.id_of(statement) + again,
            "source": self.values.profile.source,
            "type": statement.type,
            "time": self.time_of(statement),
            "data": statement.data,
        }
        return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()

    # what documents have in common ------------------------------------------------------------------------------------

    def document(self, text: str, what: str) -> str:
        """Set and return the document's number."""
        self.number = reference(text, what)
        return self.number

    def line(self, number: str, position: int, sku: str) -> int | str:
        """The number of an order's line as the contract has it: `000010` is 10."""
        if number.isdigit() and number.isascii() and len(number) <= 18 and int(number) <= _GREATEST_LINE:
            return int(number)
        if number:
            return reference(number, "the line's number")
        missing = self.values.profile.missing_line
        if missing == "refuse":
            raise Misread("the line has no number; `missing_line` in the profile says what to take in its place")
        return position if missing == "position" else sku


def each(loops: Iterable[Loop], make: Callable[[int, Loop], Iterator[Outcome]]) -> Iterator[Outcome]:
    """What `make` says of each loop, by its position from 1; what cannot be read costs its loop."""
    for position, loop in enumerate(loops, 1):
        try:
            yield from list(make(position, loop))
        except Unreadable as error:
            yield Fault.of(loop[0], error)


def gather(loops: Iterable[Loop], read: Callable[[int, Loop], Read]) -> tuple[list[Read], list[Fault]]:
    """What is read of each loop, by its position from 1, and what cannot be read."""
    found: list[Read] = []
    refused: list[Fault] = []
    for position, loop in enumerate(loops, 1):
        try:
            found.append(read(position, loop))
        except Unreadable as error:
            refused.append(Fault.of(loop[0], error))
    return found, refused


def find(loop: Loop, *tags: str) -> Segment | None:
    """The first segment of a loop with one of the tags."""
    return next((segment for segment in loop if segment.tag in tags), None)


def every(loop: Loop, *tags: str) -> list[Segment]:
    """The segments of a loop with one of the tags."""
    return [segment for segment in loop if segment.tag in tags]


def day_of(when: When | None) -> str | None:
    """The date as the contract has it."""
    return None if when is None else when.day.isoformat()


def days_between(first: date, last: date) -> int:
    """The days of a period, both ends included; at least 1, at most 366."""
    return min(366, max(1, (last - first).days + 1))
