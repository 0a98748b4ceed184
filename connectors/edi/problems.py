"""What can be wrong with an interchange: where it is (segment and byte), and in words what to do."""

from typing import NamedTuple, Self

from connectors.edi.segments import Segment
from connectors.mapping.values import Unreadable
from connectors.ports import Unmapped
from engine.core.errors import StocklineError


class Misread(Unreadable):
    """A value of a document that cannot be read; the message says which."""


class Place(NamedTuple):
    """Where something was read: the number of the segment in the file, from 1, and the byte offset of its start."""

    segment: int
    byte: int

    @classmethod
    def of(cls, segment: Segment) -> Self:
        """The place of a segment."""
        return cls(segment.number, segment.start)

    def __str__(self) -> str:
        return f"segment {self.segment}, byte {self.byte}"


class Remark(NamedTuple):
    """Something that is wrong and costs nothing unless the profile is strict: a count, or a control number.

    `what` says so in words that do not name the numbers, so that reports can count equal remarks; `detail` names them.
    """

    place: Place
    what: str
    detail: str


class Fault(NamedTuple):
    """Something that costs a line, a transaction or an interchange; `record` is what it costs, where it is kept."""

    place: Place
    detail: str
    unmapped: bool = False
    record: bytes = b""

    @classmethod
    def of(cls, segment: Segment, error: StocklineError) -> Self:
        """The fault of what begins at `segment`."""
        return cls(Place.of(segment), f"{segment.tag}: {error}", isinstance(error, Unmapped))

    def __str__(self) -> str:
        return f"{self.place}: {self.detail}"
