"""Bytes to segments: finds the interchanges in a source, and cuts each at its own delimiters, in constant memory."""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from connectors.edi.detection import HEAD_BYTES, detect, find_start, hint_of, is_blank
from connectors.edi.problems import Fault, Place
from connectors.edi.segments import Delimiters, Segment
from connectors.edi.window import Window

MAX_SEGMENT_BYTES: Final = 64 * 1024
_SEARCH_BYTES: Final = 4 * 1024
_OVERLAP: Final = 16
_HEADERS: Final = {"X12": "ISA", "EDIFACT": "UNB"}
_TRAILERS: Final = {"X12": "IEA", "EDIFACT": "UNZ"}
_CUT_INTO: Final = re.compile(rb"\s*(ISA[^A-Za-z0-9\s]|UNA[^A-Za-z0-9]{6}|UNB[+\x1d])")


class Advice(str):
    """The UNA before a UNB, as it is written: whoever keeps an interchange's text needs it."""


Scanned = Segment | Fault | Advice


class Scanner:
    """Segments, and faults of what is none, in the order of the source.

    What is yielded was taken: `offset` lies behind it, and is the position to go on at.
    """

    def __init__(self, source: BinaryIO, encoding: str | None = None) -> None:
        self._window = Window(source)
        self._encoding = encoding
        self._number = 0

    @property
    def offset(self) -> int:
        """The byte offset up to which everything was yielded."""
        return self._window.offset

    def __iter__(self) -> Iterator[Scanned]:
        """Read the source to its end; what lies between interchanges and is not blank is refused."""
        while True:
            yield from self._to_the_next()
            head = self._window.ahead(HEAD_BYTES)
            if not head:
                return
            found = find_start(head)
            if found is None or found.ahead:
                continue
            detected = detect(found.tag, head)
            if detected.delimiters is None:
                fault = Fault(self._next(), detected.problem)
                self._window.take(len(found.tag))
                # What follows up to the next interchange is refused with its header.
                list(self._to_the_next())
                yield fault
                continue
            if detected.advice:
                yield Advice(self._window.take(detected.advice).decode("latin-1"))
            yield from self._interchange(detected.delimiters)

    def _to_the_next(self) -> Iterator[Fault]:
        """Take what lies before the next interchange; refuse it as a whole if there is anything in it."""
        place, begin, blank = self._here(), b"", True
        while ahead := self._window.ahead(_SEARCH_BYTES):
            found = find_start(ahead)
            size = found.ahead if found else len(ahead) - (0 if len(ahead) < _SEARCH_BYTES else _OVERLAP)
            taken = self._window.take(size)
            begin, blank = begin or taken.lstrip(b"\xef\xbb\xbf \r\n\t")[:24], blank and is_blank(taken)
            if found or not size:
                break
        if not blank:
            yield Fault(
                place,
                f"{self.offset - place.byte} bytes from {begin.decode('latin-1')!r} on belong to no interchange: none "
                "of X12 (ISA) or EDIFACT (UNB) begins there, or its header is damaged" + hint_of(begin),
            )

    def _interchange(self, delimiters: Delimiters) -> Iterator[Segment | Fault]:
        """The segments of one interchange, up to its trailer, the next header, or what cannot be read on."""
        first, end = True, delimiters.terminator.encode("latin-1")
        while True:
            if not first and _CUT_INTO.match(self._window.ahead(_OVERLAP * 4)):
                return
            size = self._size(end, delimiters)
            if size < 0 and not self._window.ended:
                place = self._next()
                self._window.take(MAX_SEGMENT_BYTES)
                yield Fault(place, f"no end of the segment within {MAX_SEGMENT_BYTES} bytes: is it damaged?")
                return
            start = self.offset
            raw = self._window.take(MAX_SEGMENT_BYTES if size < 0 else size)
            if size < 0 and is_blank(raw):
                return
            segment = Segment(raw.decode("latin-1"), self._number + 1, start, delimiters, self._encoding)
            if not segment.tag:
                # Empty lines, comments and the filling between segments are no segments.
                continue
            self._number, first = self._number + 1, False
            yield segment
            if size < 0 or segment.tag == _TRAILERS[delimiters.standard]:
                return

    def _size(self, end: bytes, delimiters: Delimiters) -> int:
        """The bytes up to the end of the next segment; -1 if there is none within the longest segment."""
        after = 0
        release = delimiters.release.encode("latin-1")
        while (found := self._window.find(end, after, MAX_SEGMENT_BYTES)) >= 0:
            before = self._window.ahead(found)
            released = len(before) - len(before.rstrip(release)) if release else 0
            if released % 2 == 0:
                return found + len(end)
            after = found + 1
        return -1

    def _here(self) -> Place:
        return Place(self._number + 1, self.offset)

    def _next(self) -> Place:
        self._number += 1
        return Place(self._number, self.offset)
