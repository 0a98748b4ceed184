"""What the events of an order line say together, in whatever order they were read. Without input and output.

A state is a join: each of its fields keeps what the highest (revision, time, identity) says, so events may be read in
any order, again, or in part after a crash, and the state comes out the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Final, NamedTuple, Self

from connectors.base import JsonObject

CONCERNS: Final = frozenset(
    {"order.placed", "order.changed", "order.cancelled", "order.closed", "order.acknowledged"}
)  # fmt: skip


class Rank(NamedTuple):
    """By which one of two statements counts: the revision, the time in UTC, and the event's identity."""

    revision: int
    time: str
    identity: str


class LineKey(NamedTuple):
    """A line of an order at a row."""

    order: str
    line: str
    sku: str
    location: str


class Ordered(NamedTuple):
    """What is ordered on a line: a quantity in a unit of the item (None: its base unit), due on a day."""

    qty: int
    uom: str | None
    due: date


@dataclass(frozen=True)
class LineState:
    """All that is known of a line. Each statement is what was said, by its rank.

    `placed` is the time at which it was first placed, None as long as only other events of it are known.
    """

    supplier: tuple[Rank, str] | None = None
    quantity: tuple[Rank, tuple[int, str | None]] | None = None
    due: tuple[Rank, str] | None = None
    placed: str | None = None
    cancelled: bool = False
    closed: bool = False
    acknowledged: bool = False

    def after(self, event: JsonObject) -> Self:
        """The state with what an event of the line says; `event` is a CloudEvent of a type of `CONCERNS`."""
        kind, data = event["type"], event["data"]
        if kind == "order.cancelled":
            return replace(self, cancelled=True)
        if kind == "order.closed":
            return replace(self, closed=True)
        if kind == "order.acknowledged":
            return replace(self, acknowledged=True)
        rank = rank_of(event)
        found = self
        if "qty" in data:
            stated = (rank, (int(data["qty"]), data.get("uom")))
            found = replace(found, quantity=max((each for each in (self.quantity, stated) if each), key=_rank))
        if "due" in data:
            found = replace(found, due=max((each for each in (self.due, (rank, data["due"])) if each), key=_rank))
        if kind == "order.placed":
            supplier = max((each for each in (self.supplier, (rank, data["supplier"])) if each), key=_rank)
            first = min(filter(None, (self.placed, rank.time)))
            found = replace(found, supplier=supplier, placed=first)
        return found

    def wanted_from(self, suppliers: frozenset[str], since: datetime | None) -> Ordered | None:
        """What is ordered of these suppliers; None for a line that is over, of others, or from before `since`."""
        if self.placed is None or self.supplier is None or self.quantity is None or self.due is None:
            return None
        if self.cancelled or self.closed or self.supplier[1] not in suppliers or self.quantity[1][0] < 1:
            return None
        if since is not None and datetime.fromisoformat(self.placed) < since:
            return None
        return Ordered(*self.quantity[1], date.fromisoformat(self.due[1]))

    def as_json(self) -> JsonObject:
        """The state as it is kept."""
        return {name: value for name, value in vars(self).items() if value not in (None, False)}

    @classmethod
    def of(cls, kept: Mapping[str, object]) -> Self:
        """The state that was kept."""
        return cls(**{name: _restored(value) for name, value in kept.items()})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Line:
    """A line as it is known, and as it was sent: None while it was not, and while its cancellation was."""

    key: LineKey
    state: LineState
    sent: Ordered | None = None
    was_sent: bool = field(default=False)


def key_of(data: JsonObject) -> LineKey:
    """The line that the data of an event name."""
    return LineKey(str(data["order"]), str(data["line"]), data["sku"], data["location"])


def rank_of(event: JsonObject) -> Rank:
    """The rank of what an event says."""
    time = datetime.fromisoformat(event["time"]).astimezone(UTC).isoformat(timespec="microseconds")
    return Rank(int(event["data"].get("revision", 0)), time, f"{event['source']} {event['id']}")


def _rank(statement: tuple[Rank, object]) -> Rank:
    return statement[0]


def _restored(value: object) -> object:
    """A statement as it was before it was JSON, in which a tuple is a list."""
    if isinstance(value, list):
        rank, said = value
        return Rank(*rank), tuple(said) if isinstance(said, list) else said
    return value
