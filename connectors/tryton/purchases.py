"""A purchase line as events: what changed of it since it was last told. Nothing here does I/O.

A line is ordered once its purchase is confirmed. A purchase that goes back to a draft, or is cancelled, may be
confirmed again, and `order.cancelled` would end its lines for good: so its lines fall to a quantity of 0
(`order.changed`), and are placed again. A line that is deleted is cancelled, one of which Tryton expects nothing more
is closed.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta

from connectors.base import JsonObject
from connectors.tryton.moves import Effect
from connectors.tryton.wire import moment, stamp

ORDERED = frozenset({"confirmed", "processing", "done"})
"""The states of a purchase that is ordered; a draft or a quotation is not."""
TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Told:
    """A line as it was last told: `at` is the time of the last event."""

    order: str
    sku: str
    location: str
    supplier: str
    qty: int
    due: str
    at: str

    def data(self, number: int) -> JsonObject:
        """What names the line in events."""
        return {"order": self.order, "line": number, "sku": self.sku, "location": self.location}

    def written(self) -> JsonObject:
        """Its form in a position."""
        return asdict(self)


@dataclass(frozen=True)
class Line:
    """A line as it is in the ERP; `qty` in base units, `at` the latest stamp of it, its purchase and its moves."""

    id: int
    order: str
    sku: str
    location: str
    supplier: str
    qty: int
    due: date
    at: datetime
    signal: str | None = None
    """The signal that it was drafted for: named with the order, so that the order ends it and not the position."""
    is_ordered: bool = True
    is_finished: bool = False

    def told(self, at: datetime) -> Told:
        """The line as an event at `at` tells it."""
        return Told(self.order, self.sku, self.location, self.supplier, self.qty, self.due.isoformat(), stamp(at))


@dataclass(frozen=True)
class Step:
    """What a line's change becomes: the events with their time, and the line as it is told now (None: not open)."""

    at: datetime
    effects: list[Effect]
    told: Told | None


def step(line: Line, told: Told | None, was_closed: bool) -> Step:
    """What is to be told of a line that was read, by what was told of it before."""
    at = line.at if told is None else max(line.at, moment(told.at) + TICK)
    if not line.is_ordered:
        return Step(at, [] if told is None else [_emptied(line.id, told)], None)
    if line.is_finished and told is None and was_closed:
        return Step(at, [], None)
    data = line.told(at).data(line.id)
    if line.is_finished:
        # Its dates are now those on which it came; only what the log does not know of it is told before its end.
        begun = [] if told is not None and told.data(line.id) == data else list(_differences(line, told))
        return Step(at, [*begun, Effect("-closed", "order.closed", data)], None)
    effects = list(_differences(line, told))
    return Step(at, effects, line.told(at) if effects else told)


def deleted(number: int, told: Told) -> Step:
    """What is to be told of a line that the ERP no longer has."""
    effect = Effect("-cancelled", "order.cancelled", told.data(number))
    return Step(moment(told.at).astimezone(UTC) + TICK, [effect], None)


def _differences(line: Line, told: Told | None) -> Iterator[Effect]:
    now = line.told(line.at)
    row = now.data(line.id)
    if told is not None and row != told.data(line.id):
        yield _emptied(line.id, told)
        told = None
    if told is None or told.supplier != now.supplier:
        placed = {**row, "supplier": now.supplier, "qty": now.qty, "due": now.due}
        yield Effect("-placed", "order.placed", placed if line.signal is None else {**placed, "signal": line.signal})
    elif (told.qty, told.due) != (now.qty, now.due):
        yield Effect("-changed", "order.changed", {**row, "qty": now.qty, "due": now.due})


def _emptied(number: int, told: Told) -> Effect:
    return Effect("-emptied", "order.changed", {**told.data(number), "qty": 0})
