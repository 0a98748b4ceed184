"""What the journal keeps: documents under their numbers, and how far each row was read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class SentDocument:
    """A document under its number. `answer` is what a 997 or CONTRL said of it, None as long as none came."""

    number: int
    kind: str
    name: str
    made: datetime
    text: bytes
    answer: str | None = None


@dataclass(frozen=True)
class Draft:
    """A document to be: `write` makes its text for a control number, and raises `Unreadable`."""

    kind: str
    name: str
    write: Callable[[int], bytes]


@dataclass(frozen=True)
class Row:
    """How far the events of a row were read, and what was sent of its forecast.

    `supplier` is what its policy says, with the time of it. `forecast` names the forecast in force, `sent` the one that
    was sent.
    """

    sku: str
    location: str
    version: int = 0
    newest: str = ""
    supplier: tuple[str, str] | None = None
    forecast: str | None = None
    sent: str | None = None


def utc_now() -> datetime:
    """The time of a document."""
    return datetime.now(UTC)
