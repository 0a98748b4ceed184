"""The row of an event that is known by its name alone.

On one machine the mark by which a repeat of an event is recognised says when it arrived, and the records of a partition
lie in the order of their arrival. So the record is found by a binary search, without an index of events. It is found as
long as its mark is kept.

On Kafka the process that answers has neither the marks nor the log at hand. It has the index of decisions, which names
the event of each; of another event the row must be given.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import msgspec
from msgspec import Struct

from engine.bus.single import Kept, ReadModel, Record
from engine.core.decisions import event_name
from engine.core.events import Event, decode
from engine.core.outcomes import Rejection
from engine.core.values import digest
from engine.trace.documents import Row
from tables.event_marks import mark_key, newest_arrival

PORTION, MOST_READ = 1_000, 20_000
"""Records that arrived at one moment are looked through in portions, up to so many."""


@runtime_checkable
class Logged(Protocol):
    """A bus whose log can be read."""

    def begin_offset(self, partition: int) -> int:
        """The first offset that the log still has."""

    def end_offset(self, partition: int) -> int:
        """The offset that the next record of the partition gets."""

    def read_log(self, partition: int, offset: int, limit: int) -> list[Record]:
        """At most `limit` records from `offset` on."""


class _Decided(Struct):
    sku: str
    location: str


def finds_every_event(bus: Kept) -> bool:
    """Whether every event can be found by its name alone, and not only those by which somebody has decided."""
    return isinstance(bus, Logged)


def rows_of_event(bus: Kept, ref: str) -> list[Row]:
    """The row of an event by its `source/id`; empty where it is not found, or concerns no row."""
    if not isinstance(bus, Logged):
        return _rows_of_decision(bus.published, ref)
    for partition, arrived_at in _arrivals(bus, ref):
        event = _find(bus, partition, arrived_at, ref)
        if event is not None:
            sku, location = getattr(event.data, "sku", None), getattr(event.data, "location", None)
            return [] if sku is None or location is None else [(sku, location)]
    return []


def _rows_of_decision(published: ReadModel, ref: str) -> list[Row]:
    """The row of the signal or alert about which somebody has decided by an event."""
    for source, name in _readings(ref):
        for found in published.decisions("event", event_name(source, name)):
            decided = msgspec.json.decode(found.after, type=_Decided)
            return [(decided.sku, decided.location)]
    return []


def _readings(ref: str) -> Iterator[tuple[str, str]]:
    """What may be the source and the id in a name; both may have slashes."""
    parts = ref.split("/")
    for at in range(1, len(parts)):
        yield "/".join(parts[:at]), "/".join(parts[at:])


def _arrivals(bus: Kept, ref: str) -> Iterator[tuple[int, int]]:
    """(partition, instant) of the arrivals of events that may bear this name."""
    for source, name in _readings(ref):
        identity = digest(source, name)
        for partition in range(bus.partitions):
            mark = bus.state.get(mark_key(partition, identity))
            if mark is not None:
                yield partition, newest_arrival(mark)


def _find(log: Logged, partition: int, arrived_at: int, ref: str) -> Event | None:
    offsets = range(log.begin_offset(partition), log.end_offset(partition))
    first = bisect_left(offsets, arrived_at, key=lambda offset: _arrived(log, partition, offset))
    for start in range(first, first + MOST_READ, PORTION):
        for record in log.read_log(partition, offsets.start + start, PORTION):
            if record.arrived_at > arrived_at:
                return None
            event = decode(record.value)
            if not isinstance(event, Rejection) and event.ref == ref:
                return event
    return None


def _arrived(log: Logged, partition: int, offset: int) -> int:
    return next((record.arrived_at for record in log.read_log(partition, offset, 1)), 0)
