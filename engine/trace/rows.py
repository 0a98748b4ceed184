"""What is known of one row: its last events, the signals that they opened, and its order lines as they are now."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from agents.lines import owed
from engine.bus.single import Kept
from engine.core.events import Event, decode
from engine.core.outcomes import Rejection
from engine.core.outputs import Position, Signal
from engine.core.values import row_key, stable_id
from tables import keys
from tables.purchasing import LINE, Line, line_name
from tables.signals import SIGNAL
from tables.workspace import decode as decode_row


class _Published(Struct):
    data: Signal


class _PublishedPosition(Struct):
    data: Position


_signals = msgspec.json.Decoder(_Published)
_positions = msgspec.json.Decoder(_PublishedPosition)


class LineNow(Struct, frozen=True):
    """An order line as the row has it now, in base units."""

    supplier: str | None
    ordered: int | None
    due: int | None
    promised: int
    received: int
    on_order: int
    in_transit: int
    closed: bool

    @property
    def status(self) -> str:
        """Whether something is still expected: `open`, `received` or `closed`."""
        if self.on_order or self.in_transit:
            return "open"
        return "received" if self.received and self.received >= self.promised else "closed"


class RowHistory:
    """The last events of a row, in the order of their arrival, and what was published and is kept about it.

    Attributes:
        sku, location: the row.
        events: its last events, the oldest first.
        cut: whether the row has more events than were read.
        trimmed: whether retention has deleted some of its events.
    """

    def __init__(self, bus: Kept, sku: str, location: str, limit: int) -> None:
        """Read the last `limit` events of a row."""
        self._bus = bus
        self.sku, self.location = sku, location
        self._row = keys.row(sku, location)
        records = bus.published.row_events(row_key(sku, location), None, limit + 1)
        self.cut = len(records) > limit
        read = [decode(record.value) for record in records[:limit]]
        self.events: list[Event] = [event for event in reversed(read) if not isinstance(event, Rejection)]
        position = bus.published.latest("positions", row_key(sku, location))
        applied = 0 if position is None else _positions.decode(position).data.version
        self.trimmed = not self.cut and len(records) < applied
        self.exists = position is not None or bool(records)

    def signals(self, named: list[str]) -> Iterator[tuple[Signal, str | None]]:
        """The signals of the row that are known, each with the event that opened it, if that is known.

        The id of a signal follows from its row and the event that opened it, so no index of signals is needed.

        Args:
            named: ids of signals that events name.
        """
        openers = {stable_id("sig", self.sku, self.location, event.ref): event.ref for event in self.events}
        standing = self._bus.state.get(SIGNAL + self._row)
        current = [] if standing is None else [decode_row(SIGNAL + self._row, standing).id]
        for name in dict.fromkeys([*openers, *named, *current]):
            value = self._bus.published.latest("signals", name)
            if value is not None:
                signal = _signals.decode(value).data
                yield signal, openers.get(name) or self._opener(signal)

    def _opener(self, signal: Signal) -> str | None:
        """The event that opened a signal, if its explanation still names it."""
        named = (signal.explanation.get("cause"), *signal.explanation.get("events", ()))
        return next((ref for ref in named if ref and stable_id("sig", self.sku, self.location, ref) == signal.id), None)

    def line(self, order: str, number: str) -> LineNow | None:
        """An order line as the row has it now; None where the row does not know it."""
        key = keys.part(LINE, self._row, line_name(order, number))
        value = self._bus.state.get(key)
        return None if value is None else _line_now(decode_row(key, value))

    def lines(self, order: str) -> list[str]:
        """The numbers of the known lines of an order at the row."""
        prefix = LINE + self._row + keys.NUL + order.encode()
        found = self._bus.state.scan(prefix + keys.NUL, prefix + keys.AFTER_NUL)
        return [key[len(prefix) + 1 :].decode()[1:] for key, _ in found]


def _line_now(line: Line) -> LineNow:
    share = owed(line)
    return LineNow(
        line.supplier, line.ordered, line.due, share.promised, share.received, share.on_order, share.in_transit,
        line.closed,
    )  # fmt: skip
