"""Segments to transactions: the envelopes around them, their control numbers and counts.

A transaction is held whole, because it counts only if its end has arrived, and at most `MAX_TRANSACTION_BYTES` of it.
What a count or a control number says wrongly is a remark; a transaction without its end is refused.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from connectors.edi.problems import Fault, Place, Remark
from connectors.edi.scanner import Advice, Scanned
from connectors.edi.segments import Segment

MAX_TRANSACTION_BYTES: Final = 32 * 1024 * 1024
MAX_KEPT_BYTES: Final = 64 * 1024
"""So much is kept of what is no whole transaction."""

_BEGIN: Final = {"ST": "SE", "UNH": "UNT"}
_CONTROL: Final = {"ISA": 13, "GS": 6, "ST": 2, "UNB": 5, "UNG": 5, "UNH": 1}
_CLOSES: Final = {"IEA": "ISA", "GE": "GS", "SE": "ST", "UNZ": "UNB", "UNE": "UNG", "UNT": "UNH"}
_GROUPS: Final = ("GS", "UNG")


@dataclass
class Envelope:
    """An open interchange, group or transaction: its header, and what was counted in it."""

    header: Segment
    counted: int = 0

    @property
    def control(self) -> str:
        """Its control number, as the header says it."""
        return control_of(self.header)


@dataclass
class Transaction:
    """A transaction set of X12 or a message of EDIFACT, with the envelopes that it came in.

    `segments` begin with ST or UNH and end with SE or UNT. `advice` is the interchange's UNA, empty if it had none.
    """

    interchange: Envelope
    group: Envelope | None
    segments: list[Segment]
    advice: str = ""
    remarks: list[Remark] = field(default_factory=list)

    @property
    def header(self) -> Segment:
        """The ST or UNH."""
        return self.segments[0]

    @property
    def standard(self) -> str:
        """`X12` or `EDIFACT`."""
        return self.header.delimiters.standard

    @property
    def code(self) -> str:
        """What kind it is: `856`, `DESADV`."""
        return (self.header[1] if self.header.tag == "ST" else self.header[2]).upper()

    @property
    def control(self) -> str:
        """Its own control number."""
        return control_of(self.header)

    @property
    def end(self) -> int:
        """The byte offset after its last segment."""
        return self.segments[-1].end

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.end - self.header.start

    @property
    def is_test(self) -> bool:
        """Whether the sender marks the interchange as a test."""
        header = self.interchange.header
        return header[15] == "T" if header.tag == "ISA" else header[11] == "1"

    @property
    def sender(self) -> str:
        """Who sent the interchange, by its header."""
        header = self.interchange.header
        return header[6] if header.tag == "ISA" else header[2]

    @property
    def receiver(self) -> str:
        """Whom the interchange is for, by its header."""
        header = self.interchange.header
        return header[8] if header.tag == "ISA" else header[3]

    def record(self) -> bytes:
        """The transaction in an interchange of its own, so that it can be kept, mended and read again."""
        headers = [self.interchange.header, *([self.group.header] if self.group else [])]
        data = (self.advice + "".join(segment.raw for segment in [*headers, *self.segments])).encode("latin-1")
        marks = self.header.delimiters
        closing = {"ISA": "IEA", "GS": "GE", "UNB": "UNZ", "UNG": "UNE"}
        for header in reversed(headers):
            data += f"{closing[header.tag]}{marks.element}1{marks.element}".encode("latin-1")
            data += control_of(header).encode() + marks.terminator.encode("latin-1")
        return data


Found = Transaction | Fault | Remark


class Envelopes:
    """Follows the envelopes of a file; an iterator of transactions, and of what is wrong, in the file's order.

    `cut` is set if the file ends within a transaction, which may still be written to.
    """

    def __init__(self, scanned: Iterable[Scanned]) -> None:
        self._scanned = scanned
        self._advice = ""
        self._interchange: Envelope | None = None
        self._group: Envelope | None = None
        self._found = False
        self._open: list[Segment] | None = None
        self._size = 0
        self._outside: Place | None = None
        self.cut = False

    def __iter__(self) -> Iterator[Found]:
        for found in self._scanned:
            if isinstance(found, Advice):
                self._advice = found
            elif isinstance(found, Fault):
                yield from self._broken_off("what follows cannot be read")
                yield found
            else:
                yield from self._take(found)
        self.cut = self._open is not None or self._interchange is not None
        yield from self._broken_off("the file ends before")

    def _take(self, segment: Segment) -> Iterator[Found]:
        if segment.tag in ("ISA", "UNB"):
            yield from self._broken_off("another interchange begins")
            self._interchange, self._found = Envelope(segment), False
            self._advice = self._advice if segment.tag == "UNB" else ""
        elif segment.tag in _BEGIN and self._interchange is not None:
            yield from self._unfinished("another one begins")
            self._open, self._size, self._outside = [segment], len(segment.raw), None
            self._found = True
        elif self._open is not None and _CLOSES.get(segment.tag) == self._open[0].tag:
            yield self._whole(segment)
        elif segment.tag in _GROUPS:
            yield from self._unfinished("another group begins")
            self._group, self._outside = Envelope(segment), None
        elif segment.tag in ("GE", "UNE"):
            yield from self._close(segment, self._group, "transactions")
            self._group = None
            if self._interchange is not None:
                self._interchange.counted += 1
        elif self._interchange is not None and _CLOSES.get(segment.tag) == self._interchange.header.tag:
            yield from self._close(segment, self._interchange, "groups or messages")
            self._interchange = self._group = None
            self._advice = ""
        elif self._open is not None:
            yield from self._grow(segment)
        else:
            yield from self._stray(segment)

    def _stray(self, segment: Segment) -> Iterator[Fault]:
        """What lies in no transaction: an answer to an interchange of ours, or what a damaged header leaves behind."""
        if segment.tag == "TA1" and segment[4] == "R":
            why = f"the partner rejected the interchange {segment[1]} that we sent: code {segment[5] or '(none)'}"
            yield Fault(Place.of(segment), why, record=_begin_of([segment]))
        elif self._outside is None and segment.tag not in ("TA1", "UCI", "ISB", "ISE"):
            # A damaged ST or UNH leaves its segments behind; they are refused once, not one by one.
            self._outside = Place.of(segment)
            what = segment.raw.strip()[:24]
            yield Fault(self._outside, f"{what!r} and what follows it are in no transaction: is its header damaged?")

    def _grow(self, segment: Segment) -> Iterator[Fault]:
        assert self._open is not None
        self._size += len(segment.raw)
        if self._size > MAX_TRANSACTION_BYTES:
            first, self._open, self._outside = self._open[0], None, Place.of(segment)
            yield Fault(
                Place.of(first), f"a transaction of more than {MAX_TRANSACTION_BYTES} bytes", record=_begin_of([first])
            )
        else:
            self._open.append(segment)

    def _whole(self, trailer: Segment) -> Transaction:
        assert self._open is not None
        assert self._interchange is not None
        segments, self._open = [*self._open, trailer], None
        (self._group or self._interchange).counted += 1
        header = segments[0]
        remarks = [*_compare(trailer, len(segments), "segments"), *_same_control(header, trailer)]
        return Transaction(self._interchange, self._group, segments, self._advice, remarks)

    def _close(self, trailer: Segment, envelope: Envelope | None, what: str) -> Iterator[Found]:
        yield from self._unfinished(f"a {trailer.tag} closes what is around it")
        self._outside = None
        if envelope is not None and _CLOSES[trailer.tag] == envelope.header.tag:
            yield from _compare(trailer, envelope.counted, what)
            yield from _same_control(envelope.header, trailer)

    def _unfinished(self, why: str) -> Iterator[Fault]:
        if self._open is not None:
            first, record, self._open = self._open[0], _begin_of(self._open), None
            what = f"the transaction {control_of(first)!r} has no {_BEGIN[first.tag]}: {why}"
            yield Fault(Place.of(first), what, record=record)

    def _broken_off(self, why: str) -> Iterator[Fault | Remark]:
        yield from self._unfinished(why)
        if self._interchange is not None:
            header = self._interchange.header
            yield _not_closed(header, why, self._found)
        self._interchange = self._group = self._outside = None


def control_of(header: Segment) -> str:
    """The control number of an ISA, GS, ST, UNB, UNG or UNH."""
    return header[_CONTROL[header.tag]]


def _not_closed(header: Segment, why: str, has_transactions: bool) -> Fault | Remark:
    """What an interchange without its trailer is: refused if nothing was found in it, as something else is wrong."""
    detail = f"the {header.tag} is not closed: {why}"
    if has_transactions:
        return Remark(Place.of(header), "an interchange without its end", detail)
    mark = repr(header.delimiters.terminator)
    what = f"{detail}, and no transaction is in it: do all segments end with {mark}?"
    return Fault(Place.of(header), what, record=_begin_of([header]))


def _begin_of(segments: list[Segment]) -> bytes:
    """The bytes of what was refused, as far as they are kept."""
    kept, size = [], 0
    for segment in segments:
        size += len(segment.raw)
        if size > MAX_KEPT_BYTES:
            break
        kept.append(segment.raw)
    return "".join(kept).encode("latin-1")


def _compare(trailer: Segment, counted: int, what: str) -> Iterator[Remark]:
    """What a trailer counts, compared."""
    if not trailer[1].isdigit() or int(trailer[1][:18]) != counted:
        yield Remark(
            Place.of(trailer),
            f"a wrong count in {trailer.tag}",
            f"{trailer.tag} counts {trailer[1] or 'no'} {what}, there are {counted}",
        )


def _same_control(header: Segment, trailer: Segment) -> Iterator[Remark]:
    """The control numbers of a header and its trailer, compared."""
    control = control_of(header)
    if control.lstrip("0") != trailer[2].lstrip("0"):
        yield Remark(
            Place.of(trailer),
            f"another control number in {trailer.tag} than in {header.tag}",
            f"{trailer.tag} says {trailer[2] or 'none'}, {header.tag} {control or 'none'}",
        )
