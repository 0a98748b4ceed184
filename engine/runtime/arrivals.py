"""Records of the log as they arrive: each one with its event, or with the reason why it holds none."""

from collections.abc import Sequence

from msgspec import Struct

from engine.bus.single import Record
from engine.core.events import BROADCAST_TYPES, OTHER_KEYS, Event, decode, key_of
from engine.core.outcomes import Rejection
from engine.core.values import partition_of

MAX_SKUS_REMEMBERED = 200_000


class Arrival(Struct, frozen=True):
    """A record with what decoding made of it."""

    record: Record
    event: Event | Rejection


class Decoder:
    """Reads records of a log that others may write: what lies under a wrong key or in a wrong partition is refused.

    The order of a sku is that of its partition; an event elsewhere would be folded beside it.
    """

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._known: dict[str, int] = {}

    def arrivals(self, records: Sequence[Record]) -> list[Arrival]:
        """The records with their events."""
        return [Arrival(record, self._event(record)) for record in records]

    def _event(self, record: Record) -> Event | Rejection:
        event = decode(record.value)
        if isinstance(event, Rejection) or type(event) in BROADCAST_TYPES:
            return event
        key = key_of(event)
        if record.key != key:
            return Rejection("wrong_key", f"the record's key is not the event's {_named(event)} {key!r}")
        partition = self._known.get(key)
        if partition is None:
            if len(self._known) > MAX_SKUS_REMEMBERED:
                self._known.clear()
            partition = self._known[key] = partition_of(key, self._partitions)
        if record.partition != partition:
            return Rejection("wrong_partition", f"{key!r} belongs in partition {partition} of {self._partitions}")
        return event


def _named(event: Event) -> str:
    """What the key of the event's record is called."""
    return OTHER_KEYS.get(type(event), "sku")
